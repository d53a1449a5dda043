"""Figures of the status bar that need a memory: rate and latency."""

from collections import deque

import numpy as np

from desktop.model.readings import TimeArray

RATE_OVER_S = 5.0
LATENCY_OVER_S = 1.0


class RateMeter:
    """Events per second over the last `RATE_OVER_S`."""

    def __init__(self) -> None:
        self._events: deque[tuple[float, int]] = deque()

    def add(self, now: float, count: int) -> None:
        """`count` events happened at `now`."""
        self._events.append((now, count))
        self._forget(now)

    def per_s(self, now: float) -> float:
        """The rate as of `now`."""
        self._forget(now)
        return sum(count for _, count in self._events) / RATE_OVER_S

    def _forget(self, now: float) -> None:
        while self._events and self._events[0][0] <= now - RATE_OVER_S:
            self._events.popleft()


class LatencyMeter:
    """Median age at arrival of the readings of the last `LATENCY_OVER_S`."""

    def __init__(self) -> None:
        self._ages: deque[tuple[float, TimeArray]] = deque()

    def add(self, now: float, t_ms: TimeArray) -> None:
        """Readings measured at `t_ms` arrived at `now`."""
        self._ages.append((now, int(now * 1000) - t_ms))
        self._forget(now)

    def median_ms(self, now: float) -> float:
        """NaN when nothing arrived lately."""
        self._forget(now)
        if not self._ages:
            return float("nan")
        return float(np.median(np.concatenate([age for _, age in self._ages])))

    def _forget(self, now: float) -> None:
        while self._ages and self._ages[0][0] <= now - LATENCY_OVER_S:
            self._ages.popleft()
