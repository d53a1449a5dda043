"""Faults that the generator is asked to put into its signals, so that one can see how they are found; see the contract.

A share is the part of the devices that misbehaves at any time (late, duplicate: of the readings). Magnitudes are in units of a
device's noise (drift: a minute; late: seconds).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Plan = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Preset:
    """A plan with a name.

    Attributes:
        key: Its name in programs.
        label: Its name for people.
        plan: What the generator is asked for.
    """

    key: str
    label: str
    plan: Plan


def _fault(share: float, magnitude: float, duration_s: float) -> Plan:
    return {"share": share, "magnitude": magnitude, "duration_s": duration_s}


NONE: Final = Preset("none", "None", {})
PRESETS: Final = (
    NONE,
    # With fifty devices: a spike every ten seconds, and one device in some trouble at any time.
    Preset(
        "few",
        "A few",
        {
            "spike": _fault(0.002, 8.0, 1.0),
            "drift": _fault(0.01, 3.0, 180.0),
            "stuck": _fault(0.01, 8.0, 45.0),
            "dropout": _fault(0.01, 8.0, 30.0),
        },
    ),
    Preset(
        "many",
        "Many",
        {
            "spike": _fault(0.01, 8.0, 1.0),
            "drift": _fault(0.04, 3.0, 180.0),
            "stuck": _fault(0.03, 8.0, 45.0),
            "dropout": _fault(0.03, 8.0, 30.0),
            "late": _fault(0.002, 5.0, 10.0),
            "duplicate": _fault(0.002, 8.0, 0.5),
        },
    ),
)


def preset_of(plan: Plan) -> Preset | None:
    """The preset that a plan is; None for one that somebody made up elsewhere."""
    on = {kind: fault for kind, fault in plan.items() if isinstance(fault, Mapping) and fault["share"] > 0}
    return next((preset for preset in PRESETS if preset.plan == on), None)
