"""The test reading that `up` sends through the system: of a device drawn for each `up`, at a time that nothing else has.

Its time lies before every window and chart, and only id and time together make a reading the test reading: a device of any
name is an ordinary device.
"""

import secrets
from typing import Final

from backend.contract.limits import FIRST_TIME_MS

CANARY_PREFIX: Final = "paai-canary-"
CANARY_TIME_MS: Final = FIRST_TIME_MS


def new_canary_id() -> str:
    """Draw the id of a test reading."""
    return CANARY_PREFIX + secrets.token_hex(8)


def is_canary(device_id: str, epoch_ms: int) -> bool:
    """Whether a reading is a test reading, which is neither drawn nor scored."""
    return epoch_ms == CANARY_TIME_MS and device_id.startswith(CANARY_PREFIX)
