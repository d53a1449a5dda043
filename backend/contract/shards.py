"""The shard of a device: where the prediction job keeps its state, whatever partitions its records come over.

The hash and the number are those by which Kafka's clients choose the partition of a keyed record. So the readings of a shard
usually come over one partition, and while a job catches up no device of a shard is ahead of another.
"""

from functools import lru_cache
from typing import Final

from backend.contract.names import MESSAGES_PARTITIONS

SHARDS: Final = MESSAGES_PARTITIONS
#: Changes with anything that gives a device another shard: a state that was stored by another layout does not fit.
SHARD_LAYOUT: Final = f"murmur2 mod {SHARDS}"

_M: Final = 0x5BD1E995
_SEED: Final = 0x9747B28C
_MASK: Final = 0xFFFFFFFF


@lru_cache(maxsize=200_000)
def shard_of(device_id: str) -> int:
    """Return the shard of a device, from 0 to `SHARDS` - 1."""
    return (murmur2(device_id.encode()) & 0x7FFFFFFF) % SHARDS


def murmur2(data: bytes) -> int:
    """Return the 32-bit MurmurHash2 with Kafka's seed, unsigned."""
    length = len(data)
    whole = length & ~3
    h = _SEED ^ length
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = h * _M & _MASK ^ k
    if whole < length:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15
