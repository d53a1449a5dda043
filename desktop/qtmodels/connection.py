"""What the window needs of a running system, as one seam: `desktop.app` builds it over the feeds; tests build a fake."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from desktop.model.fleet import FleetState
from desktop.model.health import Health
from desktop.model.predictions.event import EventKey
from desktop.model.progress import SinkProgress
from desktop.model.refused.letters import RefusedRecords
from desktop.model.refused.requests import RejectedRequests
from desktop.model.store import LiveStore
from stack.target import Endpoints, ServiceStatus


class Connection(Protocol):
    """An attached system. Calls marked (blocking) go through `run_task`; the others are quick and for the GUI thread.

    Attributes:
        store: What was received: frames, figures, search.
    """

    store: LiveStore

    @property
    def endpoints(self) -> Endpoints: ...

    def start(self) -> None:
        """Start the feeds (blocking, briefly)."""

    def stop(self) -> bool:
        """Stop and join the feeds (blocking, at most a few seconds). True when all ended in time."""
        ...

    def fleet(self) -> FleetState:
        """What the generator said last."""
        ...

    def services(self) -> Sequence[ServiceStatus]:
        """What the target said last; empty before its first answer."""
        ...

    def health(self) -> Health:
        """The judgement of the moment."""
        ...

    def sink(self) -> SinkProgress:
        """How far the stored readings are behind the topic, as last looked at."""
        ...

    def refused_records(self) -> RefusedRecords:
        """The dead letters as known now."""
        ...

    def rejected_requests(self) -> RejectedRequests:
        """What paai rejected, as it said last."""
        ...

    def refused_difference(self) -> str:
        """Which readers count other refusals than the dead letters; empty when none does."""
        ...

    def set_focus(self, device_ids: Sequence[str]) -> None:
        """Fetch windows and history of these devices."""

    def acknowledge(self, keys: Sequence[EventKey], *, by: str, undo: bool = False) -> None:
        """Note in the system that `by` has seen to these anomalies, or take it back (blocking)."""

    def set_fleet(self, counts: Mapping[str, int], interval_s: float | None) -> FleetState:
        """Change the fleet; a tag that is absent is unchanged (blocking)."""
        ...

    def faults(self) -> Mapping[str, Any]:
        """The faults that the generator injects, as the contract's PUT takes them (blocking)."""
        ...

    def set_faults(self, faults: Mapping[str, Any]) -> Mapping[str, Any]:
        """Inject these faults instead; what is on then (blocking)."""
        ...

    def set_running(self, running: bool) -> FleetState:
        """Stop sending, or go on with the fleet as it was (blocking)."""
        ...
