"""Topics are created, grown and put right."""

import pytest

from backend.contract import limits
from backend.contract.names import (
    MESSAGES_PARTITIONS,
    TOPIC_CLOCK,
    TOPIC_DEAD_LETTERS,
    TOPIC_HEARTBEATS,
    TOPIC_MESSAGES,
    TOPIC_PREDICTIONS,
)
from backend.operator.topics import KafkaUnavailableError, TopicKeeper, TopicSpec, wanted_topics

SPECS = wanted_topics(retention_hours=limits.RETENTION_HOURS, retention_bytes=limits.RETENTION_BYTES)


class FakeAdmin:
    """Topics in memory."""

    def __init__(self) -> None:
        self.topics: dict[str, tuple[int, dict[str, str]]] = {}
        self.up = True
        self.lists_nothing = False

    def partitions(self) -> dict[str, int]:
        if not self.up:
            raise KafkaUnavailableError("no broker answers")
        return {} if self.lists_nothing else {name: n for name, (n, _) in self.topics.items()}

    def configs(self, topics: list[str]) -> dict[str, dict[str, str]]:
        return {name: dict(self.topics[name][1]) for name in topics if name in self.topics}

    def create(self, spec: TopicSpec) -> bool:
        if spec.name in self.topics:
            return False
        self.topics[spec.name] = (spec.partitions, dict(spec.config))
        return True

    def grow(self, topic: str, partitions: int) -> None:
        self.topics[topic] = (partitions, self.topics[topic][1])

    def alter(self, topic: str, changes: dict[str, str]) -> None:
        self.topics[topic][1].update(changes)

    def close(self) -> None:
        """Nothing to close."""


def converge(keeper: TopicKeeper) -> None:
    for _ in range(5):
        if keeper.step().converged:
            return
    raise AssertionError(keeper.step().message)


@pytest.fixture
def admin() -> FakeAdmin:
    return FakeAdmin()


@pytest.fixture
def keeper(admin: FakeAdmin) -> TopicKeeper:
    return TopicKeeper(admin=admin, wanted=SPECS)


def test_they_are_created_with_their_retention(admin: FakeAdmin, keeper: TopicKeeper) -> None:
    converge(keeper)
    assert {n: p for n, (p, _) in admin.topics.items()} == {
        TOPIC_MESSAGES: MESSAGES_PARTITIONS,
        TOPIC_PREDICTIONS: MESSAGES_PARTITIONS,
        TOPIC_DEAD_LETTERS: 1,
        TOPIC_HEARTBEATS: 1,
        TOPIC_CLOCK: 1,
    }
    config = admin.topics[TOPIC_MESSAGES][1]
    assert int(config["retention.ms"]) == 24 * 3600 * 1000
    assert int(config["retention.bytes"]) * MESSAGES_PARTITIONS <= limits.RETENTION_BYTES


def test_the_limit_on_packed_batches_bounds_unpacked_ones(admin: FakeAdmin, keeper: TopicKeeper) -> None:
    converge(keeper)
    admin.topics[TOPIC_MESSAGES][1]["compression.type"] = "producer"
    converge(keeper)
    assert {config["compression.type"] for _, config in admin.topics.values()} == {"snappy"}


def test_a_wiped_topic_is_created_again_and_counted(admin: FakeAdmin, keeper: TopicKeeper) -> None:
    converge(keeper)
    before = keeper.created[TOPIC_MESSAGES]
    del admin.topics[TOPIC_MESSAGES]
    converge(keeper)
    assert TOPIC_MESSAGES in admin.topics
    assert keeper.created[TOPIC_MESSAGES] == before + 1


def test_a_broker_that_lists_its_topics_late_has_not_lost_them(admin: FakeAdmin, keeper: TopicKeeper) -> None:
    converge(keeper)
    before = dict(keeper.created)
    admin.lists_nothing = True
    keeper.step()
    admin.lists_nothing = False
    converge(keeper)
    assert keeper.created == before


def test_drift_is_put_right_and_more_partitions_are_left_alone(admin: FakeAdmin, keeper: TopicKeeper) -> None:
    converge(keeper)
    admin.topics[TOPIC_MESSAGES][1]["retention.ms"] = "1"
    admin.topics[TOPIC_PREDICTIONS] = (1, admin.topics[TOPIC_PREDICTIONS][1])
    admin.topics[TOPIC_DEAD_LETTERS] = (4, admin.topics[TOPIC_DEAD_LETTERS][1])
    converge(keeper)
    assert admin.topics[TOPIC_MESSAGES][1]["retention.ms"] != "1"
    assert admin.topics[TOPIC_PREDICTIONS][0] == MESSAGES_PARTITIONS
    assert admin.topics[TOPIC_DEAD_LETTERS][0] == 4


def test_an_outage_is_waited_for(admin: FakeAdmin, keeper: TopicKeeper) -> None:
    admin.up = False
    found = keeper.step()
    assert found.waiting
    assert "no broker answers" in found.message


def test_an_existing_topic_is_stamped_by_the_broker(keeper: TopicKeeper, admin: FakeAdmin) -> None:
    admin.topics = {spec.name: (spec.partitions, {**spec.config, "message.timestamp.type": "CreateTime"}) for spec in SPECS}
    converge(keeper)
    assert {config["message.timestamp.type"] for _, config in admin.topics.values()} == {"LogAppendTime"}
