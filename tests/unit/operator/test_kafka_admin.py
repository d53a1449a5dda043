"""The admin client is replaced when it gets no answers any more."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from backend.operator.kafka_admin import ConfluentAdmin
from backend.operator.kafka_calls import FAILURES_BEFORE_A_NEW_CLIENT
from backend.operator.topics import KafkaUnavailableError, TopicSpec


class FakeClient:
    """Answers every request with the same error, or with success."""

    def __init__(self, error: KafkaError | None, *, brokers: int = 1) -> None:
        self._error = error
        self.brokers = brokers
        self.created: list[Any] = []

    def list_topics(self, *, timeout: float) -> SimpleNamespace:
        return SimpleNamespace(brokers=dict.fromkeys(range(self.brokers)), topics={})

    def create_topics(self, topics: list[Any], *, request_timeout: float) -> dict[str, "Future[None]"]:
        self.created += topics
        future: Future[None] = Future()
        if self._error is None:
            future.set_result(None)
        else:
            future.set_exception(KafkaException(self._error))
        return {topics[0].topic: future}


def admin_over(clients: list[FakeClient], *, replication_factor: int = 1) -> ConfluentAdmin:
    waiting = iter(clients)
    return ConfluentAdmin(
        bootstrap="nowhere:1", timeout_s=1, replication_factor=replication_factor, make_client=lambda config: next(waiting)
    )


def test_a_client_without_answers_is_replaced() -> None:
    timed_out = KafkaError(KafkaError._TIMED_OUT)
    admin = admin_over([FakeClient(timed_out), FakeClient(None)])
    spec = TopicSpec("t", 1)
    for _ in range(FAILURES_BEFORE_A_NEW_CLIENT):
        with pytest.raises(KafkaUnavailableError, match="creating a topic"):
            admin.create(spec)
    assert admin.create(spec)


def test_a_topic_that_exists_was_not_created() -> None:
    admin = admin_over([FakeClient(KafkaError(KafkaError.TOPIC_ALREADY_EXISTS))])
    assert not admin.create(TopicSpec("t", 1))


def test_a_topic_is_created_once_every_broker_that_shall_hold_a_copy_is_there() -> None:
    """Created before, it would never be led by the broker that came last."""
    client = FakeClient(None, brokers=2)
    admin = admin_over([client], replication_factor=3)
    with pytest.raises(KafkaUnavailableError, match="2 of the 3 brokers that topic t needs are there"):
        admin.create(TopicSpec("t", 3))
    assert client.created == []
    client.brokers = 3
    assert admin.create(TopicSpec("t", 3))
    assert [topic.replication_factor for topic in client.created] == [3]
