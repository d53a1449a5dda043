"""Users and rights on a real broker with a login: the desktop's clients read, and nothing else is possible."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # it re-exports without saying so

from backend.contract import names
from backend.contract.login import Login
from backend.operator.kafka_admin import ConfluentAdmin
from backend.operator.kafka_user_admin import ConfluentUserAdmin
from backend.operator.kafka_users import Acl, KafkaUsersKeeper, wanted_acls
from backend.operator.topics import TopicKeeper, wanted_topics
from desktop.model.predictions.store import PredictionStore
from desktop.model.readings import ReadingBatch
from desktop.services.decode import decode_messages
from desktop.services.kafka_feed import KafkaFeed, KafkaLogin
from desktop.services.predictions_feed import SPAN_S as PREDICTIONS_SPAN_S
from desktop.services.predictions_feed import PredictionSink
from desktop.services.sink_lag import SinkLag
from stack.jars import resolve
from tests.helpers.live_kafka import produce
from tests.helpers.secured_kafka import SecuredKafka, secured_kafka
from tests.helpers.wait import wait_until

VALUE = b'{"device_id":"d","timestamp":"2026-11-24T10:00:00.000Z","sensor":"temperature","value":1.5}'
PREDICTION = b'{"_id":"d/1","device_id":"d","sensor":"temperature","timestamp":"2026-11-24T10:00:00.000Z","anomaly":true}'
TOPIC = names.TOPIC_MESSAGES


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    resolve(on_progress=lambda *_: None, cancel=None)
    with secured_kafka(tmp_path_factory.mktemp("kafka")) as running:
        topics = TopicKeeper(
            admin=ConfluentAdmin(bootstrap=running.internal, timeout_s=5),
            wanted=wanted_topics(retention_hours=1, retention_bytes=10**8),
        )
        wait_until(lambda: topics.step().converged, 60, "the topics")
        produce(running.internal, TOPIC, [("d", VALUE)] * 3)
        yield running


@pytest.fixture
def admin(kafka: SecuredKafka) -> ConfluentUserAdmin:
    return ConfluentUserAdmin(bootstrap=kafka.internal, timeout_s=5)


@pytest.fixture
def keeper(admin: ConfluentUserAdmin, tmp_path: Path) -> KafkaUsersKeeper:
    write(tmp_path, "kafka_client", 1)
    made = KafkaUsersKeeper(admin=admin, directory=tmp_path)
    converge(made)
    return made


def write(directory: Path, name: str, version: int) -> None:
    (directory / name).write_text(Login(f"client-{version}", f"pw-{version}").render(), encoding="utf-8")


def converge(keeper: KafkaUsersKeeper) -> None:
    wait_until(lambda: keeper.step().converged, 30, "the users to be as wanted")


def config(kafka: SecuredKafka, version: int = 1) -> dict[str, Any]:
    return KafkaLogin(kafka.external, f"client-{version}", f"pw-{version}").config() | {"log_level": 0}


def gets_in(kafka: SecuredKafka, login: KafkaLogin) -> bool:
    try:
        return TOPIC in AdminClient(login.config() | {"log_level": 0}).list_topics(timeout=3).topics
    except KafkaException:
        return False


class Sink:
    def __init__(self) -> None:
        self.values: list[float] = []
        self.lag: int | None = None

    def ingest(self, batch: ReadingBatch) -> None:
        self.values += batch.value.tolist()

    def note_lag(self, records: int) -> None:
        self.lag = records


def test_the_desktop_s_clients_read(kafka: SecuredKafka, keeper: KafkaUsersKeeper) -> None:
    assert keeper.corrections == 1
    login, sink, stop = KafkaLogin(kafka.external, "client-1", "pw-1"), Sink(), threading.Event()
    feed, lag = KafkaFeed(login=login, sink=sink, decode=decode_messages, span_s=1e8), SinkLag(login=login)
    store = PredictionStore()
    predictions = PredictionSink(store)
    live = KafkaFeed(
        login=login, sink=predictions, decode=predictions.decode, topic=names.TOPIC_PREDICTIONS, span_s=PREDICTIONS_SPAN_S
    )
    threads = [threading.Thread(target=part.run, args=(stop,)) for part in (feed, lag, live)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(sink.values) >= 3 and feed.state.caught_up, 30, "the readings")
        wait_until(lambda: sink.lag == 0, 30, "the feed to look at its lag")
        wait_until(lambda: lag.progress.lag == 3, 30, "the sink's lag: it has stored nothing")
        wait_until(lambda: live.state.caught_up, 30, "the topic of predictions")
        produce(kafka.internal, names.TOPIC_PREDICTIONS, [("d", b"no prediction"), ("d", PREDICTION)])
        wait_until(lambda: store.take_news(), 30, "an anomaly")
        wait_until(lambda: predictions.malformed == 1, 30, "what is none to be counted")
    finally:
        stop.set()
        for thread in threads:
            thread.join(15)
    assert set(sink.values) == {1.5}


def test_nothing_else_is_possible(kafka: SecuredKafka, keeper: KafkaUsersKeeper) -> None:
    failed: list[KafkaError | None] = []
    producer = Producer(config(kafka) | {"message.timeout.ms": 5000})
    producer.produce(TOPIC, b"x", on_delivery=lambda error, _m: failed.append(error))
    producer.flush(10)
    assert [e and e.code() for e in failed] == [KafkaError.TOPIC_AUTHORIZATION_FAILED]

    joining = Consumer(config(kafka) | {"group.id": "mine"})
    joining.subscribe([TOPIC])
    message = wait_until(lambda: joining.poll(1), 15, "an answer")
    assert message is not None
    error = message.error()
    assert error is not None
    assert error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED
    joining.close()

    sinks = Consumer(config(kafka) | {"group.id": names.SINK_GROUP, "enable.auto.commit": False})
    with pytest.raises(KafkaException) as refused:
        sinks.commit(offsets=[TopicPartition(TOPIC, 0, 1)], asynchronous=False)
    assert refused.value.args[0].code() == KafkaError.GROUP_AUTHORIZATION_FAILED
    sinks.close()

    admin = AdminClient(config(kafka))
    with pytest.raises(KafkaException):
        admin.create_topics([NewTopic("mine", 1, 1)], request_timeout=5)["mine"].result(10)
    with pytest.raises(KafkaException):
        admin.delete_topics([TOPIC], request_timeout=5)[TOPIC].result(10)
    listed = admin.list_topics(timeout=5).topics
    assert set(listed) == {names.TOPIC_MESSAGES, names.TOPIC_PREDICTIONS, names.TOPIC_DEAD_LETTERS}


def test_a_wrong_login_is_refused(kafka: SecuredKafka, keeper: KafkaUsersKeeper) -> None:
    assert gets_in(kafka, KafkaLogin(kafka.external, "client-1", "pw-1"))
    assert not gets_in(kafka, KafkaLogin(kafka.external, "client-1", "pw-2"))
    assert not gets_in(kafka, KafkaLogin(kafka.external, "nobody", "pw-1"))
    assert not gets_in(kafka, KafkaLogin(kafka.external))
    stop = threading.Event()
    feed = KafkaFeed(login=KafkaLogin(kafka.external, "client-1", "pw-2"), sink=Sink(), decode=decode_messages)
    thread = threading.Thread(target=feed.run, args=(stop,))
    thread.start()
    try:
        wait_until(lambda: "refuses the login" in feed.state.reason, 30, "the feed to say so")
    finally:
        stop.set()
        thread.join(15)


def test_what_somebody_changed_is_put_right(kafka: SecuredKafka, keeper: KafkaUsersKeeper, admin: ConfluentUserAdmin) -> None:
    admin.add_acls({Acl("client-1", "TOPIC", "*", "WRITE"), Acl("client-1", "TOPIC", "pro", "ALL", pattern="PREFIXED")})
    admin.drop_acls(set(list(wanted_acls("client-1"))[:2]))
    admin.drop_users({"client-1"})
    wait_until(lambda: admin.users() == set(), 15, "the user to be gone")
    converge(keeper)
    assert wait_until(lambda: admin.acls() == wanted_acls("client-1"), 15, "the rights")
    assert gets_in(kafka, KafkaLogin(kafka.external, "client-1", "pw-1"))


def test_a_login_is_changed_without_a_moment_in_which_nobody_gets_in(
    kafka: SecuredKafka, keeper: KafkaUsersKeeper, admin: ConfluentUserAdmin, tmp_path: Path
) -> None:
    old, new = (KafkaLogin(kafka.external, f"client-{n}", f"pw-{n}") for n in (1, 2))
    write(tmp_path, "kafka_client_old", 1)
    write(tmp_path, "kafka_client", 2)
    converge(keeper)
    assert gets_in(kafka, old)
    assert gets_in(kafka, new)
    (tmp_path / "kafka_client_old").unlink()
    converge(keeper)
    wait_until(lambda: not gets_in(kafka, old), 15, "the earlier login to be refused")
    assert gets_in(kafka, new)
    assert admin.users() == {"client-2"}
    assert admin.acls() == wanted_acls("client-2")
