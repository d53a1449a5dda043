"""Settings of the record rule for its Java implementation in stack/jvm/java: one JSON object."""

import json
from collections.abc import Mapping

from backend.contract.limits import (
    FIRST_TIME_MS,
    MAX_DEVICE_ID_CHARS,
    MAX_RECORD_AHEAD_MS,
    MAX_RECORD_BYTES,
    MAX_RECORD_LEVELS,
)
from backend.contract.printable import NON_PRINTABLE
from backend.contract.records import RULE
from backend.contract.refusals import REASONS


def rule_settings(ranges: Mapping[str, tuple[float, float]] = RULE.ranges, *, ahead_ms: int = MAX_RECORD_AHEAD_MS) -> str:
    """Return the settings as text; the same text for the same rule.

    Args:
        ranges: Smallest and largest accepted value by sensor, inclusive.
        ahead_ms: How far a timestamp may be ahead of the record's arrival.
    """
    settings = {
        "ranges": dict(ranges),
        "ahead_ms": ahead_ms,
        "first_time_ms": FIRST_TIME_MS,
        "max_bytes": MAX_RECORD_BYTES,
        "max_levels": MAX_RECORD_LEVELS,
        "max_device_id_chars": MAX_DEVICE_ID_CHARS,
        "non_printable": NON_PRINTABLE,
        "sentences": REASONS,
    }
    return json.dumps(settings, separators=(",", ":"))
