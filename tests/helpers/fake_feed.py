"""A plausible fleet without a system: fills a LiveStore as the feeds would, reproducibly."""

import math
from collections.abc import Mapping

import numpy as np

from backend.contract.devices import DEVICE_TYPES
from backend.contract.limits import WINDOW_S
from desktop.model.readings import SENSOR_CODES, ReadingBatch
from desktop.model.store import LiveStore
from desktop.model.windows import Window

_BASE = {"temperature": 21.0, "pressure": 1013.0, "humidity": 55.0, "heart_rate": 72.0}
_SPREAD = {"temperature": 1.5, "pressure": 2.0, "humidity": 6.0, "heart_rate": 9.0}


class FakeFeed:
    """Devices named as the generator's fleet, each with one reading an interval, phases spread evenly.

    Args:
        store: What is filled.
        counts: Devices by type tag; 5 of each by default.
        interval_s: Of every device.
        seed: Of the noise.
        windows_behind_s: How long after their end windows appear in `play`; None = never.
    """

    def __init__(
        self,
        store: LiveStore,
        *,
        counts: Mapping[str, int] | None = None,
        interval_s: float = 1.0,
        seed: int = 1,
        windows_behind_s: float | None = 5.0,
    ) -> None:
        self.store = store
        self.interval_s = interval_s
        self.windows_behind_s = windows_behind_s
        wanted = {t.tag: 5 for t in DEVICE_TYPES} if counts is None else counts
        self._rng = np.random.default_rng(seed)
        self.device_ids: list[str] = []
        sensors: list[str] = []
        for kind in DEVICE_TYPES:
            for number in range(1, wanted.get(kind.tag, 0) + 1):
                self.device_ids.append(f"{kind.id_prefix}-{number:05d}")
                sensors.append(kind.sensor)
        self.sensors = sensors
        n = len(sensors)
        self._code = np.array([SENSOR_CODES[s] for s in sensors], dtype=np.int8)
        self._phase_ms = np.arange(n, dtype=np.int64) * int(interval_s * 1000) // max(n, 1)
        self._base = np.array([_BASE[s] for s in sensors]) + self._rng.normal(0, [_SPREAD[s] for s in sensors])
        self._spread = np.array([_SPREAD[s] for s in sensors])

    def readings(self, start: float, end: float, *, received: float | None = None, live: bool = True) -> ReadingBatch:
        """All readings with start ≤ t < end, ascending."""
        step = int(self.interval_s * 1000)
        first, last = math.floor(start * 1000) // step - 1, math.ceil(end * 1000) // step + 1
        t_ms = (np.arange(first, last, dtype=np.int64)[:, None] * step + self._phase_ms[None, :]).ravel()
        device = np.tile(np.arange(len(self.device_ids)), last - first)
        keep = np.flatnonzero((t_ms >= start * 1000) & (t_ms < end * 1000))
        keep = keep[np.argsort(t_ms[keep], kind="stable")]
        t_ms, device = t_ms[keep], device[keep]
        wave = np.sin(t_ms / 1e3 / 47.0 + device) * 0.4 * self._spread[device]
        value = self._base[device] + wave + self._rng.normal(0, 0.08, len(t_ms)) * self._spread[device]
        ids = [self.device_ids[i] for i in device.tolist()]
        return ReadingBatch(ids, self._code[device], t_ms, value, end if received is None else received, live)

    def play(self, start: float, end: float) -> None:
        """Ingest the readings of [start, end) second by second and the windows that would be in MongoDB at `end`."""
        at = start
        while at < end:
            upto = min(at + 1.0, end)
            self.store.ingest(self.readings(at, upto))
            at = upto
        if self.windows_behind_s is not None:
            last = math.floor((end - self.windows_behind_s) / WINDOW_S) * WINDOW_S
            self.store.ingest_windows(self.windows(start, last))

    def windows(self, start: float, end: float) -> list[Window]:
        """What Spark would have written of what the store has, for windows inside [start, end): fleet and focus devices."""
        found: list[Window] = []
        for sensor in SENSOR_CODES:
            kept = self.store.raw_range(sensor, start, end)
            if not len(kept.t):
                continue
            ids = np.array(kept.device_ids)
            begin = np.floor(kept.t / WINDOW_S) * WINDOW_S
            for w in np.unique(begin).tolist():
                inside = begin == w
                found.append(_window(sensor, None, w, kept.value[inside]))
                for device_id in self.store.focus:
                    mine = inside & (ids == device_id)
                    if mine.any():
                        found.append(_window(sensor, device_id, w, kept.value[mine]))
        return found


def _window(sensor: str, device_id: str | None, start: float, values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> Window:
    start_ms = round(start * 1000)
    low, high, mean = float(values.min()), float(values.max()), float(values.mean())
    return Window(sensor, device_id, start_ms, start_ms + WINDOW_S * 1000, mean, low, high, len(values))
