"""What people call kinds and grades of anomalies."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from desktop.model.predictions.record import Grade

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "spike": "Spike",
        "drift": "Drift",
        "stuck": "Stuck",
        "dropout": "Dropout",
        "limit": "Impossible",
        "shape": "Unusual course",
        "late": "Late",
        "duplicate": "Duplicate",
    }
)
GRADES: Final[Mapping[Grade, str]] = MappingProxyType(
    {Grade.NONE: "None", Grade.INFO: "Info", Grade.WARNING: "Warning", Grade.CRITICAL: "Critical"}
)


def kind_word(kind: str) -> str:
    """One that is not known is called what it is called."""
    return KINDS.get(kind) or kind[:1].upper() + kind[1:]
