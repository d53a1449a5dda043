"""Records of Kafka → arrays to score, by shard. What is no reading is counted, never fatal."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.contract.canary import is_canary
from backend.contract.record_columns import judge_all
from backend.contract.shards import shard_of
from backend.scoring.layout import F64, I8, I64


@dataclass(frozen=True, slots=True)
class Rows:
    """The readings of one shard in one batch, in the order of their arrival.

    Attributes:
        device_ids: Whose.
        sensors: Codes.
        t_ms: Epoch ms.
        values: In the sensor's unit.
    """

    device_ids: list[str]
    sensors: I8
    t_ms: I64
    values: F64

    def __len__(self) -> int:
        return len(self.device_ids)


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch of records holds.

    Attributes:
        shards: Readings by shard.
        refused: Records that are no readings.
    """

    shards: dict[int, Rows]
    refused: int


def parse(values: Sequence[bytes | None], arrivals_ms: Sequence[int]) -> Batch:
    """Take in records.

    Args:
        values: In the order of their arrival.
        arrivals_ms: The broker's timestamp of each, epoch ms.
    """
    found = judge_all(values, arrivals_ms)
    places: dict[int, list[int]] = {}
    for place, (device_id, t_ms) in enumerate(zip(found.device_ids, found.t_ms.tolist(), strict=True)):
        if not is_canary(device_id, t_ms):
            places.setdefault(shard_of(device_id), []).append(place)
    # A sensor's place in the contract is also its code in `backend.scoring.layout`.
    shards = {
        shard: Rows([found.device_ids[i] for i in at], found.sensor[at], found.t_ms[at], found.value[at])
        for shard, at in places.items()
    }
    return Batch(shards, len(found.refused))
