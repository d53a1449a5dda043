# ruff: noqa: RUF009 - `_column` is dataclasses.field with the shape of a column
"""The state of a shard: a table of devices as a struct of arrays, one row a device and sensor.

Stored as numpy's own format without pickled objects, so that reading it cannot execute anything.
"""

import io
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

import numpy as np

from backend.scoring.errors import StateError
from backend.scoring.layout import (
    BLOCKS,
    F64,
    FEATURE_VERSION,
    I8,
    I64,
    RAMPS,
    RECENT,
    SENSOR_CODES,
    SENSOR_NAMES,
    STATISTICS,
    WINDOW,
    Bool,
    Rows,
)
from backend.scoring.verdicts import Kind

KINDS: Final = len(Kind)
#: Lengths of runs of one value from which on their further life is counted.
RUN_CLASSES: Final = (1, 3, 8, 16)
_NEVER: Final = -(2**62)


def _column(shape: tuple[int, ...] = (), dtype: str = "f8", fill: float = 0.0) -> Any:
    return field(metadata={"shape": shape, "dtype": dtype, "fill": fill})


@dataclass
class Table:
    """One row a device and sensor.

    Attributes:
        sensor: Code.
        count: Readings taken in.
        first_ms, last_ms, last: The first reading's time; the last one's time and value.
        heard_ms: The shard's clock when the device was last heard of.
        interval_ms: Between two readings; 0 while unknown.
        silent: Its silence was told.
        lag_ms: How far its readings usually are behind the shard's clock.
        window, times: Its last readings, the newest last; `joined` of them follow each other without a gap.
        power: Mean square of each statistic on the window; `known` readings went into it.
        innovations: The last three, as multiples of their normal size.
        slow: Slow level.
        run: How often the last value was repeated; `run_told`: this run was told.
        reached, tried, lasted: For each of RUN_CLASSES: runs that long, chances to go on from there, and how often they did.
        stuck_from: Repetitions from which on it counts as stuck.
        block_sum, block_n, blocks, block_count, block_power: The current block, the last blocks, how many of them there are,
            mean square of their statistics.
        ramp: Largest ramp statistic, as a multiple of its limit; `ramp_size` its height in the sensor's unit, `ramp_ms` its
            begin.
        spiked: Readings since the last spike; `shifted`: since the last shift.
        event_from, event_to: Of the last event of each kind, epoch ms.
        recent_ms, recent_value, recent_expected, recent_lower, recent_upper, recent_score, recent_kind, recent_amount,
            recent_since_ms, recent_found_ms: The newest readings and their verdicts; reading number n lies at n mod RECENT.
    """

    sensor: I8 = _column(dtype="i1")
    count: I64 = _column(dtype="i8")
    first_ms: I64 = _column(dtype="i8")
    last_ms: I64 = _column(dtype="i8")
    last: F64 = _column(fill=np.nan)
    heard_ms: I64 = _column(dtype="i8")
    interval_ms: F64 = _column()
    lag_ms: F64 = _column()
    silent: Bool = _column(dtype="?")
    window: F64 = _column((WINDOW,))
    times: I64 = _column((WINDOW,), dtype="i8", fill=_NEVER)
    joined: I64 = _column(dtype="i8")
    power: F64 = _column((STATISTICS,))
    known: F64 = _column()
    innovations: F64 = _column((3,))
    slow: F64 = _column()
    run: I64 = _column(dtype="i8")
    run_told: Bool = _column(dtype="?")
    reached: F64 = _column((len(RUN_CLASSES),))
    tried: F64 = _column((len(RUN_CLASSES),))
    lasted: F64 = _column((len(RUN_CLASSES),))
    stuck_from: F64 = _column(fill=1e9)
    block_sum: F64 = _column()
    block_n: I64 = _column(dtype="i8")
    blocks: F64 = _column((BLOCKS,))
    block_count: I64 = _column(dtype="i8")
    block_power: F64 = _column((len(RAMPS),))
    ramp: F64 = _column()
    ramp_size: F64 = _column()
    ramp_ms: I64 = _column(dtype="i8")
    spiked: I64 = _column(dtype="i8", fill=10_000)
    shifted: I64 = _column(dtype="i8", fill=10_000)
    event_from: I64 = _column((KINDS,), dtype="i8")
    event_to: I64 = _column((KINDS,), dtype="i8", fill=_NEVER)
    recent_ms: I64 = _column((RECENT,), dtype="i8", fill=_NEVER)
    recent_value: F64 = _column((RECENT,), fill=np.nan)
    recent_expected: F64 = _column((RECENT,), fill=np.nan)
    recent_lower: F64 = _column((RECENT,), fill=np.nan)
    recent_upper: F64 = _column((RECENT,), fill=np.nan)
    recent_score: F64 = _column((RECENT,))
    recent_kind: I8 = _column((RECENT,), dtype="i1")
    recent_amount: F64 = _column((RECENT,))
    recent_since_ms: I64 = _column((RECENT,), dtype="i8")
    recent_found_ms: I64 = _column((RECENT,), dtype="i8")

    @classmethod
    def empty(cls, n: int) -> "Table":
        """n devices that said nothing yet."""
        return cls(
            **{f.name: np.full((n, *f.metadata["shape"]), f.metadata["fill"], dtype=f.metadata["dtype"]) for f in fields(cls)}
        )


class ShardState:
    """The devices of a shard. Owned by one thread at a time.

    Attributes:
        table: Rows; there may be more of them than devices.
        keys: (device_id, sensor code) of each device, in the order of its row.
        clock_ms: Newest time of any reading.
        pause_ms: Begin and end of the last time in which no device sent, epoch ms; equal for none.
        senders: Rows of the devices that sent last, the newest last; see `delivery`.
        fleet: Running mean of the innovations of each sensor's devices, as whole millionths, see `fleet`.
    """

    def __init__(self) -> None:
        self.table = Table.empty(0)
        self.keys: list[tuple[str, int]] = []
        self.clock_ms = _NEVER
        self.pause_ms = (_NEVER, _NEVER)
        self.senders: list[int] = []
        #: Per sensor: current block of time, sum and count in it, frozen sum and count of the one before.
        self.fleet = np.zeros((len(SENSOR_NAMES), 5), dtype=np.int64)
        self._index: dict[tuple[str, int], int] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def rows(self, device_ids: Sequence[str], sensors: Sequence[int]) -> tuple[Rows, Rows]:
        """Row of each device and sensor; unknown ones get a new one.

        Returns:
            One row an entry, and the rows that are new.
        """
        index = self._index
        before = len(self.keys)
        found = []
        for key in zip(device_ids, sensors, strict=True):
            row = index.get(key)
            if row is None:
                row = index[key] = len(self.keys)
                self.keys.append(key)
            found.append(row)
        fresh = np.arange(before, len(self.keys), dtype=np.intp)
        if len(self.keys) > len(self.table.sensor):
            self._grow(max(len(self.keys), len(self.table.sensor) * 5 // 4, 16))
        self.table.sensor[fresh] = [code for _, code in self.keys[before:]]
        return np.array(found, dtype=np.intp), fresh

    def _grow(self, size: int) -> None:
        more = Table.empty(size - len(self.table.sensor))
        for f in fields(Table):
            setattr(self.table, f.name, np.concatenate((getattr(self.table, f.name), getattr(more, f.name))))

    def to_bytes(self) -> bytes:
        """The state as bytes; see `from_bytes`."""
        n = len(self)
        arrays = {f.name: getattr(self.table, f.name)[:n] for f in fields(Table)}
        head = {
            "version": FEATURE_VERSION,
            "clock_ms": self.clock_ms,
            "keys": self.keys,
            "pause_ms": self.pause_ms,
            "senders": self.senders,
        }
        buffer = io.BytesIO()
        text = np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)
        np.savez(buffer, allow_pickle=False, head=text, fleet=self.fleet, **arrays)
        return zlib.compress(buffer.getvalue(), 1)

    @classmethod
    def from_bytes(cls, data: bytes) -> "ShardState":
        """The state that `to_bytes` made.

        Raises:
            StateError: it belongs to another version, or is damaged.
        """
        state = cls()
        try:
            with np.load(io.BytesIO(zlib.decompress(data)), allow_pickle=False) as stored:
                head = json.loads(stored["head"].tobytes())
                if head["version"] != FEATURE_VERSION:
                    raise StateError(f"the stored state has version {head['version']}, this program {FEATURE_VERSION}")
                state.clock_ms = int(head["clock_ms"])
                begin, end = head.get("pause_ms", state.pause_ms)  # a state of before knows none
                state.pause_ms, state.senders = (int(begin), int(end)), [int(row) for row in head.get("senders", ())]
                state.keys = [(str(device), int(code)) for device, code in head["keys"]]
                state.fleet = stored["fleet"]
                state.table = Table(**{f.name: stored[f.name].copy() for f in fields(Table)})
        except StateError:
            raise
        except Exception as error:  # a damaged archive raises what it likes: of zip, zlib, struct, tokenize
            raise StateError(f"the stored state is damaged: {error}") from error
        expected = Table.empty(len(state.keys))
        for f in fields(Table):
            have, want = getattr(state.table, f.name), getattr(expected, f.name)
            if have.shape != want.shape or have.dtype != want.dtype:
                raise StateError(f"the stored state is damaged: {f.name} has another shape")
        state._index = {key: row for row, key in enumerate(state.keys)}
        return state


def sensor_code(sensor: str) -> int:
    """Code of a sensor; any other series is ``custom``."""
    return SENSOR_CODES.get(sensor, SENSOR_CODES["custom"])
