"""One program under supervisord. Pure values: nothing is started here."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

#: The project's root: services are started as modules from here.
PROJECT_ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Program:
    """What supervisord is told about one service.

    Attributes:
        service: Name in the catalogue.
        command: Argument list.
        behind: A command that waits, and then becomes `command`, which is put behind it.
        environment: Added to the environment that all programs share.
        processes: How many are defined; only the wanted ones are started.
        socket_port: They share a listening socket on this port, handed over as file descriptor 0.
        start_s: An exit sooner than this after the start counts as a failed start, followed by a growing pause.
        stop_signal: TERM or INT.
        stop_wait_s: After this long it is killed.
        stop_group: Send the stop signal to the children too.
        final_exit_codes: Exits that are answers: no restart.
        nice: How much others go before it; see nice(1).
    """

    service: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    processes: int = 1
    socket_port: int | None = None
    start_s: int = 3
    stop_signal: str = "TERM"
    stop_wait_s: int = 15
    stop_group: bool = False
    final_exit_codes: tuple[int, ...] = ()
    nice: int = 0
    behind: tuple[str, ...] = ()
