"""Raw readings as columns: the batch a feed hands over, the device registry, and the bounded log of one sensor.

The log is a list of fixed-size chunks. A chunk is only ever appended to, and a reader takes what lies below the length
that was published last, so readers copy nothing and writers wait for nobody.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backend.contract.devices import SENSORS

TimeArray = npt.NDArray[np.int64]
IndexArray = npt.NDArray[np.int32]
ValueArray = npt.NDArray[np.float64]
SensorArray = npt.NDArray[np.int8]
IntArray = npt.NDArray[np.int64]
PlaceArray = npt.NDArray[np.intp]

#: Code of a sensor in `ReadingBatch.sensor`: its place in `backend.contract.devices.SENSORS`.
SENSOR_CODES: dict[str, int] = {sensor: code for code, sensor in enumerate(SENSORS)}

#: Time (8), device index (4) and value (8).
BYTES_PER_READING = 20
#: 20 B × 65 536 = 1.3 MB: small beside the budget, large beside the cost of starting another.
CHUNK_READINGS = 65_536


def arrival_order(arrivals_ms: Sequence[int], partitions: Sequence[int]) -> IntArray:
    """int64[n], larger for a later record: by the broker's time, then by partition.

    Records of one partition that arrived in the same millisecond get the same number: they are read in the order of offsets.
    """
    # Within 63 bits until the year 142 000, however many partitions.
    return np.array(arrivals_ms, dtype=np.int64) * 2048 + np.minimum(np.array(partitions, dtype=np.int64), 2047)


class RefusedRecord(NamedTuple):
    """A record of the topic that is no reading.

    Attributes:
        partition, offset: Where it stands.
        code: A key of `backend.contract.refusals.REASONS`.
    """

    partition: int
    offset: int
    code: str


@dataclass(frozen=True, slots=True, eq=False)
class ReadingBatch:
    """Readings as they came from a feed, any order, any mix of sensors.

    Attributes:
        device_ids: n ids.
        sensor: int8[n], `SENSOR_CODES`.
        t_ms: int64[n], when measured, milliseconds since the epoch.
        value: float64[n], finite, in the sensor's unit.
        received: When the batch was received, seconds since the epoch.
        live: False while a feed catches up with the past: such a batch says nothing about latency.
        order: int64[n], the order in which the broker took them, see `arrival_order`; None: that of the batch.
        refused: Records beside these that are no readings.
    """

    device_ids: Sequence[str]
    sensor: SensorArray
    t_ms: TimeArray
    value: ValueArray
    received: float
    live: bool = True
    order: IntArray | None = None
    refused: Sequence[RefusedRecord] = ()

    def __len__(self) -> int:
        return len(self.t_ms)

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str, int, float]], *, received: float, live: bool = True) -> "ReadingBatch":
        """A batch of (device_id, sensor, t_ms, value) rows; for small batches and tests."""
        taken = list(rows)
        return cls(
            device_ids=[row[0] for row in taken],
            sensor=np.array([SENSOR_CODES[row[1]] for row in taken], dtype=np.int8),
            t_ms=np.array([row[2] for row in taken], dtype=np.int64),
            value=np.array([row[3] for row in taken], dtype=np.float64),
            received=received,
            live=live,
        )


class _IndexByID(dict[str, int]):
    """Gives each new id the next index; the lookup of a known one stays in C."""

    def __init__(self, ids: list[str], capacity: int) -> None:
        super().__init__()
        self._ids = ids
        self._capacity = capacity

    def __missing__(self, device_id: str) -> int:
        index = len(self._ids)
        if index >= self._capacity:
            return -1
        self._ids.append(device_id)
        self[device_id] = index
        return index


class DeviceRegistry:
    """Device id ↔ small integer. One thread adds, any thread looks up.

    Attributes:
        capacity: More ids than this get index -1: they count in the envelope, but no reading of theirs is kept.
    """

    def __init__(self, capacity: int = 100_000) -> None:
        self.capacity = capacity
        self._ids: list[str] = []
        self._index = _IndexByID(self._ids, capacity)

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def full(self) -> bool:
        return len(self._ids) >= self.capacity

    def indices(self, device_ids: Sequence[str]) -> IndexArray:
        """int32[n]; unknown ids are added, -1 where the registry is full."""
        return np.fromiter(map(self._index.__getitem__, device_ids), dtype=np.int32, count=len(device_ids))

    def find(self, device_id: str) -> int | None:
        """The index of a known id, or None. Adds nothing."""
        return self._index.get(device_id)

    def device_id(self, index: int) -> str:
        """The id of an index that this registry gave."""
        return self._ids[index]

    def ids(self) -> list[str]:
        """All ids in order of their index; a copy."""
        return self._ids.copy()


class Chunk:
    """A fixed-size run of readings in the order of their arrival.

    Attributes:
        used: Readings in it; grows only after the arrays were written.
        oldest_ms, newest_ms: Extremes of their times.
    """

    __slots__ = ("_index", "_t_ms", "_value", "newest_ms", "oldest_ms", "used")

    def __init__(self, size: int) -> None:
        self._t_ms = np.empty(size, dtype=np.int64)
        self._index = np.empty(size, dtype=np.int32)
        self._value = np.empty(size, dtype=np.float64)
        self.used = 0
        self.oldest_ms = np.iinfo(np.int64).max
        self.newest_ms = np.iinfo(np.int64).min

    def fill(self, t_ms: TimeArray, index: IndexArray, value: ValueArray) -> int:
        """Take as many as fit; returns how many."""
        begin = self.used
        taken = min(len(t_ms), len(self._t_ms) - begin)
        if not taken:
            return 0
        end = begin + taken
        self._t_ms[begin:end] = t_ms[:taken]
        self._index[begin:end] = index[:taken]
        self._value[begin:end] = value[:taken]
        self.oldest_ms = min(self.oldest_ms, int(t_ms[:taken].min()))
        self.newest_ms = max(self.newest_ms, int(t_ms[:taken].max()))
        self.used = end
        return taken

    def columns(self) -> tuple[TimeArray, IndexArray, ValueArray]:
        """Views of what is in it now; never written again."""
        used = self.used
        return self._t_ms[:used], self._index[:used], self._value[:used]

    @property
    def full(self) -> bool:
        return self.used == len(self._t_ms)

    @property
    def nbytes(self) -> int:
        return len(self._t_ms) * BYTES_PER_READING


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Readings of one sensor, ascending in time (then device), each identity once.

    Attributes:
        t_ms: int64[n].
        index: int32[n], `DeviceRegistry`.
        value: float64[n]; of readings with the same identity the one that came last.
    """

    t_ms: TimeArray
    index: IndexArray
    value: ValueArray

    def __len__(self) -> int:
        return len(self.t_ms)


class ReadingLog:
    """All readings kept of one sensor, in chunks. One writer, any readers.

    Attributes:
        complete_since_ms: No reading of this time or later was forgotten.
    """

    def __init__(self, chunk_readings: int = CHUNK_READINGS) -> None:
        self._size = chunk_readings
        self.complete_since_ms = int(np.iinfo(np.int64).min)
        self._chunks: tuple[Chunk, ...] = ()

    def append(self, t_ms: TimeArray, index: IndexArray, value: ValueArray) -> None:
        """Add readings in any order of time."""
        done = 0
        while done < len(t_ms):
            if not self._chunks or self._chunks[-1].full:
                self._chunks = (*self._chunks, Chunk(self._size))
            done += self._chunks[-1].fill(t_ms[done:], index[done:], value[done:])

    def between(self, begin_ms: int, end_ms: int, index: int | None = None) -> Readings:
        """Readings with begin_ms ≤ t < end_ms, of one device or of all."""

        def select(t_ms: TimeArray, device: IndexArray) -> PlaceArray:
            if index is None:
                return np.flatnonzero((t_ms >= begin_ms) & (t_ms < end_ms))
            keep = np.flatnonzero(device == index)
            return keep[(t_ms[keep] >= begin_ms) & (t_ms[keep] < end_ms)]

        return self._select(begin_ms, end_ms, select)

    def in_buckets(self, numbers: IntArray, width_ms: int) -> Readings:
        """Readings whose time ÷ `width_ms` is one of `numbers` (ascending, at least one)."""
        first = int(numbers[0])
        wanted = np.zeros(int(numbers[-1]) - first + 1, dtype=np.bool_)
        wanted[numbers - first] = True
        begin_ms, end_ms = first * width_ms, (int(numbers[-1]) + 1) * width_ms

        def select(t_ms: TimeArray, _device: IndexArray) -> PlaceArray:
            keep = np.flatnonzero((t_ms >= begin_ms) & (t_ms < end_ms))
            return keep[wanted[t_ms[keep] // width_ms - first]]

        return self._select(begin_ms, end_ms, select)

    def _select(self, begin_ms: int, end_ms: int, select: Callable[[TimeArray, IndexArray], PlaceArray]) -> Readings:
        parts: list[tuple[TimeArray, IndexArray, ValueArray]] = []
        for chunk in self._chunks:
            if chunk.newest_ms < begin_ms or chunk.oldest_ms >= end_ms:
                continue
            t_ms, device, value = chunk.columns()
            keep = select(t_ms, device)
            parts.append((t_ms[keep], device[keep], value[keep]))
        if not parts:
            return Readings(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.float64))
        return sort_unique(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def drop_before(self, limit_ms: int) -> None:
        """Forget whole chunks that hold nothing newer."""
        kept = tuple(c for c in self._chunks if c.newest_ms >= limit_ms or not c.full)
        if len(kept) < len(self._chunks):
            self.complete_since_ms = max(self.complete_since_ms, limit_ms)
            self._chunks = kept

    def drop_oldest(self) -> bool:
        """Forget the chunk that arrived first; False when only the one being filled is left."""
        if len(self._chunks) < 2:
            return False
        self.complete_since_ms = max(self.complete_since_ms, self._chunks[0].newest_ms + 1)
        self._chunks = self._chunks[1:]
        return True

    @property
    def first_newest_ms(self) -> int | None:
        """The newest time in the chunk that would be forgotten next, or None when none can be."""
        return self._chunks[0].newest_ms if len(self._chunks) > 1 else None

    @property
    def oldest_ms(self) -> int | None:
        """Time of the oldest reading kept, or None."""
        return min((c.oldest_ms for c in self._chunks if c.used), default=None)

    @property
    def nbytes(self) -> int:
        return sum(c.nbytes for c in self._chunks)

    def __len__(self) -> int:
        return sum(c.used for c in self._chunks)


def sort_unique(t_ms: TimeArray, index: IndexArray, value: ValueArray) -> Readings:
    """Ascending in time then device; of equal identities the last given stays."""
    order = np.lexsort((index, t_ms))  # stable: equal identities keep the order in which they came
    t_ms, index, value = t_ms[order], index[order], value[order]
    if len(t_ms) > 1:
        last = np.empty(len(t_ms), dtype=np.bool_)
        last[-1] = True
        np.logical_or(t_ms[1:] != t_ms[:-1], index[1:] != index[:-1], out=last[:-1])
        if not last.all():
            t_ms, index, value = t_ms[last], index[last], value[last]
    return Readings(t_ms, index, value)


def trim(logs: Sequence[ReadingLog], max_bytes: int) -> None:
    """Bound what all logs hold together: the oldest chunk of any sensor goes first."""
    total = sum(log.nbytes for log in logs)
    while total > max_bytes:
        candidates = [(first, log) for log in logs if (first := log.first_newest_ms) is not None]
        if not candidates:
            return
        log = min(candidates, key=lambda pair: pair[0])[1]
        before = log.nbytes
        log.drop_oldest()
        total -= before - log.nbytes
