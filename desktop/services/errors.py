"""Exceptions of the desktop's services.

ServiceError                base: what failed, why, what to do
├── UnreachableError        nobody answers there, or not in time
├── RefusedError            it answered, and would not
│   ├── UnauthorisedError   the token is missing or wrong
│   ├── InvalidRequestError it says which field is wrong (422 and other 4xx)
│   └── BusyError           it cannot take more right now (503); says when to come again
├── ProtocolError           it answered something that the contract does not know
└── ExportError             a file could not be written
"""


class ServiceError(Exception):
    """Base of all errors of this package.

    Attributes:
        what: What failed, as a sentence's beginning.
        why: The cause as far as known; may be empty.
        remedy: What the user can do; may be empty.
    """

    def __init__(self, what: str, *, why: str = "", remedy: str = "") -> None:
        self.what, self.why, self.remedy = what, why, remedy
        super().__init__(" ".join(part for part in (f"{what}:" if why else what, why, remedy) if part))


class UnreachableError(ServiceError):
    """Nobody answers there, or not in time."""


class RefusedError(ServiceError):
    """It answered, and would not.

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, what: str, *, status: int, why: str = "", remedy: str = "") -> None:
        self.status = status
        super().__init__(what, why=why, remedy=remedy)


class UnauthorisedError(RefusedError):
    """The token is missing or wrong."""


class InvalidRequestError(RefusedError):
    """What was asked for is not valid; `why` names the field."""


class BusyError(RefusedError):
    """It cannot take more right now.

    Attributes:
        retry_after_s: When to come again.
    """

    def __init__(self, what: str, *, status: int, retry_after_s: float, why: str = "", remedy: str = "") -> None:
        self.retry_after_s = retry_after_s
        super().__init__(what, status=status, why=why, remedy=remedy)


class ProtocolError(ServiceError):
    """It answered something that the contract does not know."""


class ExportError(ServiceError):
    """A file could not be written."""
