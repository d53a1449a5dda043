"""After a first deployment from the terminal: the small fleet that the window would start too."""

import threading
from collections.abc import Callable
from typing import Final

from desktop.model.first_fleet import STARTED, STARTER_FLEET, not_started, untouched
from desktop.model.fleet import FleetState
from desktop.services.errors import ServiceError
from desktop.services.generator_client import GeneratorClient
from desktop.services.paai_client import has_stored
from stack.target import Endpoints

_POLL_S: Final = 0.2


class FirstFleet:
    """Looks once at the fleet of a system that was just deployed. `run` is for a thread of its own.

    Attributes:
        note: What became of it, one sentence; empty while nothing is to be said.
    """

    def __init__(self, *, endpoints: Endpoints, fleet: Callable[[], FleetState]) -> None:
        self._endpoints, self._fleet = endpoints, fleet
        self.note = ""

    def run(self, stop: threading.Event) -> None:
        """Wait for the generator's first answer, then start the fleet if there never was one."""
        while not self._fleet().known:
            if stop.wait(_POLL_S):
                return
        if not untouched(self._fleet()):
            return
        try:
            if not has_stored(self._endpoints) and not stop.is_set():
                self._start()
        except ServiceError as error:
            self.note = not_started(str(error))

    def _start(self) -> None:
        generator = GeneratorClient(self._endpoints.generator, token=self._endpoints.token)
        try:
            # Asked anew: somebody may have set one meanwhile.
            if untouched(generator.get_fleet()):
                generator.put_fleet(STARTER_FLEET)
                self.note = STARTED
        finally:
            generator.close()
