"""LiveStore: what a frame shows, whatever the order in which things came."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from desktop.model.readings import BYTES_PER_READING, CHUNK_READINGS, ReadingBatch, arrival_order
from desktop.model.snapshot import ViewRequest
from desktop.model.store import LiveStore
from desktop.model.windows import Window
from tests.helpers.fake_feed import FakeFeed

#: A window's edge.
T0 = 1_795_499_070.0
SENSOR = "temperature"


def store(now: float = T0 + 60, **more: object) -> LiveStore:
    return LiveStore(clock=lambda: now, **more)  # type: ignore[arg-type]


def rows(device: str, times: list[float], value: float = 20.0, *, received: float | None = None) -> ReadingBatch:
    return ReadingBatch.of(
        [(device, SENSOR, round(t * 1000), value) for t in times], received=max(times) if received is None else received
    )


def view(made: LiveStore, *focus: str, start: float = T0, end: float = T0 + 60) -> ViewRequest:
    return ViewRequest(start, end, 1000, focus)


def test_an_empty_store_draws_nothing_and_does_not_fail() -> None:
    shown = store().snapshot(ViewRequest(T0, T0 + 60, 1000, ("nobody",)))
    for sensor_view in shown.views.values():
        assert (len(sensor_view.envelope.t), len(sensor_view.steps.start), sensor_view.curves) == (0, 0, ())
        assert np.isnan(sensor_view.mean)


def test_a_frame_shows_fleet_focus_and_figures() -> None:
    made = store()
    feed = FakeFeed(made, counts={"Thermostat": 4}, windows_behind_s=None)
    feed.play(T0, T0 + 60)
    shown = made.snapshot(view(made, "thermostat-00002")).views[SENSOR]
    assert shown.devices == 4
    assert shown.envelope.bucket_s == 1.0
    assert shown.envelope.count.tolist() == [4] * 60
    assert [c.device_id for c in shown.curves] == ["thermostat-00002"]
    assert len(shown.curves[0].t) == 60
    assert shown.low <= shown.mean <= shown.high
    assert shown.steps.provisional.all()
    assert shown.steps.count.tolist() == [40] * 6
    assert shown.focus_steps["thermostat-00002"].count.tolist() == [10] * 6


def test_what_comes_late_or_backwards_gives_the_same_frame() -> None:
    batches = [FakeFeed(store(), seed=5).readings(T0 + i, T0 + i + 1, received=T0 + 60) for i in range(60)]
    forward, backward = store(), store()
    request = ViewRequest(T0, T0 + 60, 1000, ("thermostat-00001", "barometer-00002"))
    for made, order in ((forward, batches), (backward, batches[::-1])):
        made.set_focus(request.focus)
        for batch in order:
            made.ingest(batch)
    one, two = forward.snapshot(request), backward.snapshot(request)
    for sensor in one.views:
        a, b = one.views[sensor], two.views[sensor]
        np.testing.assert_allclose(a.envelope.mean, b.envelope.mean)
        assert (a.envelope.count == b.envelope.count).all()
        assert (a.steps.count == b.steps.count).all()
        for c, d in zip(a.curves, b.curves, strict=True):
            assert (c.t == d.t).all()
            assert (c.value == d.value).all()


def test_repeats_count_once_and_a_correction_replaces_the_value() -> None:
    made = store()
    made.set_focus(["a"])
    made.ingest(rows("a", [T0, T0 + 1, T0 + 1]))
    made.ingest(rows("a", [T0, T0 + 1], 30.0))
    shown = made.snapshot(view(made, "a")).views[SENSOR]
    assert int(shown.envelope.count.sum()) == 2
    assert shown.curves[0].value.tolist() == [30.0, 30.0]
    assert made.raw_range(SENSOR, T0, T0 + 10).value.tolist() == [30.0, 30.0]


def test_a_device_that_comes_into_focus_has_its_past() -> None:
    made = store()
    FakeFeed(made, windows_behind_s=None).play(T0, T0 + 30)
    shown = made.snapshot(view(made, "thermostat-00003")).views[SENSOR]
    assert len(shown.curves[0].t) == 30


def test_a_device_in_focus_before_its_first_reading_is_followed_from_it() -> None:
    made = store()
    request = view(made, "later")
    made.snapshot(request)
    made.ingest(rows("later", [T0 + 1, T0 + 2]))
    made.snapshot(request)
    made.ingest(rows("later", [T0 + 3]))
    assert len(made.snapshot(request).views[SENSOR].curves[0].t) == 3


def test_history_from_mongodb_goes_before_what_kafka_brought() -> None:
    made = store()
    made.ingest(rows("a", [T0 + 10, T0 + 11], 1.0))
    made.set_focus(["a"])
    made.ingest_focus_history("a", SENSOR, np.array([(T0 + i) * 1000 for i in range(12)], dtype=np.int64), np.full(12, 2.0))
    made.ingest_focus_history("not in focus", SENSOR, np.array([1], dtype=np.int64), np.array([1.0]))
    curve = made.snapshot(view(made, "a")).views[SENSOR].curves[0]
    assert curve.value.tolist() == [2.0] * 10 + [1.0] * 2


def test_leaving_the_focus_frees_its_curves() -> None:
    made = store()
    made.ingest(rows("a", [T0]))
    made.snapshot(view(made, "a"))
    assert made.snapshot(view(made)).views[SENSOR].curves == ()
    assert made.focus == ()


def test_stored_windows_replace_provisional_ones_for_fleet_and_focus() -> None:
    made = store()
    made.set_focus(["a"])
    made.ingest(rows("a", [T0 + i for i in range(20)]))
    start = round(T0 * 1000)
    made.ingest_windows(
        [
            Window(SENSOR, None, start, start + 10_000, 21.0, 20.0, 22.0, 10),
            Window(SENSOR, "a", start, start + 10_000, 21.5, 20.0, 22.0, 10),
            Window(SENSOR, "stranger", start, start + 10_000, 0.0, 0.0, 0.0, 1),
            Window("unknown sensor", None, start, start + 10_000, 0.0, 0.0, 0.0, 1),
        ]
    )
    shown = made.snapshot(view(made, "a")).views[SENSOR]
    assert shown.steps.provisional.tolist() == [False, True]
    assert shown.steps.avg.tolist() == [21.0, 20.0]
    assert shown.focus_steps["a"].avg.tolist() == [21.5, 20.0]
    assert "stranger" not in shown.focus_steps
    assert made.stats().newest_window_end == T0 + 10


def arrived(*readings: tuple[str, float, float, int, int]) -> ReadingBatch:
    """Readings as (device, time, value, arrival ms, partition), in the order in which the client gives them."""
    batch = ReadingBatch.of([(d, SENSOR, round(t * 1000), value) for d, t, value, _, _ in readings], received=T0 + 1)
    return replace(batch, order=arrival_order([r[3] for r in readings], [r[4] for r in readings]))


#: The same reading of one device: 1, corrected to 1.5, by a producer without keys over three partitions.
FIRST, SECOND, LAST = ("a", T0, 10.0, 5, 2), ("a", T0, 20.0, 6, 0), ("a", T0, 15.0, 6, 1)


@pytest.mark.parametrize("cuts", [1, 2, 3])
@pytest.mark.parametrize("readings", list(permutations([FIRST, SECOND, LAST])))
def test_the_last_of_an_identity_counts_everywhere(readings: Sequence[tuple[str, float, float, int, int]], cuts: int) -> None:
    made = store(T0 + 2)
    made.ingest(rows("other", [T0], value=16.0))
    for at in range(0, 3, cuts):
        made.ingest(arrived(*readings[at : at + cuts]))

    shown = made.snapshot(view(made, "a")).views[SENSOR]
    bucket = np.flatnonzero(shown.envelope.count)
    assert shown.envelope.count[bucket].tolist() == [2]
    assert (shown.envelope.low[bucket].tolist(), shown.envelope.high[bucket].tolist()) == ([15.0], [16.0])
    assert shown.envelope.mean[bucket].tolist() == [15.5]
    assert (shown.low, shown.high, shown.mean) == (15.0, 16.0, 15.5)
    assert shown.curves[0].value.tolist() == [15.0]
    assert shown.focus_steps["a"].avg.tolist() == [15.0]
    assert (shown.steps.low.tolist(), shown.steps.high.tolist(), shown.steps.count.tolist()) == ([15.0], [16.0], [2])
    assert made.value_at(SENSOR, "a", T0).raw == 15.0
    assert made.raw_range(SENSOR, T0 - 1, T0 + 1).value.tolist() == [16.0, 15.0]


def test_one_then_one_and_a_half() -> None:
    made = store(T0 + 1)
    made.ingest(rows("a", [T0], value=1.0))
    made.ingest(rows("a", [T0], value=1.5))

    shown = made.snapshot(view(made)).views[SENSOR]
    assert (shown.low, shown.high, shown.mean) == (1.5, 1.5, 1.5)


def test_a_correction_of_a_reading_whose_neighbours_were_forgotten_widens_its_bucket() -> None:
    made = store(T0 + 600, log_bytes=CHUNK_READINGS * BYTES_PER_READING)
    made.ingest(rows("a", [T0], value=1.0))
    for i in range(2):
        t = np.arange(CHUNK_READINGS, dtype=np.int64) + round(T0 * 1000) + 1000 + i * CHUNK_READINGS
        made.ingest(ReadingBatch(["b"] * len(t), np.zeros(len(t), dtype=np.int8), t, np.ones(len(t)), T0 + 600))
    made.ingest(rows("a", [T0], value=1.5))

    found = made.value_at(SENSOR, None, T0)
    assert (found.raw, found.raw_low, found.raw_high) == (1.5, 1.0, 1.5)


def test_devices_that_fell_silent_do_not_report() -> None:
    made = store(T0 + 60)
    made.ingest(rows("old", [T0]))
    made.ingest(rows("new", [T0 + 58]))
    assert made.reporting()[SENSOR] == 1


def test_slow_devices_still_report_between_their_readings() -> None:
    made = store(T0 + 39)
    made.ingest(rows("a", [T0, T0 + 10, T0 + 20, T0 + 30]))
    shown = made.snapshot(view(made)).views[SENSOR]
    assert (shown.devices, shown.envelope.bucket_s) == (1, 10.0)


def test_memory_is_bounded_for_ever_and_told() -> None:
    limit = 3 * CHUNK_READINGS * BYTES_PER_READING
    made = store(log_bytes=limit)
    n = CHUNK_READINGS
    ids = [f"d{k % 100}" for k in range(n)]
    for i in range(8):
        t = np.arange(n, dtype=np.int64) + round(T0 * 1000) + i * n
        made.ingest(ReadingBatch(ids, np.zeros(n, dtype=np.int8), t, np.ones(n), T0 + 600))
    stats = made.stats()
    assert limit <= stats.buffer_bytes < limit + 9_000_000
    assert stats.received == 8 * n
    assert stats.oldest == pytest.approx(T0 + 5 * n / 1000, abs=1)


def test_what_is_older_than_the_span_goes() -> None:
    made = store(span_s=600)
    made.ingest(rows("a", [T0]))
    made.set_focus(["a"])
    for i in range(3 * CHUNK_READINGS // 1000):
        made.ingest(rows("a", [T0 + i + k / 1000 for k in range(1000)], received=T0 + i + 1))
    made.ingest(rows("a", [T0 + 10_000]))
    assert made.stats().oldest == pytest.approx(T0 + 2 * CHUNK_READINGS / 1000, abs=1)
    assert len(made.device_range(SENSOR, "a", 0, 2**60)) == 1


def test_ids_are_bounded() -> None:
    made = store(max_devices=50)
    for i in range(200):
        made.ingest(rows(f"d{i}", [T0]))
    assert len(made.search("", limit=1000)) == 50


def test_devices_beyond_the_registry_still_count_in_the_envelope() -> None:
    made = store(max_devices=1)
    made.ingest(rows("a", [T0]))
    made.ingest(rows("b", [T0 + 1]))
    assert int(made.snapshot(view(made)).views[SENSOR].envelope.count.sum()) == 2


def test_the_crosshair_reads_both_sources() -> None:
    made = store()
    made.set_focus(["a"])
    made.ingest(rows("a", [T0 + i for i in range(20)], 20.0))
    made.ingest(rows("b", [T0 + i for i in range(20)], 30.0))
    start = round(T0 * 1000)
    made.ingest_windows([Window(SENSOR, None, start, start + 10_000, 26.0, 20.0, 30.0, 20)])
    fleet, device, other = (made.value_at(SENSOR, who, T0 + 5.5) for who in (None, "a", "b"))
    assert (fleet.raw, fleet.raw_low, fleet.raw_high, fleet.aggregate, fleet.provisional) == (25.0, 20.0, 30.0, 26.0, False)
    assert (fleet.window_start, fleet.window_end) == (T0, T0 + 10)
    assert (device.raw, device.raw_t, device.aggregate, device.provisional) == (20.0, T0 + 5, 20.0, True)
    assert (other.raw, other.aggregate) == (30.0, 30.0)
    nothing = made.value_at(SENSOR, "a", T0 + 50)
    assert np.isnan(nothing.raw)
    assert np.isnan(nothing.aggregate)
    assert np.isnan(made.value_at(SENSOR, "nobody", T0).raw)


def test_raw_of_chosen_devices_is_in_time_order() -> None:
    made = store()
    made.ingest(rows("a", [T0, T0 + 2]))
    made.ingest(rows("b", [T0 + 1, T0 + 3]))
    found = made.raw_range(SENSOR, T0, T0 + 3, ["b", "a"])
    assert found.device_ids == ["a", "b", "a"]
    assert (np.diff(found.t) > 0).all()


def test_search_knows_sensors() -> None:
    made = store()
    made.ingest(rows("t1", [T0]))
    made.ingest(ReadingBatch.of([("p1", "pressure", round(T0 * 1000), 1000.0)], received=T0))
    assert made.search("1") == ["p1", "t1"]
    assert made.search("1", sensor="pressure") == ["p1"]


def test_figures() -> None:
    made = store(T0 + 1)
    made.note_lag(7)
    made.note_window_delay(5.5)
    made.note_late_rows(3)
    made.ingest(rows("a", [T0 + 0.9], received=T0 + 1))
    made.ingest(ReadingBatch.of([("a", SENSOR, round(T0 * 1000) - 9_000_000, 1.0)], received=T0 + 1, live=False))
    stats = made.stats()
    assert stats.latency_ms == pytest.approx(100, abs=1)
    assert stats.readings_per_s == pytest.approx(0.2)
    assert (stats.received, stats.consumer_lag, stats.window_delay_s, stats.late_rows, stats.last_received) == (
        2,
        7,
        5.5,
        3,
        T0 + 1,
    )
    assert stats.oldest == T0 - 9000


def test_frames_and_feeds_at_once_stay_consistent() -> None:
    """Each batch holds every device once with one value: a frame that mixes half a batch would show an odd count."""
    made = store(T0 + 100)
    ids = [f"d{i}" for i in range(200)]

    def feed() -> None:
        for i in range(100):
            t = np.full(200, round((T0 + i) * 1000), dtype=np.int64)
            made.ingest(ReadingBatch(ids, np.zeros(200, np.int8), t, np.full(200, float(i)), T0 + i))

    thread = threading.Thread(target=feed)
    thread.start()
    request = ViewRequest(T0, T0 + 100, 1000, ("d5", "d6"))
    while thread.is_alive():
        shown = made.snapshot(request).views[SENSOR]
        assert set(shown.envelope.count.tolist()) <= {0, 200}
        for curve in shown.curves:
            assert (np.diff(curve.t) > 0).all()
    thread.join(5)
    shown = made.snapshot(request).views[SENSOR]
    assert shown.envelope.count.tolist() == [200] * 100
    assert [len(c.t) for c in shown.curves] == [100, 100]
