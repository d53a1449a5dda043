"""Records of Kafka → arrays to score. What is no reading is counted, never fatal."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
import numpy as np

from backend.contract.devices import BY_SENSOR
from backend.contract.limits import MAX_DEVICE_ID_CHARS, MAX_FUTURE_S
from backend.contract.messages import decode
from backend.contract.names import CANARY_DEVICE_ID
from backend.contract.timestamps import parse_timestamp
from backend.scoring.layout import F64, I8, I64, SENSOR_CODES

#: A reading stamped further ahead of its record than this would push the shard's clock past everybody else.
_AHEAD_MS = int((MAX_FUTURE_S + 1.0) * 1000)


@dataclass(frozen=True, slots=True)
class Rows:
    """The readings of one shard in one batch, in the order of the partition.

    Attributes:
        device_ids: Whose.
        sensors: Codes.
        t_ms: Epoch ms.
        values: In the sensor's unit.
        invalid: Records that were left out.
    """

    device_ids: list[str]
    sensors: I8
    t_ms: I64
    values: F64
    invalid: int

    def __len__(self) -> int:
        return len(self.device_ids)


def parse(records: Iterable[tuple[bytes | None, int]]) -> Rows:
    """Take in records.

    Args:
        records: Value and time of publication in epoch ms, in the order of the partition.
    """
    ids: list[str] = []
    codes: list[int] = []
    times: list[int] = []
    values: list[float] = []
    invalid = 0
    for value, published_ms in records:
        try:
            if value is None:
                raise ValueError("a record without a value")
            message = decode(bytes(value))
            device = BY_SENSOR[message.sensor]
            t_ms = parse_timestamp(message.timestamp)
            good = (
                1 <= len(message.device_id) <= MAX_DEVICE_ID_CHARS
                and device.minimum <= message.value <= device.maximum
                and t_ms <= published_ms + _AHEAD_MS
            )
        except (msgspec.MsgspecError, ValueError, KeyError, OverflowError, RecursionError):
            good = False
        if not good:
            invalid += 1
        elif message.device_id != CANARY_DEVICE_ID:
            ids.append(message.device_id)
            codes.append(SENSOR_CODES[message.sensor])
            times.append(t_ms)
            values.append(message.value)
    return Rows(ids, np.array(codes, dtype=np.int8), np.array(times, dtype=np.int64), np.array(values), invalid)
