"""What every keeper is: something that can be asked to look once and put right what it finds."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Finding:
    """What one step found.

    Attributes:
        converged: All is as wanted now.
        message: Empty when all is well, else one sentence for people.
        waiting: It waits for another service to appear; nothing is wrong with what it keeps.
    """

    converged: bool
    message: str = ""
    waiting: bool = False


class Keeper(Protocol):
    """Keeps one kind of thing as wanted. Only ever called from one thread."""

    @property
    def name(self) -> str:
        """For people and logs: "topics"."""
        ...

    def step(self) -> Finding:
        """Look, put right what is not as wanted, and say how it stands. Bounded in time.

        Never raises for an outage of what it talks to; that is a Finding.
        """
        ...

    def close(self) -> None:
        """Let go of connections. Called once, after the last step."""
        ...
