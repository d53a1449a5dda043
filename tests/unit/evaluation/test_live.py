"""The generator's log against the stored predictions."""

from backend.contract.times import to_datetime, to_iso
from tests.evaluation.live import add
from tests.evaluation.measure import OURS, Totals

T = 1_700_000_000_000


def event(device: str, kind: str, begin: int, end: int) -> dict[str, object]:
    return {"device_id": device, "kind": kind, "start": to_iso(T + begin), "end": to_iso(T + end)}


def found(device: str, kind: str, at: int, since: int) -> dict[str, object]:
    return {"device_id": device, "kind": kind, "timestamp": to_datetime(T + at), "since": to_datetime(T + since)}


def test_marked_readings_of_one_event_are_one_detection_and_strays_are_alarms() -> None:
    totals = Totals()
    events = [event("a", "stuck", 0, 60_000), event("a", "stuck", 0, 50_000), event("b", "spike", 5000, 6000)]
    rows = [found("a", "stuck", 9000, 0), found("a", "stuck", 10_000, 0), found("b", "spike", 90_000, 90_000)]

    add(events, rows, device_days=1.0, totals=totals)

    stuck, spike = totals.tallies[OURS, "stuck"], totals.tallies[OURS, "spike"]
    assert (stuck.hits, stuck.misses, stuck.false, stuck.delays_s) == (1, 0, 0, [9.0])
    assert (spike.hits, spike.misses, spike.false) == (0, 1, 1)
    assert totals.false_alarms[OURS] == 1
