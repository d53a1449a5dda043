"""The small fleet that a first deployment starts, so that there is something to see; the same for window and terminal."""

from collections.abc import Mapping
from typing import Final

from desktop.model.figures import plural
from desktop.model.fleet import FleetState

#: Devices by type tag. Small: any machine carries it.
STARTER_FLEET: Final[Mapping[str, int]] = {"Thermostat": 20, "Barometer": 10, "Hygrometer": 10, "HeartRateMeter": 5}

#: Said when it was started.
STARTED: Final = (
    f"A first fleet of {plural(sum(STARTER_FLEET.values()), 'device')} was started, so that there is something to see."
)


def untouched(state: FleetState) -> bool:
    """Whether the generator has had no device and sent nothing since its start.

    It was never given a fleet if no device's readings are stored either: one that somebody emptied on purpose has left
    readings behind, also over a restart of the generator.
    """
    return state.known and not (state.devices or state.acknowledged or state.given_up)


def not_started(reason: str) -> str:
    """Said when it could not be found out, or the generator refused."""
    return f"No first fleet was started: {reason}"
