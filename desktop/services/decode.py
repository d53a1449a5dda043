"""Record values → columns, as fast as the parts allow: one JSON parse for a whole batch, times by arithmetic on digits."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from backend.contract import times
from backend.contract.limits import MAX_DEVICE_ID_CHARS
from backend.contract.messages import DeviceMessage
from backend.contract.names import CANARY_DEVICE_ID
from desktop.model.readings import SENSOR_CODES, ReadingBatch, TimeArray

T = TypeVar("T")


class _Codes(dict[str, int]):
    """-1 for a sensor that nobody knows; the lookup of a known one stays in C."""

    def __missing__(self, sensor: str) -> int:
        return -1


_codes = _Codes(SENSOR_CODES)
_one = msgspec.json.Decoder(DeviceMessage)
_many = msgspec.json.Decoder(list[DeviceMessage])

#: "2023-03-28T20:04:22.000Z": where the digits stand in it, and what each is worth in milliseconds (time of day only).
_ISO_LENGTH = 24
_DAY_CHARS = 10
_CLOCK_PLACES = np.array([11, 12, 14, 15, 17, 18, 20, 21, 22])
_CLOCK_WORTH = np.array([36_000_000, 3_600_000, 600_000, 60_000, 10_000, 1_000, 100, 10, 1], dtype=np.int64)
_SEPARATORS = np.array([10, 13, 16, 19, 23])
_SEPARATOR_BYTES = np.frombuffer(b"T::.Z", dtype=np.uint8)
_ZERO = ord("0")


def decode_batch(values: Sequence[bytes | None], *, received: float, live: bool = True) -> ReadingBatch:
    """Decode record values into a batch; what is no reading is counted, the canary is left out.

    Args:
        values: As Kafka gave them; None for a record without a value.
        received: When they were received, seconds since the epoch.
        live: See `ReadingBatch`.
    """
    messages, malformed = decode_all(values, many=_many, one=_one)
    ids = [m.device_id for m in messages]
    sensor = np.fromiter(map(_codes.__getitem__, [m.sensor for m in messages]), dtype=np.int8, count=len(ids))
    value = np.array([m.value for m in messages], dtype=np.float64)
    t_ms = iso_to_ms([m.timestamp for m in messages])
    good = (sensor >= 0) & (t_ms != BAD_TIME) & np.isfinite(value)
    lengths = set(map(len, ids))
    if lengths and (min(lengths) == 0 or max(lengths) > MAX_DEVICE_ID_CHARS):
        good &= np.array([0 < len(d) <= MAX_DEVICE_ID_CHARS for d in ids], dtype=np.bool_)
    bad = len(messages) - int(good.sum())
    if CANARY_DEVICE_ID in ids:
        good &= np.array([d != CANARY_DEVICE_ID for d in ids], dtype=np.bool_)
    if not good.all():
        ids = [d for d, keep in zip(ids, good.tolist(), strict=True) if keep]
        sensor, t_ms, value = sensor[good], t_ms[good], value[good]
    return ReadingBatch(ids, sensor, t_ms, value, received, live, malformed + bad)


def decode_all(
    values: Sequence[bytes | None], *, many: "msgspec.json.Decoder[list[T]]", one: "msgspec.json.Decoder[T]"
) -> tuple[list[T], int]:
    """One parse for a whole batch, one by one only where it holds something else; with it how many were something else."""
    try:
        # A value that ends an array itself ("1],[2") would decode to another number of items.
        messages = many.decode(b"[" + b",".join(values) + b"]")  # type: ignore[arg-type]  # None raises TypeError
        if len(messages) == len(values):
            return messages, 0
    except (msgspec.DecodeError, TypeError, UnicodeDecodeError, RecursionError):
        pass
    messages = []
    for value in values:
        try:
            messages.append(one.decode(value or b""))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
    return messages, len(values) - len(messages)


#: Stands for a time that could not be read.
BAD_TIME = np.iinfo(np.int64).min


def iso_to_ms(texts: Sequence[str]) -> TimeArray:
    """int64[n] milliseconds since the epoch, `BAD_TIME` for what is no ISO 8601 time.

    The contract's own form goes by arithmetic; any other ISO form is read one by one.
    """
    n = len(texts)
    if not n:
        return np.empty(0, dtype=np.int64)
    joined = "".join(texts)
    if len(joined) == n * _ISO_LENGTH and joined.isascii():
        chars = np.frombuffer(joined.encode("ascii"), dtype=np.uint8).reshape(n, _ISO_LENGTH)
        digits = chars[:, _CLOCK_PLACES].astype(np.int64) - _ZERO
        plain = (chars[:, _SEPARATORS] == _SEPARATOR_BYTES).all() and digits.min() >= 0 and digits.max() <= 9
        # The clock must be one: 25:61:61 would otherwise become a time of the next day.
        if plain and (digits[:, 0] * 10 + digits[:, 1]).max() < 24 and digits[:, 2].max() < 6 and digits[:, 4].max() < 6:
            days = _days_ms(chars[:, :_DAY_CHARS])
            if days is not None:
                return days + digits @ _CLOCK_WORTH
    return np.array([_read(text) for text in texts], dtype=np.int64)


def _days_ms(days: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64] | None:
    """Midnight of each day of uint8[n, 10]; None when one of them is no day. Nearly always all are the same day."""
    if (days == days[0]).all():
        midnight = _read(f"{days[0].tobytes().decode('ascii')}T00:00:00Z")
        return None if midnight == BAD_TIME else np.full(len(days), midnight, dtype=np.int64)
    unique, place = np.unique(np.ascontiguousarray(days).view(f"S{_DAY_CHARS}").ravel(), return_inverse=True)
    midnights = np.array([_read(f"{day.decode('ascii')}T00:00:00Z") for day in unique.tolist()], dtype=np.int64)
    return None if (midnights == BAD_TIME).any() else midnights[place]


def _read(text: str) -> int:
    try:
        return times.from_iso(text)
    except (ValueError, OverflowError):
        return int(BAD_TIME)
