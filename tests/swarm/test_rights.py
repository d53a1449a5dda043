"""Each account may do what its work needs, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from pymongo.errors import OperationFailure

from backend.contract import names
from backend.contract.login import Login
from backend.operator.mongo_roles import GRANTS, is_as_wanted, role_name
from tests.swarm.system import LiveSwarm

_READERS = ("mongo_paai", "mongo_desktop")


def enforces_rights_on_one_collection(swarm: LiveSwarm) -> bool:
    """Whether the database does; of its stand-ins the Python build, which runs where there is no cargo, does not."""
    return "secantusd-py" not in swarm.docker("top", swarm.containers("mongodb")[0], "-eo", "pid,args")


def refused(swarm: LiveSwarm, *attempts: Callable[[], object]) -> None:
    """Each is; where the database does not look at single collections, at least its roles are as wanted."""
    if enforces_rights_on_one_collection(swarm):
        for attempt in attempts:
            with pytest.raises(OperationFailure):
                attempt()
    with swarm.database() as database:
        roles = {r["role"]: r for r in database.client.admin.command("rolesInfo", 1, showPrivileges=True)["roles"]}
    for role, grant in GRANTS.items():
        assert is_as_wanted(roles[role_name(role)], grant), role


def kafka(swarm: LiveSwarm, *, password: str | None = None) -> dict[str, Any]:
    endpoints = swarm.endpoints
    return {
        "bootstrap.servers": endpoints.kafka,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": endpoints.kafka_user or "",
        "sasl.password": endpoints.kafka_password or "" if password is None else password,
        "log_level": 0,
    }


@pytest.mark.parametrize("name", ["mongo_sink", "mongo_spark", "mongo_paai", "mongo_predictor", "mongo_desktop"])
def test_a_wrong_password_is_refused(swarm: LiveSwarm, name: str) -> None:
    right = swarm.login(name)
    with swarm.database(right) as database:
        database.command("ping")
    with swarm.database(Login(right.user, "wrong")) as database, pytest.raises(OperationFailure, match=r"[Aa]uthentication"):
        database[names.COLLECTION_MESSAGES].find_one()


@pytest.mark.parametrize("name", _READERS)
def test_readers_read_and_do_not_write(swarm: LiveSwarm, name: str) -> None:
    with swarm.database(swarm.login(name)) as database:
        database[names.COLLECTION_MESSAGES].find_one()
        database[names.COLLECTION_AGGREGATES].find_one()
        refused(
            swarm,
            lambda: database[names.COLLECTION_MESSAGES].insert_one({"x": 1}),
            lambda: database[names.COLLECTION_MESSAGES].delete_many({"x": 1}),
            lambda: database.drop_collection(names.COLLECTION_AGGREGATES),
        )
        elsewhere: tuple[Callable[[], object], ...] = (
            lambda: database.client["elsewhere"]["x"].find_one(),
            lambda: database.client.admin.command("createUser", "mallory", pwd="x", roles=[]),
        )
        for attempt in elsewhere:
            with pytest.raises(OperationFailure):
                attempt()


def test_the_sink_writes_raw_and_nothing_else(swarm: LiveSwarm) -> None:
    with swarm.database(swarm.login("mongo_sink")) as database:
        assert database[names.COLLECTION_MESSAGES].find_one({"device_id": "nobody"}) is None
        refused(
            swarm,
            lambda: database[names.COLLECTION_MESSAGES].delete_many({"device_id": "nobody"}),
            lambda: database[names.COLLECTION_AGGREGATES].find_one(),
            lambda: database[names.COLLECTION_AGGREGATES].insert_one({"x": 1}),
        )


def test_spark_does_not_write_raw(swarm: LiveSwarm) -> None:
    with swarm.database(swarm.login("mongo_spark")) as database:
        database[names.COLLECTION_AGGREGATES].find_one()
        refused(swarm, lambda: database[names.COLLECTION_MESSAGES].insert_one({"x": 1}))


def test_the_predictor_keeps_models_and_writes_no_readings(swarm: LiveSwarm) -> None:
    with swarm.database(swarm.login("mongo_predictor")) as database:
        database[names.COLLECTION_MESSAGES].find_one()
        refused(
            swarm,
            lambda: database[names.COLLECTION_MESSAGES].insert_one({"x": 1}),
            lambda: database[names.COLLECTION_AGGREGATES].delete_many({"x": 1}),
        )


def test_spark_reads_models_and_makes_none(swarm: LiveSwarm) -> None:
    with swarm.database(swarm.login("mongo_spark")) as database:
        database[f"{names.BUCKET_MODELS}.files"].find_one()
        refused(swarm, lambda: database[names.COLLECTION_MODEL_STATE].insert_one({"x": 1}))


def test_a_wrong_kafka_password_is_refused(swarm: LiveSwarm) -> None:
    with pytest.raises(KafkaException):
        AdminClient(kafka(swarm, password="wrong")).list_topics(timeout=10)


def test_kafkas_client_reads_the_topics_and_does_nothing_else(swarm: LiveSwarm) -> None:
    admin = AdminClient(kafka(swarm))
    assert names.TOPIC_MESSAGES in admin.list_topics(timeout=30).topics
    consumer = Consumer(kafka(swarm) | {"group.id": "mallory", "enable.auto.commit": False})
    try:
        consumer.subscribe([names.TOPIC_MESSAGES])
        message = consumer.poll(30)
        assert message is not None
        error = message.error()
        assert error is not None
        assert error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED
    finally:
        consumer.close()
    refusals: list[KafkaError | None] = []
    producer = Producer(kafka(swarm) | {"message.timeout.ms": 20_000})
    producer.produce(names.TOPIC_MESSAGES, b"{}", on_delivery=lambda error, _: refusals.append(error))
    producer.flush(30)
    assert [error.code() for error in refusals if error] == [KafkaError.TOPIC_AUTHORIZATION_FAILED]
    with pytest.raises(KafkaException):
        admin.create_topics([NewTopic("mallory", 1, 1)])["mallory"].result(30)
    with pytest.raises(KafkaException):
        admin.delete_topics([names.TOPIC_MESSAGES])[names.TOPIC_MESSAGES].result(30)
