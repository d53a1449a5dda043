"""The admin client is replaced when it gets no answers any more."""

from concurrent.futures import Future
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from backend.operator.kafka_admin import ConfluentAdmin
from backend.operator.kafka_calls import FAILURES_BEFORE_A_NEW_CLIENT
from backend.operator.topics import KafkaUnavailableError, TopicSpec


class FakeClient:
    """Answers every request with the same error, or with success."""

    def __init__(self, error: KafkaError | None) -> None:
        self._error = error

    def create_topics(self, topics: list[Any], *, request_timeout: float) -> dict[str, "Future[None]"]:
        future: Future[None] = Future()
        if self._error is None:
            future.set_result(None)
        else:
            future.set_exception(KafkaException(self._error))
        return {topics[0].topic: future}


def admin_over(clients: list[FakeClient]) -> ConfluentAdmin:
    waiting = iter(clients)
    return ConfluentAdmin(bootstrap="nowhere:1", timeout_s=1, make_client=lambda config: next(waiting))


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
