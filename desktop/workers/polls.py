"""What is asked for again and again: the generator's fleet and the state of the services. No Qt."""

import dataclasses
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from backend.contract.devices import DEVICE_TYPES
from desktop.model.fleet import FleetState
from desktop.services.errors import ServiceError
from stack.errors import StackError
from stack.target import ServiceStatus

FLEET_POLL_S = 0.5
STATUS_POLL_S = 2.0


class FleetSource(Protocol):
    """The generator, as far as it is asked here."""

    def get_fleet(self) -> FleetState: ...


class StatusSource(Protocol):
    """A target, as far as it is asked here."""

    def status(self) -> list[ServiceStatus]: ...


class FleetPoll:
    """Keeps the generator's last answer, and beside it what really reports.

    Args:
        generator: Who is asked.
        reporting: Devices that reported lately, by sensor.
        on_fleet: Told of each answer, on the poll's thread.
    """

    def __init__(
        self,
        *,
        generator: FleetSource,
        reporting: Callable[[], Mapping[str, int]],
        on_fleet: Callable[[FleetState], object] = lambda fleet: None,
    ) -> None:
        self._generator, self._reporting, self._on_fleet = generator, reporting, on_fleet
        self._fleet = FleetState()
        self._wake = threading.Event()

    @property
    def fleet(self) -> FleetState:
        """As last told; `error` says why it is old."""
        by_sensor = self._reporting()
        return dataclasses.replace(self._fleet, reporting={t.tag: by_sensor.get(t.sensor, 0) for t in DEVICE_TYPES})

    def refresh(self) -> None:
        """Ask now; any thread."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Ask until `stop` is set."""
        while not stop.is_set():
            try:
                self._fleet = self._generator.get_fleet()
                self._on_fleet(self._fleet)
            except ServiceError as error:
                self._fleet = dataclasses.replace(self._fleet, error=str(error))
            self._wake.wait(FLEET_POLL_S)
            self._wake.clear()


class StatusPoll:
    """Keeps the target's last answer."""

    def __init__(self, *, target: StatusSource, clock: Callable[[], float] = time.time) -> None:
        self._target, self._clock = target, clock
        self._services: tuple[ServiceStatus, ...] = ()
        self._error = ""
        self._wake = threading.Event()

    @property
    def services(self) -> tuple[ServiceStatus, ...]:
        """As last told; empty before the first answer."""
        return self._services

    @property
    def error(self) -> str:
        """Why the target could not tell just now; empty when it could."""
        return self._error

    def refresh(self) -> None:
        """Ask now; any thread."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Ask until `stop` is set."""
        while not stop.is_set():
            try:
                self._services = tuple(self._target.status())
                self._error = ""
            except StackError as error:
                self._error = str(error)
            # Woken early by `refresh`; looks at `stop` often enough to be joined in time.
            deadline = self._clock() + STATUS_POLL_S
            while not stop.is_set() and self._clock() < deadline and not self._wake.wait(0.25):
                pass
            self._wake.clear()
