import dataclasses

from desktop.model.predictions.announcer import EVERY_S, SETTLE_S, Announcer
from desktop.model.predictions.event import Event, EventKey
from desktop.model.predictions.record import Grade

NOW = 1_795_499_070.0


class Desk:
    """An announcer, its events, its clock."""

    def __init__(self) -> None:
        self.now = NOW
        self.events: dict[EventKey, Event] = {}
        self.announcer = Announcer(find=self.events.get, clock=lambda: self.now)

    def begin(self, device: str, *, grade: Grade = Grade.WARNING, kind: str = "stuck") -> EventKey:
        ms = int(self.now * 1000)
        key = EventKey(device, "temperature", kind, ms)
        self.events[key] = Event(key, ms, ms, 1, 0.9, grade, "Stuck: it repeats.", 20.0, 20.0, "v1")
        self.announcer.add([key])
        return key

    def say(self, after_s: float) -> str:
        self.now += after_s
        return self.announcer.due(utc=True)


def test_one_event_is_told_with_its_reason_once_it_has_settled() -> None:
    d = Desk()
    d.begin("d1")
    assert d.say(0) == ""
    assert d.say(SETTLE_S) == "d1 at 05:44:30. Stuck: it repeats."
    assert d.say(EVERY_S) == ""


def test_at_most_one_a_minute_and_all_that_came_meanwhile_together() -> None:
    d = Desk()
    d.begin("d0")
    d.say(SETTLE_S)
    for n in range(1, 6):
        d.begin(f"d{n}", grade=Grade.CRITICAL if n == 4 else Grade.WARNING)
    assert d.say(SETTLE_S) == ""
    assert d.say(EVERY_S) == "5 devices abnormal since 05:44:34: d4, d1, d2 and 2 more."


def test_what_was_taken_back_seen_to_or_does_not_matter_is_not_told() -> None:
    d = Desk()
    gone, seen = d.begin("d1"), d.begin("d2")
    d.begin("d3", grade=Grade.INFO)
    del d.events[gone]
    d.events[seen] = dataclasses.replace(d.events[seen], acknowledged_at=1.0)
    assert d.say(SETTLE_S) == ""
    d.begin("d4")
    assert d.say(SETTLE_S).startswith("d4"), "nothing was said, so nothing is to be waited for"


def test_what_is_long_over_is_no_news_but_a_silence_is() -> None:
    d = Desk()
    d.begin("d1")
    silent = d.begin("d2", kind="dropout")
    d.events[silent] = dataclasses.replace(d.events[silent], silent=True)
    assert d.say(1_000).startswith("d2")


def test_several_events_of_one_device() -> None:
    d = Desk()
    d.begin("d1")
    d.begin("d1", kind="drift")
    assert d.say(SETTLE_S) == "d1 abnormal since 05:44:30, in 2 ways."
