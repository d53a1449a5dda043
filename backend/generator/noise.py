"""Random numbers as functions of (device, counter): the same whatever else is drawn, in any grouping and order.

A device's key is a hash of the seed and its id; a number is a hash (SplitMix64's finaliser) of key, counter and stream. So a
device's signal depends neither on its neighbours nor on how the fleet is cut into slots. Not for cryptography.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import numpy as np

from backend.generator.columns import F64, I64, U64

_MASK: Final = (1 << 64) - 1
_GAMMA: Final = 0x9E3779B97F4A7C15
_M1: Final = 0xBF58476D1CE4E5B9
_M2: Final = 0x94D049BB133111EB
_STREAM: Final = 0xD1B54A32D192ED03


def _mix_int(x: int) -> int:
    x = ((x ^ (x >> 30)) * _M1) & _MASK
    x = ((x ^ (x >> 27)) * _M2) & _MASK
    return x ^ (x >> 31)


def _mix(x: U64) -> U64:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(_M1)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(_M2)
    return x ^ (x >> np.uint64(31))


def device_keys(seed: int, device_ids: Sequence[str]) -> U64:
    """One key a device, uint64, from the seed and the id alone."""
    salt = (seed & _MASK).to_bytes(8, "little")
    data = b"".join(blake2b(device_id.encode(), digest_size=8, key=salt).digest() for device_id in device_ids)
    return np.frombuffer(data, dtype="<u8").astype(np.uint64)


def derived_keys(keys: U64, seed: int) -> U64:
    """Other keys for the same devices, independent of `keys`."""
    return _mix(keys ^ np.uint64(_mix_int((seed * _GAMMA + _STREAM) & _MASK)))


def uniform(keys: U64, counter: int | I64, stream: int) -> F64:
    """Uniform in [0, 1), one a key.

    Args:
        keys: Of the devices.
        counter: What differs from draw to draw, e.g. the time in ms; one for all or one a key.
        stream: Which of the many uses of one counter.
    """
    if isinstance(counter, int):
        step = np.uint64(_mix_int((counter * _GAMMA + stream * _STREAM) & _MASK))
        mixed = _mix(keys + step)
    else:
        offset = np.uint64((stream * _STREAM) & _MASK)
        mixed = _mix(keys + _mix(counter.astype(np.uint64) * np.uint64(_GAMMA) + offset))
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normals(keys: U64, counter: int, stream: int) -> tuple[F64, F64]:
    """Two independent standard normals a key (Box–Muller)."""
    radius = np.sqrt(-2.0 * np.log1p(-uniform(keys, counter, 2 * stream)))
    angle = 2.0 * np.pi * uniform(keys, counter, 2 * stream + 1)
    return radius * np.cos(angle), radius * np.sin(angle)
