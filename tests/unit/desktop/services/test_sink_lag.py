"""Rates of the sink from committed offsets and ends."""

import math
import threading

import pytest

from desktop.services.kafka_feed import KafkaLogin
from desktop.services.sink_lag import SinkLag, SlopeMeter
from tests.helpers.fake_topic import HIDDEN, FakeTopic
from tests.helpers.wait import wait_until


def test_a_sink_that_does_not_keep_up() -> None:
    meter = SlopeMeter()
    for second in range(0, 31, 2):
        told = meter.add(1000.0 + second, 1_900 * second, 2_400 * second + 100)
    assert told.lag == 500 * 30 + 100
    assert told.stored_per_s == pytest.approx(1_900)
    assert told.produced_per_s == pytest.approx(2_400)
    assert told.growth_per_s == pytest.approx(500)


def test_nothing_is_said_of_rates_before_enough_was_seen() -> None:
    meter = SlopeMeter()
    meter.add(1000.0, 0, 0)
    assert math.isnan(meter.add(1002.0, 10, 20).growth_per_s)


def test_a_topic_made_anew_starts_over() -> None:
    meter = SlopeMeter()
    for second in range(0, 31, 2):
        meter.add(1000.0 + second, second, second)
    told = meter.add(1032.0, 0, 5)
    assert told.lag == 5
    assert math.isnan(told.stored_per_s)


def test_commits_in_steps_are_no_growth() -> None:
    meter = SlopeMeter()
    # 1 000 a second come in, all are stored, and that is committed every ten seconds.
    growths = [meter.add(1000.0 + t, 1_000 * (t // 10 * 10), 1_000 * t).growth_per_s for t in range(0, 120, 2)]
    known = [growth for growth in growths if not math.isnan(growth)]
    assert len(known) > 40
    assert max(abs(growth) for growth in known) < 1


def test_a_sink_that_stands_still_is_seen_as_such() -> None:
    meter = SlopeMeter()
    for tick in range(0, 60, 2):
        told = meter.add(1000.0 + tick, 1_000 * min(tick, 20), 1_000 * tick)
    assert told.stored_per_s < 400
    assert told.growth_per_s > 600


def test_markers_and_aborted_records_of_an_idle_topic_are_no_lag() -> None:
    topic = FakeTopic()
    topic.produce(b"{}")
    for _ in range(3):
        topic.produce(HIDDEN)
        topic.produce(HIDDEN, partition=1)
    topic.committed = {0: 1}
    lag, stop = SinkLag(login=KafkaLogin("nowhere"), make_consumer=topic.consumer, poll_s=0.001), threading.Event()
    thread = threading.Thread(target=lag.run, args=(stop,))
    thread.start()
    try:
        wait_until(lambda: lag.progress.lag == 0, 5, "a lag of 0")
        topic.produce(b"{}", partition=1)
        wait_until(lambda: lag.progress.lag == 1, 5, "the reading that waits")
    finally:
        stop.set()
        thread.join(5)
    assert all(c.closed for c in topic.consumers)
