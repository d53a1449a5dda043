"""A device's shard depends on its id only, and is the partition that Kafka's clients choose for it."""

import pytest

from backend.contract.shards import SHARDS, murmur2, shard_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_the_hash_is_that_of_kafka(text: str, expected: int) -> None:
    assert murmur2(text.encode()) == expected % 2**32


def test_every_shard_has_devices() -> None:
    found = [shard_of(f"thermostat-{n:05d}") for n in range(300)]

    assert set(found) == set(range(SHARDS))
    assert min(found.count(shard) for shard in range(SHARDS)) > 60
