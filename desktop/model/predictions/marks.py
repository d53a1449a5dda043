"""Odd readings of one sensor in time order, and what a chart draws of them."""

from collections.abc import Collection, Iterable
from typing import Final

import numpy as np

from desktop.model.predictions.event import key_of
from desktop.model.predictions.record import Prediction
from desktop.model.snapshot import NO_MARKS, Marks

#: Odd readings kept.
MAX_MARKS: Final = 5_000
#: Drawn at once: more are a heap that nobody reads; the most urgent stay.
MAX_SHOWN: Final = 600


class MarkTable:
    """Bounded. Arrays are replaced, never written, so that a cut costs little however often it is asked for."""

    def __init__(self, max_marks: int = MAX_MARKS) -> None:
        self._max = max_marks
        self._by_id: dict[str, Prediction] = {}  # in order of arrival
        self._all: Marks = NO_MARKS

    def add(self, predictions: Iterable[Prediction]) -> None:
        """Take predictions of this sensor: odd ones in, and out those that are no longer odd."""
        changed = False
        for p in predictions:
            changed |= self._by_id.pop(p.id, None) is not None or p.anomaly
            if p.anomaly:
                self._by_id[p.id] = p
                if len(self._by_id) > self._max:
                    del self._by_id[next(iter(self._by_id))]
        if changed:
            self._all = _columns(sorted(self._by_id.values(), key=lambda p: p.t_ms))

    def drop_before(self, limit_ms: int) -> None:
        """Forget what is older."""
        if len(self._all.t) and self._all.t[0] * 1e3 < limit_ms:
            self._by_id = {i: p for i, p in self._by_id.items() if p.t_ms >= limit_ms}
            self._all = _columns(sorted(self._by_id.values(), key=lambda p: p.t_ms))

    def cut(self, start: float, end: float, devices: Collection[str] = (), *, without: Collection[str] = frozenset()) -> Marks:
        """Return the marks between two times (seconds).

        Args:
            start, end: Both included.
            devices: Marks of these alone; of all where none are given.
            without: Ids of events that are left out.
        """
        marks = self._all
        first, last = np.searchsorted(marks.t, (start, np.nextafter(end, np.inf)))
        chosen = np.arange(first, last)
        if devices:
            chosen = np.array([i for i in chosen.tolist() if marks.device_ids[i] in devices], dtype=np.int64)
        if without:
            chosen = np.array([i for i in chosen.tolist() if marks.event_ids[i] not in without], dtype=np.int64)
        if len(chosen) > MAX_SHOWN:
            worst = np.argsort(-marks.grade[chosen].astype(np.int64), kind="stable")[:MAX_SHOWN]
            chosen = np.sort(chosen[worst])
        if not len(chosen):
            return NO_MARKS
        rows = chosen.tolist()
        return Marks(
            marks.t[chosen],
            marks.value[chosen],
            marks.grade[chosen],
            tuple(marks.device_ids[i] for i in rows),
            tuple(marks.reasons[i] for i in rows),
            tuple(marks.event_ids[i] for i in rows),
        )


def _columns(rows: list[Prediction]) -> Marks:
    return Marks(
        t=np.array([p.t_ms / 1e3 for p in rows], dtype=np.float64),
        value=np.array([p.value for p in rows], dtype=np.float64),
        grade=np.array([int(p.grade) for p in rows], dtype=np.int8),
        device_ids=tuple(p.device_id for p in rows),
        reasons=tuple(p.reason for p in rows),
        event_ids=tuple(key_of(p).id for p in rows),
    )
