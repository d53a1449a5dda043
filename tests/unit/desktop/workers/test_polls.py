"""Polls keep the last answer and say why it is old."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from desktop.model.fleet import FleetState
from desktop.services.errors import UnreachableError
from desktop.workers.polls import FleetPoll, StatusPoll
from stack.errors import StackError
from stack.target import ServiceStatus
from tests.helpers.wait import wait_until


@contextmanager
def running(work: Callable[[threading.Event], None]) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5)
        assert not thread.is_alive()


class Generator:
    def __init__(self) -> None:
        self.down = False
        self.asked = 0

    def get_fleet(self) -> FleetState:
        self.asked += 1
        if self.down:
            raise UnreachableError("The generator cannot be reached")
        return FleetState(counts={"Thermostat": 7}, running=True, as_of=float(self.asked))


class Services:
    def __init__(self) -> None:
        self.down = False

    def status(self) -> list[ServiceStatus]:
        if self.down:
            raise StackError("no engine")
        return [ServiceStatus("paai", 3, 3, True, 0, "")]


def test_the_fleet_with_what_reports_beside_it() -> None:
    generator = Generator()
    told = list[FleetState]()
    poll = FleetPoll(generator=generator, reporting=lambda: {"temperature": 5}, on_fleet=told.append)
    assert not poll.fleet.known
    with running(poll.run):
        wait_until(lambda: poll.fleet.known, 5, "the first answer")
        assert dict(poll.fleet.reporting) == {"Thermostat": 5, "Barometer": 0, "Hygrometer": 0, "HeartRateMeter": 0}
        assert told[-1].sending_by_prefix == {"thermostat": 7, "barometer": 0, "hygrometer": 0, "heartratemeter": 0}
        generator.down = True
        poll.refresh()
        wait_until(lambda: poll.fleet.error, 5, "the error")
        assert poll.fleet.devices == 7
        generator.down = False
        poll.refresh()
        wait_until(lambda: not poll.fleet.error, 5, "the error to go")


def test_the_services() -> None:
    target = Services()
    poll = StatusPoll(target=target)
    with running(poll.run):
        wait_until(lambda: poll.services, 5, "the first answer")
        target.down = True
        poll.refresh()
        assert wait_until(lambda: poll.error, 5, "the error") == "no engine"
        assert poll.services[0].service == "paai"
