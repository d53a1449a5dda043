"""Reading a request's body: unpacked, with a limit that counts what really arrives, whatever Content-Length says."""

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.common.answers import send_error
from backend.common.encoding import coding_of, unpack
from backend.common.errors import BodyTooLargeError, ClientGoneError, InvalidInputError, ServiceError, UnavailableError
from backend.contract.limits import MAX_BODY_BYTES
from backend.contract.nesting import TOO_DEEP, is_too_deep
from backend.contract.parsing import to_utf8

#: Seconds for a body that comes in several parts to arrive. A client slower than that is answered 408.
BODY_TIMEOUT_S: Final = 60.0
#: A body that does not compress may be this much longer packed than unpacked.
PACKING_BYTES: Final = 64 * 1024
#: What a too large body may still send before the connection is cut: a client that gets to the end of its
#: request reads the 413, one that is cut off sees a reset connection.
DISCARD_BYTES: Final = 64 * 1024 * 1024
DISCARD_S: Final = 10.0
#: All bodies in parts that one process holds at the same time.
MAX_HELD_BYTES: Final = 256 * 1024 * 1024

_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Headers that no longer tell of the body that is handed on.
_REPLACED = frozenset({b"content-type", b"content-encoding", b"content-length"})


class BodyTimeoutError(ServiceError):
    """408: the body did not arrive in time."""

    status = 408

    def __init__(self) -> None:
        super().__init__(f"The body did not arrive within {BODY_TIMEOUT_S:g} s.", headers={"Connection": "close"})


@dataclass(slots=True)
class BodyReader:
    """Reads bodies of one process.

    Attributes:
        limit: Largest body, in bytes, unpacked.
        held: Bytes of unfinished bodies held now.
        max_held: Bound on `held`.
    """

    limit: int = MAX_BODY_BYTES
    held: int = 0
    max_held: int = MAX_HELD_BYTES

    async def read(self, scope: Scope, receive: Receive) -> bytes:
        """Return the whole body, unpacked.

        Raises:
            BodyTooLargeError: over the limit.
            UnsupportedEncodingError: packed in a way that is not accepted.
            InvalidInputError: not packed as Content-Encoding says.
            UnavailableError: too many large bodies are arriving at once.
            BodyTimeoutError: the body stopped arriving.
            ClientGoneError: the client left.
        """
        coding = coding_of(scope["headers"])
        if not coding:
            return await self._read_all(receive, self.limit)
        return unpack(await self._read_all(receive, self.limit + PACKING_BYTES), coding, limit=self.limit)

    async def _read_all(self, receive: Receive, limit: int) -> bytes:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        body: bytes = message.get("body", b"")
        if message.get("more_body"):
            try:
                async with asyncio.timeout(BODY_TIMEOUT_S):
                    return await self._read_parts(body, receive, limit)
            except TimeoutError:
                raise BodyTimeoutError from None
        if len(body) > limit:
            raise BodyTooLargeError(self.limit)
        return body

    async def _read_parts(self, first: bytes, receive: Receive, limit: int) -> bytes:
        parts, size, more = [first], len(first), True
        self.held += size
        try:
            while more:
                if size > limit:
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
            if size > limit:
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
    """ASGI middleware: reads the body within the limit, then hands it on whole, unpacked, and as JSON whatever its type."""

    def __init__(self, app: ASGIApp, reader: BodyReader) -> None:
        self._app, self._reader = app, reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _BODILESS:
            await self._app(scope, receive, send)
            return
        body: bytes | None
        try:
            body = await self._reader.read(scope, receive)
            if is_too_deep(to_utf8(body)):
                raise InvalidInputError([{"type": "json_invalid", "loc": ["body"], "msg": TOO_DEEP}])
        except ServiceError as error:
            await send_error(send, error)
            return

        headers = [item for item in scope["headers"] if item[0] not in _REPLACED]
        scope = {**scope, "headers": [*headers, (b"content-type", b"application/json")]}

        async def replay() -> Message:
            nonlocal body
            if body is None:
                return await receive()
            message = {"type": "http.request", "body": body, "more_body": False}
            body = None
            return message

        await self._app(scope, replay, send)
