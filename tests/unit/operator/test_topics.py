"""Topics: created, corrected, and kept through outages and wipes."""

from backend.contract import names
from backend.operator.topics import TopicKeeper, wanted_topics
from tests.helpers.fake_operator_parts import FakeKafka

WANTED = wanted_topics(retention_hours=24, retention_bytes=6 * 1024**2)


def converge(keeper: TopicKeeper) -> int:
    """Steps until all is as wanted, at most ten."""
    for steps in range(1, 11):
        if keeper.step().converged:
            return steps
    raise AssertionError("does not converge")


def test_retention_bytes_are_for_the_topic_while_kafka_counts_them_per_partition() -> None:
    by_name = {spec.name: spec for spec in WANTED}
    messages = by_name[names.TOPIC_MESSAGES]
    assert messages.partitions == names.MESSAGES_PARTITIONS
    assert int(messages.config["retention.bytes"]) * messages.partitions == 6 * 1024**2
    assert messages.config["retention.ms"] == "86400000"
    # Only whole segments are removed.
    assert all(int(spec.config["segment.bytes"]) <= int(spec.config["retention.bytes"]) for spec in WANTED)


def test_creates_what_is_absent_and_then_is_content() -> None:
    kafka = FakeKafka()
    keeper = TopicKeeper(admin=kafka, wanted=WANTED)
    assert converge(keeper) == 2
    assert set(kafka.topics) == {names.TOPIC_MESSAGES, names.TOPIC_PREDICTIONS, names.TOPIC_DEAD_LETTERS}
    corrections = keeper.corrections
    assert keeper.step().converged
    assert keeper.corrections == corrections


def test_puts_drifted_settings_right_and_leaves_the_others() -> None:
    kafka = FakeKafka()
    keeper = TopicKeeper(admin=kafka, wanted=WANTED)
    converge(keeper)
    settings = kafka.topics[names.TOPIC_MESSAGES][1]
    settings["retention.ms"] = "1"
    settings["min.insync.replicas"] = "2"
    assert not keeper.step().converged
    assert settings["retention.ms"] == "86400000"
    assert settings["min.insync.replicas"] == "2"
    assert keeper.step().converged


def test_raises_partitions_and_never_lowers_them() -> None:
    kafka = FakeKafka(topics={names.TOPIC_MESSAGES: (1, {}), names.TOPIC_DEAD_LETTERS: (5, {})})
    converge(TopicKeeper(admin=kafka, wanted=WANTED))
    assert kafka.topics[names.TOPIC_MESSAGES][0] == names.MESSAGES_PARTITIONS
    assert kafka.topics[names.TOPIC_DEAD_LETTERS][0] == 5


def test_a_wiped_topic_is_created_again_and_counted() -> None:
    kafka = FakeKafka()
    keeper = TopicKeeper(admin=kafka, wanted=WANTED)
    converge(keeper)
    del kafka.topics[names.TOPIC_MESSAGES]
    converge(keeper)
    assert names.TOPIC_MESSAGES in kafka.topics
    assert keeper.created[names.TOPIC_MESSAGES] == 2


def test_an_outage_is_waited_out_and_said() -> None:
    kafka = FakeKafka(down="connection refused")
    keeper = TopicKeeper(admin=kafka, wanted=WANTED)
    finding = keeper.step()
    assert not finding.converged
    assert finding.waiting
    assert finding.message == "waits for Kafka: connection refused"
    kafka.down = ""
    converge(keeper)
