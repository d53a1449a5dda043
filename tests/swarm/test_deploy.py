"""The shipped stack is up, healthy, and lets nobody in without a login."""

import socket

import httpx
import pymongo
import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from pymongo.errors import OperationFailure

from backend.contract import ports as base
from stack.catalogue import services_of
from stack.swarm import compose
from tests.helpers.wait import wait_until
from tests.swarm.system import LiveSwarm


def test_every_service_is_healthy(swarm: LiveSwarm) -> None:
    rows = swarm.rows()
    assert set(rows) == {service.name for service in services_of("swarm")}
    assert {name: row.message for name, row in rows.items() if not row.healthy} == {}
    assert (rows["paai"].running, rows["gateway"].running) == (3, 1)
    # Measuring takes the engine seconds; the rows do not wait for it.
    wait_until(lambda: swarm.rows()["paai"].memory_bytes, 60, "the memory in use", interval_s=1)


def test_again_changes_nothing(swarm: LiveSwarm) -> None:
    before = {name: sorted(swarm.containers(name)) for name in swarm.rows()}
    for _ in swarm.target.up():
        pass
    assert {name: sorted(swarm.containers(name)) for name in swarm.rows()} == before


def test_only_what_asks_for_credentials_is_published(swarm: LiveSwarm) -> None:
    offset = swarm.site.ports.offset
    mine = f"{swarm.site.stack}_"
    published = {port for port, name in swarm.site.engine.published_ports().items() if name.startswith(mine)}
    pages = (base.CONNECT, base.SPARK_MASTER_UI, base.SPARK_WORKER_UI)
    assert published == {
        number + offset for number in (base.PAAI, base.GENERATOR, base.PREDICTOR, base.KAFKA, base.MONGO, *pages)
    }
    for number in (base.ZOOKEEPER, base.SPARK_MASTER, base.KAFKA_JMX, 29092):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", number + offset)) != 0, number + offset
    assert published == set(swarm.site.composition().ports)


def test_paai_and_generator_want_the_token(swarm: LiveSwarm) -> None:
    endpoints = swarm.endpoints
    for url in (f"{endpoints.paai}/api/v1/devices", f"{endpoints.generator}/api/v1/fleet"):
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {endpoints.token}"}):
            assert httpx.get(url, headers=headers, timeout=30, trust_env=False).status_code == 401, url
        right = {"Authorization": f"Bearer {endpoints.token}"}
        assert httpx.get(url, headers=right, timeout=30, trust_env=False).status_code == 200, url
    assert httpx.get(f"{endpoints.paai}/healthz", timeout=30, trust_env=False).status_code == 200


def test_pages_want_the_login(swarm: LiveSwarm) -> None:
    endpoints, ports = swarm.endpoints, swarm.site.ports
    right = (endpoints.web_user or "", endpoints.web_password or "")
    for port in (ports.connect, ports.spark_master_ui, ports.spark_worker_ui):
        url = f"http://127.0.0.1:{port}/"
        assert httpx.get(url, timeout=30, trust_env=False).status_code == 401, url
        assert httpx.get(url, auth=(right[0], "wrong"), timeout=30, trust_env=False).status_code == 401, url
        assert httpx.get(url, auth=right, timeout=30, trust_env=False).status_code == 200, url


def test_mongodb_and_kafka_want_a_login(swarm: LiveSwarm) -> None:
    bare = f"mongodb://127.0.0.1:{swarm.site.ports.mongo}/?directConnection=true"
    with (
        pymongo.MongoClient[dict[str, object]](bare, serverSelectionTimeoutMS=10_000) as client,
        pytest.raises(OperationFailure),
    ):
        client["paai"]["processed_messages"].find_one()
    plain = AdminClient({"bootstrap.servers": swarm.endpoints.kafka, "log_level": 0, "socket.timeout.ms": 5000})
    with pytest.raises(KafkaException):
        plain.list_topics(timeout=5)


def test_what_was_deployed_is_the_shipped_file(swarm: LiveSwarm) -> None:
    wanted = compose.read(swarm.site.files(), swarm.site.variables(swarm.site.credentials()))
    state = swarm.site.engine.state(swarm.site.stack)
    assert {service.name: service.replicas for service in state.services} == wanted.replicas
    for service in state.services:
        image = swarm.site.engine.image(wanted.images[service.name])
        assert image is not None
        assert service.image == image.id or service.image in image.digests


def test_logs_of_all_replicas(swarm: LiveSwarm) -> None:
    lines = list(swarm.target.logs("paai", lines=500))
    assert {line.replica for line in lines} == {0, 1, 2}
    assert list(swarm.target.logs("gateway", lines=5))


def test_history_names_the_task_that_runs(swarm: LiveSwarm) -> None:
    newest = swarm.target.history("broker")[0]
    assert (newest.state, newest.message) == ("running", "")
