"""A deployment on an engine in memory; nothing waits longer than it must."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.contract.ports import Ports
from stack import canary, mongo
from stack.swarm import down, operations, preflight, rotate, up, watch
from stack.swarm.site import Site
from stack.swarm.store import CredentialStore
from stack.target import Check
from tests.helpers.fake_engine import FakeEngine


@pytest.fixture
def engine() -> FakeEngine:
    """Images are there, swarm mode is on, nothing is deployed."""
    return FakeEngine()


@pytest.fixture
def site(engine: FakeEngine, tmp_path: Path) -> Site:
    """Stack ``paai-4000`` on that engine."""
    folder = tmp_path / "swarm"
    return Site(engine=engine, ports=Ports(4000), folder=folder, store=CredentialStore(folder))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses between two looks; no canary, and no look at this machine's ports."""
    for module in (watch, operations, down):
        monkeypatch.setattr(module, "POLL_S", 0.001)
    monkeypatch.setattr(rotate, "_POLL_S", 0.001)
    for name in [name for name in os.environ if name.startswith(("PAAI_", "SPARK_", "MONGO_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(preflight, "port_is_free", lambda port, host: True)
    monkeypatch.setattr(preflight, "outdated", lambda docker, images: ())
    monkeypatch.setattr(canary, "send", _sent)
    monkeypatch.setattr(mongo, "is_built", lambda: True)


def _sent(
    *, paai: str, mongo: str, command: object, token: str | None, offsets: object, cancel: threading.Event
) -> Iterator[str]:
    yield f"Posts to {paai}."


@pytest.fixture
def deployed(site: Site) -> Site:
    """The stack, up."""
    list(up.Up(site, preflight=list[Check], cancel=None).run())
    return site
