"""The common rules around any service: health within bounds, errors as JSON that nothing can break, answers bounded."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from pydantic import BaseModel

from backend.common.answers import MAX_ERRORS, excerpt, field_errors, to_json
from backend.common.app import ServiceApp, create_service_app
from backend.common.errors import ConflictError, NotFoundError, UnavailableError
from backend.common.health import Health
from backend.common.metrics import MULTIPROC_VARIABLE, MetricDef, Metrics

COUNT = MetricDef("things_total", "counter", "Things.")


class Thing(BaseModel):
    size: int
    names: list[str] = []


def make_app(health: Health | None = None) -> ServiceApp:
    app = create_service_app(
        title="t", version="1", description="d", tokens=(), health=health or Health(), metrics=Metrics([COUNT])
    )

    @app.post("/things")
    async def things(thing: Thing) -> dict[str, int]:
        return {"size": thing.size}

    @app.get("/fail/{kind}")
    async def fail(kind: str) -> None:
        errors = {"409": ConflictError("busy"), "404": NotFoundError("none"), "503": UnavailableError("later", retry_after_s=3)}
        raise errors.get(kind, RuntimeError("the inside"))

    return app


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(make_app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as made:
        yield made


async def test_errors_of_routes(client: httpx.AsyncClient) -> None:
    for kind in ("404", "409", "503"):
        answer = await client.get(f"/fail/{kind}")
        assert answer.status_code == int(kind)
        assert isinstance(answer.json()["detail"], str)
    assert answer.headers["retry-after"] == "3"
    answer = await client.get("/fail/500")
    assert answer.status_code == 500
    assert "inside" not in answer.text


@pytest.mark.parametrize(
    "body",
    ["", "x", "{", "[]", '{"size": NaN}', '{"size": Infinity}', '{"size": "' + "x" * 1_000_000 + '"}', '{"size": "\\ud800"}',
     '{"size": ' + "9" * 4000 + ".5}", '{"size": 1, "names": [' + "1," * 100_000 + "1]}", "[" * 100_000,
     '{"' + "k" * 100_000 + '": 1}'],
)  # fmt: skip
async def test_bad_bodies_are_short_422s(client: httpx.AsyncClient, body: str) -> None:
    answer = await client.post("/things", content=body.encode())
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["msg"]
    assert len(answer.content) < 10_000


async def test_bytes_that_are_no_text(client: httpx.AsyncClient) -> None:
    assert (await client.post("/things", content=b"\xff\xfe\xfd")).status_code == 422


async def test_json_whatever_its_label(client: httpx.AsyncClient) -> None:
    answer = await client.post("/things", content=b'{"size": 3}', headers={"content-type": "text/plain"})
    assert answer.json() == {"size": 3}


async def test_readiness_names_what_fails_and_takes_bounded_time() -> None:
    async def fine() -> str:
        return ""

    async def hangs() -> str:
        await asyncio.Event().wait()
        return ""

    async def raises() -> str:
        raise OSError("no route")

    health = Health({"fine": fine, "hangs": hangs, "raises": raises}, timeout_s=0.05)
    transport = httpx.ASGITransport(make_app(health))
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        answer = await asyncio.wait_for(client.get("/readyz"), 2)
        assert answer.status_code == 503
        assert set(answer.json()["detail"]) == {"hangs", "raises"}
        assert "no route" in answer.json()["detail"]["raises"]
        assert (await client.get("/healthz")).status_code == 200


def test_excerpts_are_short_and_plain() -> None:
    for value in ("x" * 10**6, 10**5000, float("nan"), [1] * 10**5, {"a": 1}, None, True, "\ud800", b"x" * 10**6):
        text = excerpt(value)
        assert len(text) <= 80
        json.loads(to_json(text))
    assert (excerpt(True), excerpt(1), excerpt(None)) == ("true", "1", "null")


def test_many_errors_are_cut() -> None:
    errors = field_errors({"type": "t", "loc": ("x" * 1000, n), "msg": "m" * 1000, "input": "i" * 1000} for n in range(1000))
    assert len(errors) == MAX_ERRORS + 1
    assert len(to_json(errors)) < 20_000


def test_processes_that_share_a_port_add_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    metrics = Metrics([COUNT])
    metrics.counter(COUNT).inc(2)
    assert b"things_total 2.0" in metrics.render()[0]
    with pytest.raises(TypeError):
        metrics.gauge(COUNT)
    monkeypatch.setenv(MULTIPROC_VARIABLE, str(tmp_path / "shared"))
    shared = Metrics([COUNT])
    assert (tmp_path / "shared").is_dir()
    assert isinstance(shared.render()[0], bytes)
    shared.close()
