"""Port offsets at which a whole system fits on this machine."""

import random
import socket

from backend.contract.ports import Ports
from stack import catalogue

_FIRST_OFFSET, _LAST_OFFSET, _STEP = 20_000, 30_000, 10


def free_offset() -> int:
    """A port offset with which every port is free right now."""
    offsets = list(range(_FIRST_OFFSET, _LAST_OFFSET, _STEP))
    random.SystemRandom().shuffle(offsets)
    for offset in offsets:
        ports = Ports(offset)
        wanted = [catalogue.port_of(ports, name) for service in catalogue.SERVICES for name in service.ports]
        if all(map(_is_free, wanted)):
            return offset
    raise AssertionError("no port offset with free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
