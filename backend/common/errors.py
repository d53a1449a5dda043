"""Errors that a service answers or stops with.

ServiceError                    answered as {"detail": …} with its status
├── UnauthorizedError           401, the token is missing or wrong
├── NotFoundError               404
├── ConflictError               409
├── BodyTooLargeError           413
├── UnsupportedEncodingError    415, Content-Encoding names another coding or several
├── InvalidInputError           422, which field and why
└── UnavailableError            503 + Retry-After, not taken: repeat it
ConfigurationError              the service cannot start with these settings
ClientGoneError                 the client left while its request was read; nobody is there to be answered
"""

from collections.abc import Mapping, Sequence
from typing import Any

#: One entry of a 422's detail: {"type", "loc", "msg"} and a short "input" where that helps.
FieldError = Mapping[str, Any]


class ServiceError(Exception):
    """Base of what is answered to a client.

    Attributes:
        status: HTTP status.
        detail: What stands under ``detail``: a sentence, or a list of field errors.
        headers: Extra headers of the answer.
    """

    status = 500

    def __init__(self, detail: str | Sequence[FieldError], *, headers: Mapping[str, str] | None = None) -> None:
        self.detail = detail
        self.headers: dict[str, str] = dict(headers or {})
        super().__init__(detail)


class UnauthorizedError(ServiceError):
    """The bearer token is missing or wrong."""

    status = 401

    def __init__(self, detail: str = "This service wants the header `Authorization: Bearer <token>` with its token.") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class NotFoundError(ServiceError):
    """What the address names does not exist."""

    status = 404


class ConflictError(ServiceError):
    """Not possible in the present state."""

    status = 409


class BodyTooLargeError(ServiceError):
    """The body is over the limit.

    Attributes:
        limit: The limit in bytes.
        close: Whether the connection has to be closed because the client still sends.
    """

    status = 413

    def __init__(self, limit: int, *, close: bool = False) -> None:
        self.limit, self.close = limit, close
        detail = f"The body is larger than {limit:,} bytes ({limit / 1024**2:g} MiB); send it in smaller parts."
        super().__init__(detail, headers={"Connection": "close"} if close else None)


class UnsupportedEncodingError(ServiceError):
    """The body has a content coding that is not accepted."""

    status = 415

    def __init__(self, coding: str, *, accepted: str) -> None:
        detail = f"Content-Encoding {coding[:80]!r} is not accepted; send one of {accepted}, or none."
        super().__init__(detail, headers={"Accept-Encoding": accepted})


class InvalidInputError(ServiceError):
    """The input breaks the contract; repeating it does not help."""

    status = 422


class UnavailableError(ServiceError):
    """Not taken; repeating it later is safe.

    Attributes:
        retry_after_s: When to repeat, whole seconds.
    """

    status = 503

    def __init__(self, detail: str, *, retry_after_s: int = 1) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(detail, headers={"Retry-After": str(retry_after_s)})


class ConfigurationError(Exception):
    """The service cannot start with these settings; the message says which and why."""


class ClientGoneError(Exception):
    """The client closed the connection before its request was complete."""
