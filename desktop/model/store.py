"""LiveStore: everything the charts can show, bounded, fed by threads and read by frames.

One lock guards short array updates and copies; whatever costs more (sorting, decimation, windows) is done outside of it
on arrays that are never written again. The GUI thread therefore never waits longer than one small update takes.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from backend.contract.devices import SENSORS
from desktop.model import search
from desktop.model.answers import RawRange, ValueAt
from desktop.model.dedupe import RecentReadings
from desktop.model.envelope import BUCKET_MS, SPAN_MS, Buckets, level_for, summary, to_envelope
from desktop.model.meters import LatencyMeter, RateMeter
from desktop.model.predictions.store import PredictionStore
from desktop.model.readings import (
    DeviceRegistry,
    IndexArray,
    IntArray,
    ReadingBatch,
    Readings,
    TimeArray,
    ValueArray,
    trim,
)
from desktop.model.sensor import SensorData
from desktop.model.series import GAP_INTERVALS, Series, to_curve
from desktop.model.snapshot import FeedStats, LiveSnapshot, SensorView, Steps, ViewRequest
from desktop.model.windows import LONGEST_WINDOW_MS, WINDOW_MS, Window, WindowTable, from_buckets, from_readings, to_steps

__all__ = ["LiveStore", "RawRange", "ValueAt"]

Clock = Callable[[], float]

#: 8 M readings: 13 minutes of 10 000 devices at 1 Hz, over an hour of the speed one machine stores.
DEFAULT_LOG_BYTES = 160 * 1024 * 1024
MIN_REPORTING_S = 5.0


class LiveStore:
    """What is known right now. `ingest*` and `note_*` come from feed threads, everything else from any thread.

    Args:
        clock: Seconds since the epoch.
        span_s: How far back anything is kept.
        log_bytes: Bound of all raw readings together.
        max_devices: Bound of the device registry.

    Attributes:
        predictions: What the prediction job says of the readings; filled by feeds of its own.
    """

    def __init__(
        self,
        *,
        clock: Clock = time.time,
        span_s: float = SPAN_MS / 1000,
        log_bytes: int = DEFAULT_LOG_BYTES,
        max_devices: int = 100_000,
    ) -> None:
        self._clock = clock
        self._span_ms = int(span_s * 1000)
        self._log_bytes = log_bytes
        self._lock = threading.Lock()
        self._registry = DeviceRegistry(max_devices)
        self._sensors = {sensor: SensorData(self._span_ms) for sensor in SENSORS}
        self._focus: tuple[str, ...] = ()
        self._focus_index: dict[int, str] = {}
        self._rate = RateMeter()
        self._latency = LatencyMeter()
        self._received = 0
        self._malformed = 0
        self._last_received: float | None = None
        self._consumer_lag = -1
        self._newest_window_end: float | None = None
        #: As the newest stored window has it: windows from raw readings are made alike.
        self._window_ms = WINDOW_MS
        self._window_delay_s = float("nan")
        self._late_rows = 0
        self.predictions = PredictionStore()

    def now(self) -> float:
        """The time on its clock: where the charts' right edge is."""
        return self._clock()

    # --- feeding -----------------------------------------------------------------------------------------------------

    def ingest(self, batch: ReadingBatch) -> None:
        """Take readings of any order and mix; older ones are put where they belong. One thread at a time."""
        index = self._registry.indices(batch.device_ids)
        order = batch.order
        if order is None:
            order = np.full(len(batch), int(batch.received * 1000), dtype=np.int64)
        for code, sensor in enumerate(SENSORS):
            rows = np.flatnonzero(batch.sensor == code)
            if len(rows):
                self._ingest_sensor(self._sensors[sensor], index[rows], batch.t_ms[rows], batch.value[rows], order[rows])
        with self._lock:
            self._received += len(batch)
            self._malformed += len(batch.refused)
            if len(batch):
                self._last_received = batch.received
            if batch.live and len(batch):
                self._rate.add(batch.received, len(batch))
                self._latency.add(batch.received, batch.t_ms)
            trim([s.log for s in self._sensors.values()], self._log_bytes)
            oldest_ms = int(batch.received * 1000) - self._span_ms
            for kept in self._sensors.values():
                kept.log.drop_before(oldest_ms)
                for series in kept.focus.values():
                    series.drop_before(oldest_ms)
        self.predictions.drop_before(oldest_ms)

    def _ingest_sensor(self, kept: SensorData, index: IndexArray, t_ms: TimeArray, value: ValueArray, order: IntArray) -> None:
        if kept.seen is None:
            kept.seen = RecentReadings()
        known = index >= 0
        if not known.all():
            # The registry is full: readings of further devices are counted, without a look for repeats.
            with self._lock:
                kept.lattice.add(t_ms[~known], value[~known])
            index, t_ms, value, order = index[known], t_ms[known], value[known], order[known]
        settled = kept.seen.settle(index, t_ms, value, order)
        fresh, corrected, devices = settled.fresh, settled.corrected, (index[settled.by_device], t_ms[settled.by_device])
        corrected_t_ms, corrected_value = t_ms[corrected], value[corrected]
        if len(fresh) < len(t_ms):
            # What came before a reading that is known already is left out, and so is the same value again.
            stored = np.concatenate((fresh, corrected))
            index, t_ms, value = index[stored], t_ms[stored], value[stored]
        with self._lock:
            kept.reach(len(self._registry))
            kept.lattice.add(t_ms[: len(fresh)], value[: len(fresh)])
            doubtful = kept.lattice.replace(corrected_t_ms, settled.replaced, corrected_value)
            kept.log.append(t_ms, index, value)
            kept.note_devices(*devices)
            for device, device_id in self._focus_index.items():
                rows = np.flatnonzero(index == device)
                if len(rows):
                    kept.focus.setdefault(device_id, Series()).add(t_ms[rows], value[rows])
        self._look_up_ranges(kept, doubtful)

    def _look_up_ranges(self, kept: SensorData, buckets: IntArray) -> None:
        """Set the smallest and the largest value of corrected buckets whose readings are all kept."""
        buckets = buckets[buckets * BUCKET_MS >= kept.log.complete_since_ms]
        if not len(buckets) or self._registry.full:
            return
        found = kept.log.in_buckets(buckets, BUCKET_MS)
        if not len(found):
            return
        bucket = found.t_ms // BUCKET_MS
        first = np.flatnonzero(np.diff(bucket, prepend=bucket[0] - 1))
        low, high = np.minimum.reduceat(found.value, first), np.maximum.reduceat(found.value, first)
        with self._lock:
            kept.lattice.set_range(bucket[first], low, high)

    def ingest_focus_history(self, device_id: str, sensor: str, t_ms: TimeArray, value: ValueArray) -> None:
        """Merge a focus device's past from MongoDB; what Kafka brought wins. Ignored when it is not in focus any more."""
        with self._lock:
            if device_id in self._focus:
                series = self._sensors[sensor].focus.setdefault(device_id, Series())
                series.add_older(t_ms, value)

    def ingest_windows(self, windows: Iterable[Window]) -> None:
        """Insert or replace windows from MongoDB, of the fleet (device_id None) or of focus devices; others are ignored."""
        groups: dict[tuple[str, str | None], list[Window]] = {}
        for window in windows:
            groups.setdefault((window.sensor, window.device_id), []).append(window)
        last = max((w for group in groups.values() for w in group), key=lambda w: w.end_ms, default=None)
        newest = None if last is None else last.end_ms
        if last is not None:
            self._window_ms = _usable_length(last.end_ms - last.start_ms, self._window_ms)
        oldest_ms = int(self._clock() * 1000) - self._span_ms - self._window_ms
        with self._lock:
            for (sensor, device_id), group in groups.items():
                kept = self._sensors.get(sensor)
                if kept is None or (device_id is not None and device_id not in self._focus):
                    continue
                table = kept.windows if device_id is None else kept.focus_windows.setdefault(device_id, WindowTable())
                table.put(group)
                table.drop_before(oldest_ms)
            if newest is not None:
                self._newest_window_end = max(newest / 1e3, self._newest_window_end or 0.0)

    def note_lag(self, records: int) -> None:
        """Records in the topic that were not read yet; -1 when unknown."""
        self._consumer_lag = records

    def note_window_delay(self, seconds: float) -> None:
        """How long after its end the newest window became visible here."""
        self._window_delay_s = seconds

    def note_late_rows(self, rows: int) -> None:
        """Readings that Spark left out since its start."""
        self._late_rows = rows

    # --- focus -------------------------------------------------------------------------------------------------------

    @property
    def focus(self) -> tuple[str, ...]:
        """Ids of the focus devices."""
        return self._focus

    def set_focus(self, device_ids: Sequence[str]) -> None:
        """Keep these devices' readings as curves. `snapshot` does it for the devices of its request."""
        wanted = tuple(dict.fromkeys(device_ids))
        unresolved = [d for d in wanted if d not in self._focus_index.values()]
        if wanted == self._focus and not any(self._registry.find(d) is not None for d in unresolved):
            return
        self.predictions.set_focus(wanted)
        index = {found: d for d in wanted if (found := self._registry.find(d)) is not None}
        new = {i: d for i, d in index.items() if i not in self._focus_index}
        with self._lock:
            self._focus, self._focus_index = wanted, index
            for kept in self._sensors.values():
                for known in (kept.focus, kept.focus_windows):
                    for device_id in known.keys() - set(wanted):
                        known.pop(device_id, None)
        # Outside of the lock: what arrives meanwhile is in the series already, and merging it again changes nothing.
        everything = np.iinfo(np.int64)
        for found, device_id in new.items():
            for kept in self._sensors.values():
                if found < len(kept.last_ms) and kept.last_ms[found]:
                    past = kept.log.between(everything.min, everything.max, found)
                    with self._lock:
                        if device_id in self._focus:
                            kept.focus.setdefault(device_id, Series()).add_older(past.t_ms, past.value)

    # --- reading -----------------------------------------------------------------------------------------------------

    def snapshot(self, request: ViewRequest) -> LiveSnapshot:
        """One frame. Costs a few milliseconds at 10 000 devices; never blocks on a feed for longer than one small update."""
        self.set_focus(request.focus)
        now = self._clock()
        return LiveSnapshot(
            taken=now,
            request=request,
            views={sensor: self._view(sensor, kept, request, now) for sensor, kept in self._sensors.items()},
            stats=self.stats(),
        )

    def _view(self, sensor: str, kept: SensorData, request: ViewRequest, now: float) -> SensorView:
        begin_ms, end_ms = int(request.start * 1000), int(request.end * 1000) + 1
        interval_ms = kept.interval_as_of(now)
        level_ms = level_for((request.end - request.start) * 1000, request.pixels, interval_ms)
        reporting_ms = int(max(MIN_REPORTING_S * 1000, GAP_INTERVALS * interval_ms))
        now_ms, window_ms = int(now * 1000), self._window_ms
        with self._lock:
            shown = kept.lattice.cut(begin_ms, end_ms, level_ms)
            for_windows = kept.lattice.cut(begin_ms, end_ms, window_ms)
            lately = kept.lattice.cut(now_ms - reporting_ms, now_ms + 1_000, 250)
            devices = int(np.count_nonzero(kept.last_ms > now_ms - reporting_ms))
            series = {d: kept.focus[d] for d in request.focus if d in kept.focus}
            tables = {d: kept.focus_windows[d].columns() for d in request.focus if d in kept.focus_windows}
        mean, low, high = summary(lately)
        stored = kept.windows.columns().overlapping(begin_ms, end_ms)
        curves = [to_curve(s, d, begin_ms, end_ms, request.pixels) for d, s in series.items()]
        drawn = tuple(curve for curve in curves if curve is not None)
        focus_steps: dict[str, Steps] = {}
        for device_id in request.focus:
            if device_id not in series and device_id not in tables:
                continue
            known = tables.get(device_id, WindowTable().columns()).overlapping(begin_ms, end_ms)
            raw = from_readings(*_whole_windows(series.get(device_id), begin_ms, end_ms, window_ms), window_ms)
            focus_steps[device_id] = to_steps(known, raw)
        return SensorView(
            sensor=sensor,
            envelope=to_envelope(_coarser(shown, level_ms)),
            curves=drawn,
            steps=to_steps(stored, from_buckets(for_windows, window_ms)),
            focus_steps=focus_steps,
            devices=devices,
            mean=mean,
            low=low,
            high=high,
            expected=self.predictions.expected(sensor, request.start, request.end, request.pixels),
            # Those of other devices would hang in the air where the chart is about a few.
            marks=self.predictions.marks(sensor, request.start, request.end, request.focus if drawn else ()),
        )

    def stats(self) -> FeedStats:
        """The status bar's figures as of now."""
        now = self._clock()
        with self._lock:
            oldest = min((o for s in self._sensors.values() if (o := s.log.oldest_ms) is not None), default=None)
            return FeedStats(
                readings_per_s=self._rate.per_s(now),
                latency_ms=self._latency.median_ms(now),
                consumer_lag=self._consumer_lag,
                received=self._received,
                malformed=self._malformed,
                last_received=self._last_received,
                newest_window_end=self._newest_window_end,
                window_delay_s=self._window_delay_s,
                late_rows=self._late_rows,
                buffer_bytes=sum(s.nbytes for s in self._sensors.values()),
                oldest=None if oldest is None else oldest / 1e3,
            )

    def reporting(self) -> dict[str, int]:
        """Devices that reported lately, by sensor."""
        now = self._clock()
        counts: dict[str, int] = {}
        for sensor, kept in self._sensors.items():
            limit = now * 1000 - max(MIN_REPORTING_S * 1000, GAP_INTERVALS * kept.interval_as_of(now))
            counts[sensor] = int(np.count_nonzero(kept.last_ms > limit))
        return counts

    def search(self, text: str, *, sensor: str | None = None, limit: int = 50) -> list[str]:
        """Ids of known devices, best match first; with `sensor` only those that have it."""
        ids = self._registry.ids()
        if sensor is not None:
            last = self._sensors[sensor].last_ms
            ids = [ids[i] for i in np.flatnonzero(last[: len(ids)])]
        return search.rank(ids, text, limit)

    def value_at(self, sensor: str, device_id: str | None, t: float) -> ValueAt:
        """What both sources say about the moment `t` (seconds since the epoch); the fleet where `device_id` is None."""
        kept = self._sensors[sensor]
        t_ms = int(t * 1000)
        length_ms = self._window_ms
        start_ms = t_ms // length_ms * length_ms
        if device_id is None:
            level_ms = level_for(0, 1, kept.interval_ms)
            with self._lock:
                around = kept.lattice.cut(t_ms, t_ms + 1, level_ms)
                window = kept.lattice.cut(start_ms, start_ms + length_ms, length_ms)
            mean, low, high = summary(around)
            raw_t = around.start_ms / 1e3 if low == low else float("nan")
            stored, raw_window = kept.windows.columns(), from_buckets(window, length_ms)
        else:
            found = self.device_range(sensor, device_id, start_ms - 60_000, start_ms + length_ms)
            mean = raw_t = float("nan")
            at = int(np.searchsorted(found.t_ms, t_ms, side="right")) - 1
            limit_ms = GAP_INTERVALS * kept.interval_ms
            if at >= 0 and t_ms - found.t_ms[at] <= limit_ms:
                mean, raw_t = float(found.value[at]), float(found.t_ms[at]) / 1e3
            low = high = mean
            begin = int(np.searchsorted(found.t_ms, start_ms))
            with self._lock:
                table = kept.focus_windows.get(device_id)
                stored = table.columns() if table else WindowTable().columns()
            raw_window = from_readings(found.t_ms[begin:], found.value[begin:], length_ms)
        steps = to_steps(stored.overlapping(t_ms, t_ms + 1), raw_window)
        if not len(steps.start):
            return ValueAt(mean, low, high, raw_t)
        return ValueAt(
            mean,
            low,
            high,
            raw_t,
            float(steps.avg[0]),
            float(steps.low[0]),
            float(steps.high[0]),
            float(steps.start[0]),
            float(steps.end[0]),
            bool(steps.provisional[0]),
        )

    def device_range(self, sensor: str, device_id: str, begin_ms: int, end_ms: int) -> Readings:
        """One device's readings with begin_ms ≤ t < end_ms."""
        kept = self._sensors[sensor]
        with self._lock:
            series = kept.focus.get(device_id)
        index = self._registry.find(device_id)
        if series is not None:
            t_ms, value = series.columns()
            part = slice(*np.searchsorted(t_ms, (begin_ms, end_ms)))
            t_ms, value = t_ms[part], value[part]
            return Readings(t_ms, np.full(len(t_ms), -1 if index is None else index, dtype=np.int32), value)
        if index is None:
            return Readings(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.float64))
        return kept.log.between(begin_ms, end_ms, index)

    def raw_range(self, sensor: str, start: float, end: float, device_ids: Sequence[str] | None = None) -> RawRange:
        """Raw readings with start ≤ t < end (seconds) that are still kept, of these devices or of all. Not for frames."""
        begin_ms, end_ms = int(start * 1000), int(end * 1000)
        if device_ids is None:
            found = self._sensors[sensor].log.between(begin_ms, end_ms)
            ids = self._registry.ids()
            return RawRange([ids[i] for i in found.index.tolist()], found.t_ms / 1e3, found.value)
        names: list[str] = []
        times: list[TimeArray] = [np.empty(0, np.int64)]
        values: list[ValueArray] = [np.empty(0)]
        for device_id in device_ids:
            part = self.device_range(sensor, device_id, begin_ms, end_ms)
            names += [device_id] * len(part)
            times.append(part.t_ms)
            values.append(part.value)
        t_ms, value = np.concatenate(times), np.concatenate(values)
        order = np.argsort(t_ms, kind="stable")
        return RawRange([names[i] for i in order.tolist()], t_ms[order] / 1e3, value[order])


def _coarser(buckets: Buckets, width_ms: int) -> Buckets:
    return buckets.coarser(width_ms // buckets.width_ms) if len(buckets.count) else buckets


def _usable_length(length_ms: int, known_ms: int) -> int:
    """A stored window's length, where the lattice can be cut by it; else the one known before."""
    return length_ms if 0 < length_ms <= LONGEST_WINDOW_MS and length_ms % 1000 == 0 else known_ms


def _whole_windows(series: Series | None, begin_ms: int, end_ms: int, window_ms: int) -> tuple[TimeArray, ValueArray]:
    """A device's readings of all windows that overlap [begin_ms, end_ms)."""
    if series is None:
        return np.empty(0, np.int64), np.empty(0)
    t_ms, value = series.columns()
    edges = (begin_ms // window_ms * window_ms, -(-end_ms // window_ms) * window_ms)
    part = slice(*np.searchsorted(t_ms, edges))
    return t_ms[part], value[part]
