"""How long to wait before a request is repeated."""

import math
import random
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Final

BASE_S: Final = 0.1
CAP_S: Final = 5.0
#: A server that asks for more than this is asked again anyway.
MAX_RETRY_AFTER_S: Final = 30.0


def jittered(attempts: int, rng: random.Random) -> float:
    """Seconds after the `attempts`-th failure: exponential, full jitter, so that clients do not come back all at once."""
    return rng.uniform(0.0, min(CAP_S, BASE_S * 2.0 ** min(attempts - 1, 16)))


def retry_after_s(header: str | None, *, wall: Callable[[], float] = time.time) -> float:
    """Seconds that a ``Retry-After`` header asks for: a number or a date; 0 where there is none that can be read."""
    if not header:
        return 0.0
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - wall()
        except ValueError:
            return 0.0
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S) if math.isfinite(seconds) else 0.0
