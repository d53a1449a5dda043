"""Exceptions of the stack package.

StackError                  base: what failed, why, what to do
├── PreflightError          something is missing or in the way before anything was started
│   ├── PortInUseError      a port is held by another process
│   ├── JavaMissingError    no Java that is new enough
│   ├── JarsError           the JVM artifacts cannot be had
│   │   └── NoNetworkError  because the package registry does not answer
│   ├── MongoMissingError   no MongoDB server, or one cannot be built
│   ├── EngineUnreachableError  no Docker, or its engine cannot be reached
│   ├── NotASwarmError      the engine is not a manager of a swarm
│   ├── SecretsError        the stack's credentials and this user's copy of them do not fit
│   └── ConsentError        something would be taken away, and nobody has agreed
├── EngineError             Docker refused or failed
│   └── EngineTimeoutError  it did not answer in time
├── StepFailedError         a step of `up`, `scale` or `down` failed
│   └── WaitTimeoutError    a bounded wait ran out
├── CancelledError          the caller set its cancel event
├── NotRunningError         the call needs a running system
└── UnknownServiceError     no service of that name
"""

import errno


class StackError(Exception):
    """Base of all errors of this package.

    Attributes:
        what: What failed, as a sentence's beginning.
        why: The cause as far as known; may be empty.
        remedy: What the user can do; may be empty.
    """

    def __init__(self, what: str, *, why: str = "", remedy: str = "") -> None:
        self.what, self.why, self.remedy = what, why, remedy
        bare = what.removesuffix(".")
        head = f"{bare}:" if why else f"{bare}." if remedy else what
        super().__init__(" ".join(part for part in (head, why, remedy) if part))


class PreflightError(StackError):
    """Something is missing or in the way; nothing was started."""


class PortInUseError(PreflightError):
    """A port is held by another process.

    Attributes:
        port: The TCP port.
        holder: Name and process id of the holder, or empty when the system does not tell.
    """

    def __init__(self, port: int, holder: str, *, service: str) -> None:
        self.port, self.holder = port, holder
        super().__init__(
            f"{service} cannot use port {port}",
            why=f"{holder or 'another process'} holds it.",
            remedy="Stop that process, or start this system on other ports with --port-offset.",
        )


class JavaMissingError(PreflightError):
    """No Java that is new enough.

    Attributes:
        found: Those that are installed and too old, for people.
    """

    def __init__(self, found: tuple[str, ...], *, min_major: int) -> None:
        self.found = found
        super().__init__(
            f"Java {min_major} or newer is needed",
            why=f"Found only {', '.join(found)}." if found else "None is installed.",
            remedy="Type: sudo apt-get install openjdk-17-jre-headless (or set JAVA_HOME to one that you have).",
        )


class JarsError(PreflightError):
    """The JVM artifacts cannot be had, or are not what the lock file says."""


class NoNetworkError(JarsError):
    """The package registry of the JVM does not answer."""


class MongoMissingError(PreflightError):
    """There is no MongoDB server, or one cannot be built."""


class EngineUnreachableError(PreflightError):
    """There is no Docker, or its engine cannot be reached."""


class NotASwarmError(PreflightError):
    """The engine is not in swarm mode, or is no manager of its swarm."""


class SecretsError(PreflightError):
    """The stack's credentials and this user's copy of them do not fit, or the copy cannot be kept."""


class ConsentError(PreflightError):
    """Something would be taken away, and nobody has agreed; nothing was changed. Repeat it with consent."""


class EngineError(StackError):
    """Docker refused or failed."""


class EngineTimeoutError(EngineError):
    """Docker did not answer in time."""


class CancelledError(StackError):
    """The caller set its cancel event; what was done so far is kept and continued next time."""


class StepFailedError(StackError):
    """A step failed.

    Attributes:
        step: Key of the step.
        service: The service concerned, if one is.
    """

    def __init__(self, step: str, what: str, *, why: str = "", remedy: str = "", service: str | None = None) -> None:
        self.step, self.service = step, service
        super().__init__(what, why=why, remedy=remedy)


class WaitTimeoutError(StepFailedError):
    """A bounded wait ran out."""


class NotRunningError(StackError):
    """The call needs a running system."""


class UnknownServiceError(StackError):
    """No service of that name, or it cannot be scaled or restarted."""


#: A file system, a quota or the kernel's table of watched things has no room.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def is_full(error: OSError) -> bool:
    """Whether the disk, or the user's share of it, has no room."""
    return error.errno in _FULL


def system_error(error: OSError | UnicodeError) -> StackError:
    """Convert what the operating system refused into an error with the file, the cause and the remedy."""
    if isinstance(error, UnicodeError):
        return StackError(
            "A name or a file has characters that cannot be used",
            why=f"{error}.",
            remedy="Rename it, or set LC_ALL=C.UTF-8.",
        )
    reason = (error.strerror or str(error) or type(error).__name__).removesuffix(".")
    path = error.filename2 or error.filename
    where = f" ({path})" if path else ""
    if is_full(error):
        return StackError("The disk is full", why=f"{reason}{where}.", remedy="Free space there, then try again.")
    remedy = "Make it accessible, or name another folder with --data-dir." if path else ""
    return StackError("The operating system refused a call", why=f"{reason}{where}.", remedy=remedy)
