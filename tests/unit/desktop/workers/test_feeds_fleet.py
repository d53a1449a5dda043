"""A fleet that was made smaller leaves no open dropouts: the generator's answer reaches what is known of anomalies."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from desktop.model.predictions.record import Grade, Prediction
from desktop.model.store import LiveStore
from desktop.workers.feeds import LiveFeeds
from tests.helpers.fake_target import FakeTarget
from tests.helpers.http_generator import HttpGenerator, http_generator
from tests.helpers.wait import wait_until


@pytest.fixture
def generator() -> Iterator[HttpGenerator]:
    with http_generator(Thermostat=1_300) as server:
        yield server


def silence(n: int) -> Prediction:
    return Prediction(
        id=f"thermostat-{n:05d}/temperature/1/dropout",
        device_id=f"thermostat-{n:05d}",
        sensor="temperature",
        t_ms=1_000,
        value=float("nan"),
        score=1.0,
        anomaly=True,
        reason="Dropout.",
        kind="dropout",
        grade=Grade.CRITICAL,
        since_ms=1_000,
    )


def test_a_slider_from_1300_to_20_leaves_no_open_dropouts(generator: HttpGenerator) -> None:
    target = FakeTarget(up=True)
    target.given = replace(target.endpoints(), generator=generator.address, kafka="127.0.0.1:9", mongo="mongodb://127.0.0.1:9/")
    store = LiveStore()
    feeds = LiveFeeds(target=target, store=store)
    feeds.start()
    try:
        wait_until(lambda: feeds.fleet().counts["Thermostat"] == 1_300, 10, "the fleet")
        generator.fleet["Thermostat"] = 20
        wait_until(lambda: feeds.fleet().counts["Thermostat"] == 20, 10, "the smaller fleet")
        store.predictions.ingest([silence(n) for n in range(20, 1_301)])
        wait_until(lambda: len(store.predictions.events()) == 1, 10, "the silences of the fleet to go")
        assert [e.key.device_id for e in store.predictions.events()] == ["thermostat-00020"]
    finally:
        feeds.stop(5.0)
