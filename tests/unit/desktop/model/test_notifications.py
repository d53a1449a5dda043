"""The notification centre."""

import threading

from desktop.model.notifications import KEEP, MERGE_S, Level, Notification, Notifications, describe


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_same_within_a_minute_is_one_entry() -> None:
    clock = Clock()
    centre = Notifications(clock=clock)
    heard: list[Notification] = []
    centre.subscribe(heard.append)
    first = centre.warning("Kafka does not answer.")
    clock.now += MERGE_S - 1
    again = centre.warning("Kafka does not answer.")
    assert (again.number, again.count, again.at) == (first.number, 2, clock.now)
    assert [e.count for e in centre.entries()] == [2]
    clock.now += MERGE_S + 1
    assert centre.warning("Kafka does not answer.").count == 1
    assert len(centre.entries()) == 2
    assert len(heard) == 3


def test_level_keeps_entries_apart() -> None:
    centre = Notifications()
    centre.info("Stopped.")
    centre.error("Stopped.")
    assert [e.level for e in centre.entries()] == [Level.ERROR, Level.INFO]


def test_bounded() -> None:
    centre = Notifications()
    for i in range(KEEP + 50):
        centre.info(f"number {i}")
    assert len(centre.entries()) == KEEP
    assert centre.entries()[0].text == f"number {KEEP + 49}"


def test_unsubscribed_hears_nothing() -> None:
    centre = Notifications()
    heard: list[Notification] = []
    end = centre.subscribe(heard.append)
    end()
    end()
    centre.info("x")
    assert heard == []


def test_an_exception_is_a_sentence_with_its_traceback_in_the_details() -> None:
    centre = Notifications()
    fleet: dict[str, int] = {}
    try:
        fleet["missing"]
    except KeyError as error:
        entry = centre.exception(error, "reading the fleet")
    assert "while reading the fleet" in entry.text
    assert "Traceback" not in entry.text
    assert "Traceback" in entry.details
    assert "test_notifications.py" in entry.details


def test_describe_is_short_and_one_line() -> None:
    assert describe(ValueError("two\nlines")) == "two lines."
    assert describe(ValueError()) == "ValueError without a message."
    assert describe(ValueError("Why?")) == "Why?"
    assert len(describe(ValueError("x" * 5000))) == 300


def test_many_threads_lose_nothing() -> None:
    centre = Notifications()
    threads = [threading.Thread(target=lambda: [centre.info("same") for _ in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [e.count for e in centre.entries()] == [1600]
