"""Runs a service's application on uvicorn, uvloop and httptools, with an inherited socket and a drain on SIGTERM."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from backend.common.answers import to_json
from backend.common.app import ServiceApp
from backend.common.settings import ServiceSettings

#: Seconds for running requests to end once the drain is over. Longer than paai waits for Kafka.
GRACE_S: Final = 10
#: Seconds for requests that are on their way on connections that were accepted.
LAST_REQUESTS_S: Final = 0.3
BACKLOG: Final = 4096
EXIT_NO_SOCKET: Final = 1

_log = logging.getLogger("service")


class _Server(uvicorn.Server):
    """uvicorn that goes on serving, not ready, for the drain after the first signal; a second signal ends the drain."""

    def __init__(self, config: uvicorn.Config, *, app: ServiceApp, drain_s: float) -> None:
        super().__init__(config)
        self._app, self._drain_s = app, drain_s
        self._stop_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._stop_at is None:
            self._app.health.draining = True
            self._stop_at = now + self._drain_s
        elif sig == signal.SIGINT and self.should_exit:
            self.force_exit = True
        else:
            self._stop_at = now
        if self._stop_at <= now:
            self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn drops a connection whose request it has not read yet. So: take no new ones, answer what is on its way on those
        # that were taken, and tell their clients that it was the last answer; only then shut down.
        for server in self.servers:
            server.close()
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        await asyncio.sleep(LAST_REQUESTS_S)
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn's own raises the signal again at the end; a service that stopped as asked ends with status 0.
        before = {sig: signal.signal(sig, self.handle_exit) for sig in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)


class _Protocol(HttpToolsProtocol):
    """uvicorn's, with the contract's form for what is no HTTP."""

    def send_400_response(self, msg: str) -> None:
        body = to_json({"detail": f"The request is not valid HTTP: {msg}"})
        head = (
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        )
        self.transport.write(head + body)
        self.transport.close()


def open_socket(settings: ServiceSettings) -> socket.socket:
    """The listening socket: the inherited one, else bound to host and port.

    Raises:
        OSError: it cannot be had.
    """
    if settings.fd is not None:
        inherited = socket.socket(fileno=os.dup(settings.fd))
        inherited.listen(BACKLOG)
        inherited.setblocking(False)
        return inherited
    family, _, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


def run(app: ServiceApp, settings: ServiceSettings, *, service: str) -> None:
    """Serve until SIGTERM or SIGINT; returns after the drain, the running requests and the lifespan's end.

    Args:
        app: The application.
        settings: Where to listen, how long to drain.
        service: Its name for messages.
    """
    try:
        sock = open_socket(settings)
    except OSError as error:
        where = f"file descriptor {settings.fd}" if settings.fd is not None else f"{settings.host}:{settings.port}"
        sys.stderr.write(f"{service} cannot listen on {where}: {error.strerror or error}\n")
        raise SystemExit(EXIT_NO_SOCKET) from None
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=_Protocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_S,
        # Longer than the pause between two readings of one device, so that a client keeps its connection.
        timeout_keep_alive=75,
    )
    server = _Server(config, app=app, drain_s=settings.drain_s)
    host, port = sock.getsockname()[:2]
    _log.info("%s listens on http://%s:%s (process %s)", service, host, port, os.getpid())
    try:
        server.run(sockets=[sock])
    except asyncio.CancelledError:
        pass
    finally:
        app.metrics.close()
    _log.info("%s ended", service)
