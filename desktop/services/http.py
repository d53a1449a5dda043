"""HTTP with bounded time and typed errors, the same for every service of ours."""

from collections.abc import Mapping
from typing import Any, TypeVar

import httpx
import msgspec

from desktop.model.services_clock import ServicesClock
from desktop.services.errors import (
    BusyError,
    InvalidRequestError,
    ProtocolError,
    RefusedError,
    UnauthorisedError,
    UnreachableError,
)

T = TypeVar("T")

_CONNECT_TIMEOUT_S = 3.0
#: An error text longer than this would be somebody's page, not a reason.
_MAX_REASON_CHARS = 300


class HttpClient:
    """One service. Thread-safe; every call blocks for at most about `timeout_s`.

    Args:
        name: What people call the service: "The generator".
        base_url: ``http://127.0.0.1:7000``.
        token: Bearer token, if the service wants one.
        timeout_s: Bound of a call.
        transport: Another transport, for tests.
        services_clock: Gets the time of each answer, if given.
    """

    def __init__(
        self,
        *,
        name: str,
        base_url: str,
        token: str | None = None,
        timeout_s: float = 5.0,
        transport: httpx.BaseTransport | None = None,
        services_clock: ServicesClock | None = None,
    ) -> None:
        self._services_clock = services_clock
        self._name = name
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._client = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(timeout_s, connect=min(_CONNECT_TIMEOUT_S, timeout_s)),
            transport=transport,
            trust_env=False,  # a proxy of the environment is not meant for the own system
        )

    def request(self, method: str, path: str, *, params: Mapping[str, Any] | None = None, body: Any = None) -> bytes:
        """The answer's body.

        Raises:
            ServiceError: one of the tree in `desktop.services.errors`.
        """
        query = {key: value for key, value in (params or {}).items() if value not in (None, "")}
        sent = self._services_clock.local() if self._services_clock is not None else 0.0
        try:
            answer = self._client.request(method, path, params=query, json=body)
        except httpx.TimeoutException as error:
            raise UnreachableError(
                f"{self._name} did not answer within {self._timeout_s:g} s",
                remedy="It may be busy or starting: see the Services page, and repeat it.",
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnreachableError(
                f"{self._name} cannot be reached at {self._base_url}",
                why=_sentence(str(error) or type(error).__name__),
                remedy="Is it running? The Services page shows its state and log.",
            ) from error
        if self._services_clock is not None:
            self._services_clock.observe(answer.headers.get("Date", ""), sent)
        if answer.is_success:
            return answer.content
        raise self._refusal(answer)

    def decode(self, content: bytes, shape: type[T]) -> T:
        """Parse an answer.

        Raises:
            ProtocolError: It has another shape.
        """
        try:
            return msgspec.json.decode(content, type=shape)
        except msgspec.DecodeError as error:
            raise ProtocolError(
                f"{self._name} answered something unexpected",
                why=_sentence(str(error)),
                remedy="Do the versions of desktop and services match?",
            ) from error

    def close(self) -> None:
        """Drop the connections."""
        self._client.close()

    def _refusal(self, answer: httpx.Response) -> RefusedError:
        status, why = answer.status_code, _reason(answer)
        if status in (401, 403):
            return UnauthorisedError(
                f"{self._name} refused the access token",
                status=status,
                why=why,
                remedy="Restart the monitor: it reads the current token when it starts.",
            )
        if status == 503:
            return BusyError(
                f"{self._name} cannot take it right now",
                status=status,
                retry_after_s=_seconds(answer.headers.get("Retry-After")),
                why=why,
                remedy="Repeating it is safe.",
            )
        if 400 <= status < 500:
            return InvalidRequestError(f"{self._name} refused the request", status=status, why=why)
        return RefusedError(f"{self._name} failed with status {status}", status=status, why=why, remedy="Its log tells more.")


def _seconds(text: str | None) -> float:
    try:
        return max(0.0, float(text or "1"))
    except ValueError:
        return 1.0


def _sentence(text: str) -> str:
    text = " ".join(text.split())[:_MAX_REASON_CHARS]
    return text if text.endswith((".", "!", "?")) or not text else text + "."


def _reason(answer: httpx.Response) -> str:
    """The `detail` of an error answer, as one sentence."""
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return _sentence(answer.text)
    if isinstance(detail, list):  # FastAPI's list of fields
        parts = (
            f"{'.'.join(map(str, item.get('loc', ())))}: {item.get('msg', '')}" if isinstance(item, dict) else str(item)
            for item in detail[:3]
        )
        return _sentence("; ".join(parts))
    return _sentence(str(detail))
