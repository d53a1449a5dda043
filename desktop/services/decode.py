"""Records of the topic → columns, by the record rule of the wire contract."""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
import numpy as np

from backend.contract.canary import CANARY_TIME_MS, is_canary
from backend.contract.record_columns import judge_all
from desktop.model.readings import ReadingBatch, RefusedRecord, arrival_order
from desktop.services.kafka_records import Records

T = TypeVar("T")


def decode_messages(messages: Sequence[Any], *, received: float, live: bool) -> ReadingBatch:
    """Decode what a consumer gave; see `decode_batch`."""
    return decode_batch(Records.of(messages), received=received, live=live)


def decode_batch(records: Records, *, received: float, live: bool = True) -> ReadingBatch:
    """Decode records into a batch; what is no reading is listed in it, the canary is left out.

    Args:
        records: In any order.
        received: When they were received, seconds since the epoch.
        live: See `ReadingBatch`.
    """
    found = judge_all(records.values, records.arrivals_ms)
    order = arrival_order(records.arrivals_ms, records.partitions)
    ids, sensor, t_ms, value = found.device_ids, found.sensor, found.t_ms, found.value
    if len(found) < len(records):
        order = order[found.place]
    if (t_ms == CANARY_TIME_MS).any():
        good = np.array([not is_canary(d, t) for d, t in zip(ids, t_ms.tolist(), strict=True)], dtype=np.bool_)
        ids = [d for d, kept in zip(ids, good.tolist(), strict=True) if kept]
        sensor, t_ms, value, order = sensor[good], t_ms[good], value[good], order[good]
    refused = [RefusedRecord(records.partitions[i], records.offsets[i], verdict.code) for i, verdict in found.refused]
    return ReadingBatch(ids, sensor, t_ms, value, received, live, order, refused)


def decode_all(values: Sequence[bytes | None], decoder: "msgspec.json.Decoder[T]") -> tuple[list[T], int]:
    """Decode values one by one, so that none can run over into the next.

    Returns:
        The decoded values, and how many could not be decoded.
    """
    messages = []
    for value in values:
        try:
            messages.append(decoder.decode(value or b""))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
    return messages, len(values) - len(messages)
