"""What Docker's client says on stderr, made into exceptions that say what to do."""

from typing import Final

from stack.errors import EngineError, EngineTimeoutError, EngineUnreachableError, NotASwarmError, NotRunningError, StackError

#: Exit codes of coreutils' `timeout`: it ended the command, or had to kill it.
TIMEOUT_CODES: Final = (124, 137)

_MAX_WORDS: Final = 500


def no_docker() -> EngineUnreachableError:
    """The client is not installed."""
    return EngineUnreachableError(
        "There is no Docker here",
        why="The command `docker` is not on PATH.",
        remedy="Install it (Debian, Ubuntu: sudo apt-get install docker.io), or use --target local: "
        "the same services on this machine.",
    )


def translate(doing: str, return_code: int, stderr: str, *, timeout_s: float) -> StackError:
    """The exception for a command of Docker's client that failed.

    Args:
        doing: "deploy the stack"; becomes part of the sentence.
        timeout_s: The bound that the command had.
    """
    words = " ".join(stderr.split())
    low = words.lower()
    if return_code in TIMEOUT_CODES and not words:
        return EngineTimeoutError(
            f"Docker did not {doing} within {timeout_s:.0f} s",
            remedy="It may be overloaded or cut off: see `docker info`, then try again.",
        )
    if "permission denied" in low and ("connect to" in low or "docker.sock" in low or "dial unix" in low):
        return EngineUnreachableError(
            "This user may not use Docker",
            why="There is no permission on the engine's socket.",
            remedy="Type: sudo usermod -aG docker $USER, then log out and in again; or use --target local.",
        )
    if "context" in low and ("does not exist" in low or "not found" in low) and "deadline" not in low:
        return EngineUnreachableError("There is no such Docker context", why=_clip(words), remedy="See `docker context ls`.")
    # An engine that answers can be reached: what cannot is then something else, a registry for example.
    if "error response from daemon" not in low and any(
        sign in low
        for sign in ("cannot connect to the docker daemon", "error during connect", "connection refused", "no such host",
                     "no route to host", "i/o timeout", "failed to connect to the docker api")
    ):  # fmt: skip
        return EngineUnreachableError(
            "Docker's engine cannot be reached",
            why=_clip(words),
            remedy="Start it (sudo systemctl start docker), or set DOCKER_HOST or --context to one that runs; "
            "or use --target local.",
        )
    if "needs to be unlocked" in low or "swarm is encrypted" in low:
        return NotASwarmError("The swarm is locked", why=_clip(words), remedy="Type: docker swarm unlock")
    if "worker nodes can't be used" in low:
        return NotASwarmError(
            "This node is a worker of its swarm, no manager",
            why="Only a manager can deploy.",
            remedy="Use --context or DOCKER_HOST of a manager, or type on one: docker node promote NODE",
        )
    if "not a swarm manager" in low:
        return NotASwarmError(
            "The engine is not in swarm mode",
            why="A stack needs it.",
            remedy="Type: docker swarm init (or choose it in the window).",
        )
    if "no such task or service" in low:
        return NotRunningError("The service does not run, so it has no log")
    if "no space left on device" in low:
        return EngineError(
            f"Docker could not {doing}",
            why="Its disk is full.",
            remedy="Free space there: docker system prune, then try again.",
        )
    return EngineError(
        f"Docker could not {doing}", why=f"{_clip(words) or f'It ended with code {return_code}'}.".replace("..", ".")
    )


def _clip(words: str) -> str:
    text = words.removeprefix("Error response from daemon: ")
    return text if len(text) <= _MAX_WORDS else f"{text[:_MAX_WORDS]} …"
