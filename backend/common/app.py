"""The application of a service: FastAPI with this project's common rules around it."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.common.answers import INTERNAL_ERROR, field_errors, send_bytes, send_error, send_internal_error, shorten, to_json
from backend.common.auth import BearerToken
from backend.common.body import BodyLimit, BodyReader
from backend.common.docs import docs_page
from backend.common.errors import ClientGoneError, ServiceError, UnauthorizedError
from backend.common.health import Health
from backend.common.metrics import Metrics
from backend.common.openapi import NotReady, complete_document

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
#: Returns the `receive` and `send` that a request is served with.
Watch = Callable[[Scope, Receive, Send], tuple[Receive, Send]]

_log = logging.getLogger("service")


class Status(BaseModel):
    """How the process is."""

    status: Literal["ok", "ready", "stopping"]


class JsonAnswer(JSONResponse):
    """A JSON answer that no input can break."""

    def render(self, content: object) -> bytes:
        return to_json(content)


class ServiceApp(FastAPI):
    """FastAPI, with token check and, for the few addresses that must be fast, endpoints without FastAPI's layers.

    Attributes:
        health: Behind ``/healthz`` and ``/readyz``.
        metrics: Behind ``/metrics``.
        bodies: Reads bodies within the limit; direct endpoints call it themselves.
        extra_schemas: Schemas for the OpenAPI document that direct endpoints refer to, by name.
        watch: Sees every request and its answer; None normally.
    """

    def __init__(self, *, tokens: Sequence[bytes], health: Health, metrics: Metrics, **options: Any) -> None:
        super().__init__(**options)
        self.health, self.metrics, self.bodies = health, metrics, BodyReader()
        self.extra_schemas: dict[str, Any] = {}
        self.watch: Watch | None = None
        self._auth = BearerToken(tokens) if tokens else None
        self._direct: dict[str, ASGIApp] = {}

    def add_direct_post(self, path: str, endpoint: ASGIApp, **documentation: Any) -> None:
        """Serve POST on `path` by a plain ASGI endpoint. It is documented like any other route.

        Args:
            path: Without parameters.
            endpoint: May raise ServiceError; everything else is answered 500.
            documentation: Arguments of FastAPI's `add_api_route`.
        """
        self._direct[path] = endpoint

        async def documented() -> Response:  # never called for POST: `__call__` is there first
            raise HTTPException(404)

        self.add_api_route(path, documented, methods=["POST"], response_class=Response, **documentation)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        if self.watch is not None:
            receive, send = self.watch(scope, receive, send)
        if self._auth is not None and not self._auth.allows(scope):
            await send_error(send, UnauthorizedError())
            return
        if scope["method"] == "OPTIONS" and (allowed := self.allowed_methods(scope)):
            await send_bytes(send, 204, b"", [(b"allow", ", ".join(allowed).encode())])
            return
        direct = self._direct.get(scope["path"]) if scope["method"] == "POST" else None
        try:
            if direct is not None:
                await direct(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)
        except ServiceError as error:
            await send_error(send, error)
        except ClientGoneError:
            pass
        except Exception:
            if direct is None:
                raise  # FastAPI has answered already
            _log.exception("%s failed", scope["path"])
            await send_internal_error(send)

    def allowed_methods(self, scope: Scope) -> list[str]:
        """Every method that the path of a request has; empty for an unknown path."""
        methods = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
        found = [m for m in methods if any(route.matches({**scope, "method": m})[0] is Match.FULL for route in self.routes)]
        return [*found, "OPTIONS"] if found else []

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, with the token scheme where a token is asked for."""
        if self.openapi_schema is None:
            schema = get_openapi(title=self.title, version=self.version, description=self.description, routes=self.routes)
            schema.setdefault("components", {}).setdefault("schemas", {}).update(self.extra_schemas)
            complete_document(schema)
            if self._auth is not None:
                schema.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
                schema["security"] = [{"token": []}]
            self.openapi_schema = schema
        return self.openapi_schema


async def _on_service_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)  # noqa: S101 - registered for this class only
    return JsonAnswer({"detail": error.detail}, status_code=error.status, headers=error.headers)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code in (204, 304):
        return Response(status_code=error.status_code, headers=error.headers)
    if error.status_code == 400:  # FastAPI's answer to a body that is no text or nested too deeply
        return JsonAnswer(
            {"detail": [{"type": "json_invalid", "loc": ["body"], "msg": "The body is not JSON."}]}, status_code=422
        )
    detail = shorten(error.detail, 1000) if isinstance(error.detail, str) else error.detail
    headers = error.headers
    if error.status_code == 405:
        # The router names only the methods of the first route that has this path.
        headers = {"Allow": ", ".join(request.app.allowed_methods(request.scope))}
    return JsonAnswer({"detail": detail}, status_code=error.status_code, headers=headers)


async def _on_invalid_input(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    return JsonAnswer({"detail": field_errors(error.errors())}, status_code=422)


async def _on_failure(request: Request, _: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path)  # the server logs the traceback
    return JsonAnswer({"detail": INTERNAL_ERROR}, status_code=500)


def create_service_app(
    *,
    title: str,
    version: str,
    description: str,
    tokens: Sequence[bytes],
    health: Health,
    metrics: Metrics,
    lifespan: Lifespan | None = None,
) -> ServiceApp:
    """An application with ``/docs``, ``/openapi.json``, ``/healthz``, ``/readyz``, ``/metrics``, the token check, the body
    limit and errors as ``{"detail": …}``. Routes are added by the caller.

    Args:
        title: Name for people.
        version: Of the interface.
        description: One sentence for ``/docs``.
        tokens: The accepted bearer tokens; empty when none is asked for.
        health: Readiness checks.
        metrics: The service's metrics.
        lifespan: Start and stop of what the service owns.
    """
    app = ServiceApp(
        tokens=tokens,
        health=health,
        metrics=metrics,
        title=title,
        version=version,
        description=description,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        strict_content_type=False,
        exception_handlers={
            ServiceError: _on_service_error,
            HTTPException: _on_http_error,
            RequestValidationError: _on_invalid_input,
            Exception: _on_failure,
        },
    )
    app.add_middleware(BodyLimit, reader=app.bodies)
    _add_common_routes(app)
    return app


def _add_common_routes(app: ServiceApp) -> None:
    async def healthz() -> Response:
        """The process serves. From SIGTERM on 503, so that gateways turn elsewhere while it still answers."""
        if app.health.draining:
            return JsonAnswer({"status": "stopping"}, status_code=503)
        return JsonAnswer({"status": "ok"})

    async def readyz() -> Response:
        """The process also reaches what it needs; 503 says what it does not reach."""
        reasons = await app.health.reasons()
        if reasons:
            return JsonAnswer({"detail": reasons}, status_code=503, headers={"Retry-After": "1"})
        return JsonAnswer({"status": "ready"})

    async def metrics() -> Response:
        """Metrics in Prometheus' text format."""
        body, content_type = app.metrics.render()
        return Response(body, headers={"content-type": content_type})

    async def docs() -> Response:
        return HTMLResponse(docs_page())

    not_ready: dict[str, Any] = {"model": NotReady, "description": "What it does not reach."}
    routes: Mapping[str, tuple[Callable[[], Awaitable[Response]], dict[str, Any]]] = {
        "/healthz": (
            healthz,
            {"response_model": Status, "responses": {503: {"model": Status, "description": "It is stopping."}}},
        ),
        "/readyz": (readyz, {"response_model": Status, "responses": {503: not_ready}}),
        "/metrics": (metrics, {"response_class": PlainTextResponse}),
    }
    for path, (endpoint, documentation) in routes.items():
        app.add_api_route(path, endpoint, methods=["GET"], tags=["operation"], **documentation)
        app.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)
    app.add_api_route("/docs", docs, methods=["GET"], include_in_schema=False)
