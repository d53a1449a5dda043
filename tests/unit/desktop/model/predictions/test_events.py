import dataclasses

import pytest

from desktop.model.predictions.event import EventFilter, EventKey, key_of
from desktop.model.predictions.events import EventLog
from desktop.model.predictions.record import Grade, Prediction


def odd(n: int, *, device: str = "d1", kind: str = "stuck", since: int = 1_000, score: float = 0.6) -> Prediction:
    t_ms = 1_000 * n
    return Prediction(
        id=f"{device}/temperature/{t_ms}",
        device_id=device,
        sensor="temperature",
        t_ms=t_ms,
        value=20.0 + n,
        expected=20.0,
        score=score,
        anomaly=True,
        reason=f"Stuck: it repeats {n} times.",
        kind=kind,
        grade=Grade.WARNING,
        since_ms=since,
        model="v1",
    )


def even(prediction: Prediction) -> Prediction:
    """The same reading, no longer odd."""
    return dataclasses.replace(prediction, anomaly=False, kind="", reason="", grade=Grade.NONE, since_ms=0)


def test_readings_of_one_fault_are_one_event() -> None:
    log = EventLog()
    assert [e.key.device_id for e in log.add([odd(1), odd(2, score=0.9)])] == ["d1"]
    assert log.add([odd(3)]) == [], "it is known"
    (event,) = log.events()
    assert (event.start_ms, event.end_ms, event.readings) == (1_000, 3_000, 3)
    assert (event.score, event.value) == (0.9, 22.0), "of the worst"
    assert event.reason == "Stuck: it repeats 3 times.", "of the newest"


def test_another_device_kind_or_begin_is_another_event() -> None:
    log = EventLog()
    log.add([odd(5), odd(5, device="d2"), odd(6, kind="spike", since=6_000), odd(9, since=9_000)])
    assert [(e.key.device_id, e.key.kind, e.start_ms) for e in log.events()] == [
        ("d1", "stuck", 9_000),
        ("d1", "spike", 6_000),
        ("d1", "stuck", 1_000),
        ("d2", "stuck", 1_000),
    ]


def test_a_revision_leaves_its_event_and_an_empty_event_is_gone() -> None:
    log = EventLog()
    log.add([odd(1), odd(2)])
    log.add([even(odd(2))])
    assert log.events()[0].readings == 1
    log.add([even(odd(1))])
    assert log.events() == []
    log.add([odd(1)])
    log.add([dataclasses.replace(odd(1), kind="drift", since_ms=500)])
    assert [e.key.kind for e in log.events()] == ["drift"], "it moved to another event"


def test_what_is_not_odd_changes_nothing() -> None:
    log = EventLog()
    log.add([even(odd(1))])
    assert (len(log), log.version) == (0, 0)


def test_the_same_reading_again_counts_once() -> None:
    log = EventLog()
    log.add([odd(1), odd(1)])
    log.add([odd(1)])
    assert log.events()[0].readings == 1


def test_acknowledging_stays_with_later_readings_and_can_be_taken_back() -> None:
    log = EventLog()
    log.add([odd(1)])
    key = key_of(odd(1))
    log.set_acknowledged({key: ("anna", 100.0)})
    log.add([odd(2)])
    event = log.events()[0]
    assert (event.acknowledged, event.acknowledged_by, event.readings) == (True, "anna", 2)
    assert log.open_count() == 0
    assert log.events(EventFilter(acknowledged=False)) == []
    log.set_acknowledged({})
    assert log.open_count() == 1


def test_an_acknowledgement_may_come_before_its_event() -> None:
    log = EventLog()
    log.set_acknowledged({key_of(odd(1)): ("anna", 100.0)})
    log.add([odd(1)])
    assert log.events()[0].acknowledged


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (EventFilter(), {"d1", "d2"}),
        (EventFilter(text="D2"), {"d2"}),
        (EventFilter(text="repeats 7"), {"d2"}),
        (EventFilter(kinds=frozenset({"spike"})), {"d2"}),
        (EventFilter(sensors=frozenset({"pressure"})), set()),
        (EventFilter(least=Grade.CRITICAL), set()),
        (EventFilter(start_ms=6_000), {"d2"}),
        (EventFilter(end_ms=6_500), {"d1"}),
    ],
)
def test_filters(wanted: EventFilter, found: set[str]) -> None:
    log = EventLog()
    log.add([odd(3), odd(7, device="d2", kind="spike", since=7_000)])
    assert {e.key.device_id for e in log.events(wanted)} == found


def test_bounds_hold() -> None:
    log = EventLog(max_events=3, max_readings=2)
    log.add([odd(n) for n in range(1, 6)])
    assert log.events()[0].readings == 5, "counted though not remembered"
    log.add([odd(9, device=f"d{n}") for n in range(10, 13)])
    assert {e.key.device_id for e in log.events()} == {"d10", "d11", "d12"}, "the one that changed longest ago went"
    log.add([even(odd(5))])
    assert len(log) == 3


def test_an_unknown_grade_is_seen() -> None:
    assert Grade.of("catastrophic") is Grade.WARNING
    assert [Grade.of(w) for w in ("", "info", "warning", "critical")] == sorted(Grade)


def silence(n: int, since: int) -> Prediction:
    return dataclasses.replace(odd(n, kind="dropout", since=since), id=f"d1/temperature/{n}/dropout", value=float("nan"))


def test_a_silence_lasts_until_the_next_reading() -> None:
    log = EventLog()
    log.add([silence(7, 2_000)])
    assert log.events()[0].ongoing(9e12), "however long it takes"
    log.add([even(odd(5))])
    assert log.events()[0].silent, "a reading from before says nothing"
    log.add([even(odd(30))])
    (event,) = log.events()
    assert (event.start_ms, event.end_ms, event.silent) == (2_000, 30_000, False)
    assert not event.ongoing(30_001)
    assert not log.silences


def test_the_earliest_known_end_of_a_silence_counts() -> None:
    log = EventLog()
    log.add([silence(7, 2_000), even(odd(90))])
    key = log.events()[0].key
    log.end_silence(key, 12_000)
    log.end_silence(key, 50_000)
    assert log.events()[0].end_ms == 12_000


def test_what_lasts_is_over_when_nothing_odd_comes_any_more() -> None:
    log = EventLog()
    log.add([odd(1), odd(2), odd(4, kind="spike", since=4_000)])
    spike, stuck = log.events()
    assert not spike.ongoing(4_000)
    assert stuck.ongoing(16_000)
    assert not stuck.ongoing(18_000)
    slow = EventLog()
    slow.add([odd(0, since=1), odd(60, since=1), odd(120, since=1)])
    assert slow.events()[0].ongoing(200_000), "a device that sends once a minute"


@pytest.mark.parametrize("device", ["d1", "a/b/c"])
def test_the_id_of_an_event_is_read_back(device: str) -> None:
    key = EventKey(device, "temperature", "stuck", 5)
    assert EventKey.from_id(key.id) == key


def fallen_silent(device: str) -> Prediction:
    return dataclasses.replace(
        odd(7, device=device, kind="dropout", since=2_000),
        id=f"{device}/temperature/7/dropout",
        value=float("nan"),
        grade=Grade.CRITICAL,
    )


def test_the_silence_of_a_device_that_was_taken_out_of_the_fleet_is_no_fault() -> None:
    log = EventLog()
    log.set_fleet({"thermostat": 5})
    log.add([fallen_silent("thermostat-00004"), fallen_silent("thermostat-00006"), fallen_silent("boiler-00009")])
    assert {e.key.device_id for e in log.events()} == {"thermostat-00004", "boiler-00009"}
    assert {e.grade for e in log.events()} == {Grade.CRITICAL}
    log.set_fleet({"thermostat": 3})
    assert {e.key.device_id for e in log.events()} == {"boiler-00009"}
    assert log.left == {f"thermostat-0000{n}/temperature/dropout/2000" for n in (4, 6)}
    log.set_fleet({"thermostat": 9})
    log.add([even(odd(90, device="thermostat-00004"))])
    assert {e.key.device_id for e in log.events()} == {"boiler-00009"}, "it came back later: its absence is still no anomaly"
    log.add([odd(120, device="thermostat-00004")])
    assert {e.key.device_id for e in log.events()} == {"boiler-00009", "thermostat-00004"}, "what it sends is judged"


def test_a_fleet_that_was_made_smaller_leaves_no_open_dropouts() -> None:
    """The slider goes from 1 300 to 20; the window hears of the silences before and after it hears of the fleet."""
    log = EventLog(max_events=1_500)
    log.set_fleet({"thermostat": 1_300})
    log.add([dataclasses.replace(odd(3, device="thermostat-00007"), id="earlier")])
    silences = [dataclasses.replace(fallen_silent(f"thermostat-{n:05d}"), score=1.0) for n in range(21, 1_301)]
    log.add(silences[:500])
    log.set_fleet({"thermostat": 20})
    assert log.add(silences[500:]) == [], "nothing to notify of"
    assert [e.key.device_id for e in log.events()] == ["thermostat-00007"]
    assert sum(log.open_by_grade().values()) == 1
    log.add([dataclasses.replace(odd(3, device=f"boiler-{n:05d}"), id=f"later {n}") for n in range(1_000)])
    assert len(log.events()) == 1_001, "the silences of the fleet push no anomaly out of the list"
