"""Reading a request's body with a limit that counts what really arrives, whatever Content-Length says."""

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.common.answers import send_error
from backend.common.errors import BodyTooLargeError, ClientGoneError, ServiceError, UnavailableError
from backend.contract.limits import MAX_BODY_BYTES

#: Seconds for a body that comes in several parts to arrive. A client slower than that is answered 408.
BODY_TIMEOUT_S: Final = 60.0
#: What a too large body may still send before the connection is cut: a client that gets to the end of its
#: request reads the 413, one that is cut off sees a reset connection.
DISCARD_BYTES: Final = 64 * 1024 * 1024
DISCARD_S: Final = 10.0
#: All bodies in parts that one process holds at the same time.
MAX_HELD_BYTES: Final = 256 * 1024 * 1024

_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})


class BodyTimeoutError(ServiceError):
    """408: the body did not arrive in time."""

    status = 408

    def __init__(self) -> None:
        super().__init__(f"The body did not arrive within {BODY_TIMEOUT_S:g} s.", headers={"Connection": "close"})


@dataclass(slots=True)
class BodyReader:
    """Reads bodies of one process.

    Attributes:
        limit: Largest body, in bytes.
        held: Bytes of unfinished bodies held now.
        max_held: Bound on `held`.
    """

    limit: int = MAX_BODY_BYTES
    held: int = 0
    max_held: int = MAX_HELD_BYTES

    async def read(self, receive: Receive) -> bytes:
        """The whole body.

        Raises:
            BodyTooLargeError: over the limit.
            UnavailableError: too many large bodies are arriving at once.
            BodyTimeoutError: the body stopped arriving.
            ClientGoneError: the client left.
        """
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        body: bytes = message.get("body", b"")
        if message.get("more_body"):
            try:
                async with asyncio.timeout(BODY_TIMEOUT_S):
                    return await self._read_parts(body, receive)
            except TimeoutError:
                raise BodyTimeoutError from None
        if len(body) > self.limit:
            raise BodyTooLargeError(self.limit)
        return body

    async def _read_parts(self, first: bytes, receive: Receive) -> bytes:
        parts, size, more = [first], len(first), True
        self.held += size
        try:
            while more:
                if size > self.limit:
                    parts.clear()
                    await self._discard(size, receive)
                if self.held > self.max_held:
                    raise UnavailableError("Too many large bodies are arriving at once; repeat it.")
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGoneError
                part = message.get("body", b"")
                more = message.get("more_body", False)
                parts.append(part)
                size += len(part)
                self.held += len(part)
            if size > self.limit:
                raise BodyTooLargeError(self.limit)
            return b"".join(parts)
        finally:
            self.held -= size

    async def _discard(self, size: int, receive: Receive) -> None:
        """Let the rest of a too large body pass, within bounds; always raises."""
        try:
            async with asyncio.timeout(DISCARD_S):
                while size <= DISCARD_BYTES:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientGoneError
                    size += len(message.get("body", b""))
                    if not message.get("more_body"):
                        raise BodyTooLargeError(self.limit)
        except TimeoutError:
            pass
        raise BodyTooLargeError(self.limit, close=True)


class BodyLimit:
    """ASGI middleware: reads the body within the limit, then hands it on whole, and as JSON whatever its label says."""

    def __init__(self, app: ASGIApp, reader: BodyReader) -> None:
        self._app, self._reader = app, reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _BODILESS:
            await self._app(scope, receive, send)
            return
        body: bytes | None
        try:
            body = await self._reader.read(receive)
        except ServiceError as error:
            await send_error(send, error)
            return

        headers = [item for item in scope["headers"] if item[0] != b"content-type"]
        scope = {**scope, "headers": [*headers, (b"content-type", b"application/json")]}

        async def replay() -> Message:
            nonlocal body
            if body is None:
                return await receive()
            message = {"type": "http.request", "body": body, "more_body": False}
            body = None
            return message

        await self._app(scope, replay, send)
