"""Dead letters are counted once by reason, over restarts, outages and a topic made anew."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from pymongo.errors import ServerSelectionTimeoutError

from backend.contract import names
from backend.contract.refusals import REASONS
from backend.operator.dead_letters import DeadLetterCounter, Letter, code_of
from backend.operator.kafka_letters import ConfluentLetters
from backend.operator.topics import KafkaUnavailableError
from tests.helpers.fake_topic import FakeTopic


class Topic:
    """`LetterSource` over a list."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.down = False

    def add(self, message: str, source: int | None = None) -> None:
        place = None if source is None else (0, source)
        self.letters.append(Letter(0, len(self.letters), message, place))

    def read(self, position: Mapping[int, int], most: int) -> list[Letter]:
        if self.down:
            raise KafkaUnavailableError("it is down")
        at = position.get(0, 0)
        return self.letters[at if at <= len(self.letters) else 0 :][:most]

    def close(self) -> None:
        pass


class Collection:
    """The few calls of a collection."""

    def __init__(self) -> None:
        self.document: dict[str, Any] | None = None
        self.down = False

    def find_one(self, _: object) -> dict[str, Any] | None:
        self._ask()
        return self.document

    def replace_one(self, _: object, document: dict[str, Any], *, upsert: bool) -> None:
        self._ask()
        self.document = document

    def _ask(self) -> None:
        if self.down:
            raise ServerSelectionTimeoutError("No servers found")


@pytest.fixture
def topic() -> Topic:
    return Topic()


@pytest.fixture
def collection() -> Collection:
    return Collection()


def counter(topic: Topic, collection: Collection) -> DeadLetterCounter:
    client: Any = {names.DATABASE: {names.COLLECTION_REFUSALS: collection}}
    return DeadLetterCounter(source=topic, client=client)


def counted(collection: Collection) -> dict[str, int]:
    assert collection.document is not None
    found: dict[str, int] = collection.document["by_reason"]
    return found


def test_by_reason_and_on_after_a_restart(topic: Topic, collection: Collection) -> None:
    for code in ("range", "not_json", "range"):
        topic.add(f"{code}: {REASONS[code]}")
    topic.add("v=2, code=121, message=Document failed validation")
    keeper = counter(topic, collection)
    assert keeper.step().converged
    assert counted(collection) == {"range": 2, "not_json": 1, "other": 1}
    topic.add("range: again")
    again = counter(topic, collection)
    again.step()
    again.step()
    assert counted(collection) == {"range": 3, "not_json": 1, "other": 1}
    again.close()


def test_a_record_with_two_letters_counts_once(topic: Topic, collection: Collection) -> None:
    for source in (5, 6, 5, 5):
        topic.add("range: x", source)
    counter(topic, collection).step()
    assert counted(collection) == {"range": 2}


def test_outages_neither_lose_nor_repeat(topic: Topic, collection: Collection) -> None:
    keeper = counter(topic, collection)
    topic.add("range: x", 1)
    collection.down = True
    assert "MongoDB" in keeper.step().message
    collection.down, topic.down = False, True
    assert "Kafka" in keeper.step().message
    topic.down = False
    keeper.step()
    topic.add("range: x", 2)
    collection.down = True
    assert not keeper.step().converged
    collection.down = False
    assert keeper.step().converged
    assert counted(collection) == {"range": 2}


def test_a_document_that_somebody_edited(topic: Topic, collection: Collection) -> None:
    collection.document = {"by_reason": {"range": "x", "value": 2, "sensor": True, "late": 2**63}, "next": {"x": 1, "0": 1}}
    topic.add("range: seen before")
    topic.add("range: new")
    counter(topic, collection).step()
    assert counted(collection) == {"value": 2, "range": 1}


@pytest.mark.parametrize("message", ["", "range", "Range: x", "no colon here"])
def test_other_messages(message: str) -> None:
    assert code_of(message) == "other"


class Record(SimpleNamespace):
    def __init__(self, offset: int, headers: Any) -> None:
        super().__init__(
            error=lambda: None, partition=lambda: 0, offset=lambda: offset, headers=lambda: headers, value=lambda: b""
        )


class Consumer:
    """Over a FakeTopic; its records are headers."""

    def __init__(self, topic: FakeTopic, config: dict[str, Any]) -> None:
        self.config, self._topic, self._inner = config, topic, topic.consumer(config)
        self.closed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def unassign(self) -> None:
        self._inner.assign([])

    def consume(self, most: int, timeout: float) -> list[Record]:
        records = []
        for message in self._inner.consume(most, 0):
            record = Record(message.offset(), [("__connect.errors.exception.message", message.value())])
            record.error = message.error
            records.append(record)
        return records

    def close(self) -> None:
        self.closed = True


def test_the_topic_is_read_from_a_position_to_its_end() -> None:
    topic, made = FakeTopic(names.TOPIC_DEAD_LETTERS, partitions=1), []

    def make(config: dict[str, Any]) -> Consumer:
        made.append(Consumer(topic, config))
        return made[-1]

    source = ConfluentLetters(bootstrap="nowhere", timeout_s=1, make_consumer=make)
    assert source.read({}, 10) == []
    for code in ("range", "value", "sensor"):
        topic.produce(f"{code}: x".encode())
    assert [code_of(letter.message) for letter in source.read({}, 10)] == ["range", "value", "sensor"]
    assert [letter.offset for letter in source.read({0: 2}, 10)] == [2]
    assert len(source.read({}, 2)) == 2
    assert source.read({0: 3}, 10) == []
    assert len(source.read({0: 99}, 10)) == 3, "a topic that was made anew is read from its beginning"
    assert made[0].config["isolation.level"] == "read_committed"
    topic.down = True
    with pytest.raises(KafkaUnavailableError):
        source.read({}, 10)
    assert made[0].closed
    topic.down, topic.exists = False, False
    assert source.read({}, 10) == []
    assert len(made) == 2
    source.close()


def test_an_error_among_the_records_is_an_outage() -> None:
    topic = FakeTopic(names.TOPIC_DEAD_LETTERS, partitions=1)
    topic.produce(b"range: x")

    class Failing(Consumer):
        def consume(self, most: int, timeout: float) -> list[Record]:
            record = Record(0, [])
            record.error = lambda: KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)
            return [record]

    source = ConfluentLetters(bootstrap="nowhere", timeout_s=1, make_consumer=lambda config: Failing(topic, config))
    with pytest.raises(KafkaUnavailableError) as caught:
        source.read({}, 10)
    assert isinstance(caught.value.__cause__, KafkaException)
