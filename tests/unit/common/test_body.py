"""The body limit counts what arrives, whatever is promised."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from backend.common import body as module
from backend.common.body import BodyReader, BodyTimeoutError
from backend.common.errors import BodyTooLargeError, ClientGoneError, UnavailableError

Receive = Callable[[], Awaitable[Any]]
SCOPE: dict[str, Any] = {"type": "http", "headers": []}


def sending(*parts: bytes, end: bool = True) -> Receive:
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    if end:
        messages[-1]["more_body"] = False
    else:
        messages.append({"type": "http.disconnect"})

    async def receive() -> Any:
        return messages.pop(0)

    return receive


async def test_whole_bodies() -> None:
    reader = BodyReader(limit=10)
    assert await reader.read(SCOPE, sending(b"")) == b""
    assert await reader.read(SCOPE, sending(b"0123456789")) == b"0123456789"
    assert await reader.read(SCOPE, sending(b"01234", b"", b"56789")) == b"0123456789"
    assert reader.held == 0


@pytest.mark.parametrize("parts", [(b"x" * 11,), (b"x" * 5, b"x" * 6), (b"x",) * 11, (b"x" * 11, b"", b"x")])
async def test_too_large(parts: tuple[bytes, ...]) -> None:
    reader = BodyReader(limit=10)
    with pytest.raises(BodyTooLargeError) as caught:
        await reader.read(SCOPE, sending(*parts))
    assert not caught.value.close
    assert reader.held == 0


async def test_endless_body_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DISCARD_BYTES", 1000)
    asked = 0

    async def receive() -> Any:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b"x" * 100, "more_body": True}

    with pytest.raises(BodyTooLargeError) as caught:
        await BodyReader(limit=10).read(SCOPE, receive)
    assert caught.value.headers == {"Connection": "close"}
    assert asked < 15


async def test_client_that_leaves() -> None:
    reader = BodyReader(limit=10)
    for parts in ((b"x",), (b"x" * 20,)):
        with pytest.raises(ClientGoneError):
            await reader.read(SCOPE, sending(*parts, end=False))
    assert reader.held == 0


async def test_all_bodies_together_are_bounded() -> None:
    reader = BodyReader(limit=1000, max_held=50)
    with pytest.raises(UnavailableError):
        await reader.read(SCOPE, sending(b"x" * 60, b"x"))
    assert reader.held == 0


async def test_body_that_stops_arriving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BODY_TIMEOUT_S", 0.02)
    first = True

    async def receive() -> Any:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": b"x", "more_body": True}
        await asyncio.Event().wait()
        return None

    with pytest.raises(BodyTimeoutError):
        await BodyReader(limit=10).read(SCOPE, receive)
