"""The generator's HTTP interface."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import msgspec

from backend.contract.devices import DEVICE_TYPES
from desktop.model.fleet import FleetState
from desktop.model.services_clock import ServicesClock
from desktop.services.http import HttpClient


class _Fleet(msgspec.Struct):
    Thermostat: int
    Barometer: int
    Hygrometer: int
    HeartRateMeter: int
    interval_s: float = 1.0
    running: bool = False
    wanted_per_s: float = 0.0
    sent_per_s: float = 0.0
    acknowledged: int = 0
    retried: int = 0
    given_up: int = 0
    backlog: int = 0
    behind_ms: float = 0.0


class FaultEvent(msgspec.Struct, frozen=True):
    """One fault that the generator put into its signals.

    Attributes:
        n: Its number, ascending.
        device_id, sensor: Whose.
        kind: spike, drift, stuck, dropout, late or duplicate.
        start, end: ISO 8601; `end` is None while it lasts.
        magnitude: See the contract.
    """

    n: int
    device_id: str
    sensor: str
    kind: str
    start: str
    end: str | None = None
    magnitude: float | None = None


class FaultLog(msgspec.Struct, frozen=True):
    """A page of the ground truth; `next` is the `after` of the page that follows."""

    events: list[FaultEvent]
    next: int


class GeneratorClient:
    """Blocking calls, at most `timeout_s` each.

    Raises (all calls): ServiceError.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        timeout_s: float = 5.0,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._http = HttpClient(
            name="The generator",
            base_url=base_url,
            token=token,
            timeout_s=timeout_s,
            transport=transport,
            services_clock=clock if isinstance(clock, ServicesClock) else None,
        )
        self._clock = clock

    def get_fleet(self) -> FleetState:
        """What it was asked for and what it does."""
        return self._fleet(self._http.request("GET", "/api/v1/fleet"))

    def put_fleet(self, counts: Mapping[str, int], *, interval_s: float | None = None) -> FleetState:
        """Change the fleet live; a tag that is absent stays as it is. All 0 stops it."""
        body: dict[str, Any] = dict(counts)
        if interval_s is not None:
            body["interval_s"] = interval_s
        return self._fleet(self._http.request("PUT", "/api/v1/fleet", body=body))

    def start(self) -> FleetState:
        """Go on sending with the fleet as it was kept."""
        return self.put_fleet(self.get_fleet().counts)

    def stop(self) -> FleetState:
        """Stop sending; the fleet is kept."""
        self._http.request("POST", "/api/v1/stop")
        return self.get_fleet()

    def get_faults(self) -> dict[str, Any]:
        """The faults that are on; see the contract for their shape."""
        return self._http.decode(self._http.request("GET", "/api/v1/faults"), dict[str, Any])

    def put_faults(self, faults: Mapping[str, Any]) -> dict[str, Any]:
        """Replace the faults, and what is on then. Empty: none."""
        return self._http.decode(self._http.request("PUT", "/api/v1/faults", body=dict(faults)), dict[str, Any])

    def faults_log(self, after: int = 0) -> FaultLog:
        """Ground truth from event `after` on."""
        return self._http.decode(self._http.request("GET", "/api/v1/faults/log", params={"after": after}), FaultLog)

    def close(self) -> None:
        """Drop the connections."""
        self._http.close()

    def _fleet(self, content: bytes) -> FleetState:
        fleet = self._http.decode(content, _Fleet)
        return FleetState(
            counts={t.tag: getattr(fleet, t.tag) for t in DEVICE_TYPES},
            interval_s=fleet.interval_s,
            running=fleet.running,
            wanted_per_s=fleet.wanted_per_s,
            sent_per_s=fleet.sent_per_s,
            acknowledged=fleet.acknowledged,
            retried=fleet.retried,
            given_up=fleet.given_up,
            backlog=fleet.backlog,
            behind_ms=fleet.behind_ms,
            as_of=self._clock(),
        )
