"""The feeds learn the services' time before anything is judged by it."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from desktop.model.services_clock import ServicesClock
from desktop.model.store import LiveStore
from desktop.workers.feeds import LiveFeeds
from tests.helpers.fake_target import FakeTarget
from tests.helpers.http_generator import http_generator


@pytest.fixture
def generator() -> Iterator[str]:
    with http_generator() as server:
        yield server.address


@pytest.mark.parametrize("wrong_s", [3600.0, -3600.0])
def test_a_wrong_clock_is_known_before_the_first_judgement(generator: str, wrong_s: float) -> None:
    target = FakeTarget(up=True)
    target.given = replace(target.endpoints(), generator=generator, kafka="127.0.0.1:9", mongo="mongodb://127.0.0.1:9/")
    clock = ServicesClock(wall=lambda: time.time() + wrong_s)
    store = LiveStore(clock=clock)
    feeds = LiveFeeds(target=target, store=store, clock=clock)
    try:
        assert store.now() == pytest.approx(time.time(), abs=2.0)
        health = feeds.health()
        assert health.at == pytest.approx(time.time(), abs=2.0)
        (message,) = [m for m in health.messages if m.key == "clock-skew"]
        assert f"1 h 0 min {'ahead of' if wrong_s > 0 else 'behind'}" in message.text
        assert [m.key for m in health.messages] == ["clock-skew"], "nobody is said to be silent for an hour"
    finally:
        feeds.stop(1.0)
