"""The files that are shipped: valid alone and with every overlay, in agreement with the catalogue and services' settings."""

import re
from pathlib import Path

import pytest

from backend.contract.ports import Ports
from backend.operator.settings import OperatorSettings
from backend.paai.settings import PaaiSettings
from backend.predictor.settings import PredictorSettings
from spark.predict_settings import PredictSettings
from spark.settings import JobSettings
from stack import catalogue
from stack.compose import OVERLAYS, STACK_FILE, load, problems
from stack.compose.checks import MEMORY_LIMIT, memory_bytes
from stack.images import IMAGES, PUBLISHED

COMBINATIONS = [(), ("consoles",), ("cluster",), ("cluster", "replica-set"), ("cluster", "replica-set", "consoles")]


def files(overlays: tuple[str, ...]) -> list[Path]:
    return [STACK_FILE, *(OVERLAYS / f"{name}.yml" for name in overlays)]


@pytest.mark.parametrize("overlays", COMBINATIONS, ids=lambda names: "+".join(names) or "alone")
def test_every_combination_keeps_the_rules(overlays: tuple[str, ...]) -> None:
    assert problems(load(files(overlays))) == []


def test_every_overlay_is_in_some_combination() -> None:
    assert {path.stem for path in OVERLAYS.glob("*.yml")} == {name for names in COMBINATIONS for name in names}


def test_the_stack_fits_a_small_machine() -> None:
    assert memory_bytes(load([STACK_FILE])) < MEMORY_LIMIT


def test_the_stack_has_the_services_of_the_catalogue() -> None:
    stack = load([STACK_FILE])
    services = catalogue.services_of("swarm")

    assert set(stack.services) == {service.name for service in services}
    for service in services:
        assert stack.services[service.name].deploy.count == service.replicas, service.name


def test_published_ports_are_those_of_the_contract_and_move_with_the_offset() -> None:
    stack = load(files(("consoles",)))
    numbers = {f"PAAI_PORT_{name}": str(number) for name, number in _port_numbers(Ports(2000)).items()}
    shifted = load(files(("consoles",)), numbers)

    for name, service in stack.services.items():
        for port, moved in zip(service.ports, shifted.services[name].ports, strict=True):
            assert port.published == port.target
            assert moved.published == port.target + 2000
            assert moved.target == port.target


def _port_numbers(ports: Ports) -> dict[str, int]:
    text = "".join(path.read_text("utf-8") for path in files(("consoles",)))
    return {name: int(default) + ports.offset for name, default in re.findall(r"\$\{PAAI_PORT_(\w+):-(\d+)\}", text)}


def test_links_lead_to_published_ports() -> None:
    stack = load([STACK_FILE])
    published = {port.published for service in stack.services.values() for port in service.ports}

    for service in catalogue.services_of("swarm"):
        for link in service.links:
            assert catalogue.port_of(Ports(), link.port) in published, (service.name, link.label)


def test_each_image_of_ours_is_built() -> None:
    named = {service.image for service in load(files(("consoles",))).services.values() if service.image.startswith("paai-")}

    assert named <= {f"{spec.image}:latest" for spec in IMAGES}
    assert {f"paai-{name}" for name in PUBLISHED} - {"paai-mongo-lite"} == {image.removesuffix(":latest") for image in named}


@pytest.mark.parametrize(
    ("service", "settings"),
    [
        ("paai", PaaiSettings),
        ("kafka-operator", OperatorSettings),
        ("spark-job", JobSettings),
        ("predictor", PredictorSettings),
        ("spark-predict", PredictSettings),
    ],
)
def test_services_know_the_variables_they_are_given(service: str, settings: type) -> None:
    environment = load([STACK_FILE]).services[service].environment

    known = {f"PAAI_{name.upper()}" for name in settings.model_fields}  # type: ignore[attr-defined]
    assert set(environment) <= known


def test_secrets_have_a_version_each_and_the_name_of_the_stack() -> None:
    stack = load([STACK_FILE], {"PAAI_STACK": "paai-2000", "PAAI_TOKEN_VERSION": "3"})

    assert stack.secrets["token"].name == "paai-2000_token_v3"
    assert stack.secrets["mongo_root"].name == "paai-2000_mongo_root_v1"


def test_a_drain_is_over_before_the_container_is_killed() -> None:
    paai = load([STACK_FILE]).services["paai"]

    assert paai.stop_grace_period is not None
    assert paai.stop_grace_period > float(paai.environment["PAAI_DRAIN_S"]) + 10


def test_the_cluster_keeps_every_record_three_times() -> None:
    stack = load(files(("cluster",)))
    brokers = [stack.services[name] for name in ("broker", "broker-2", "broker-3")]

    assert stack.services["zookeeper"].deploy.replicas == 0
    assert {broker.environment["PAAI_NODE_ID"] for broker in brokers} == {"1", "2", "3"}
    assert len({broker.environment["PAAI_VOTERS"] for broker in brokers}) == 1
    assert {broker.environment["PAAI_REPLICATION_FACTOR"] for broker in brokers} == {"3"}
    for name in ("kafka-operator", "connect", "spark-job", "spark-predict", "paai"):
        assert stack.services[name].environment["PAAI_KAFKA_BOOTSTRAP"].count(":29092") == 3, name
    data = [next(mount.source for mount in broker.volumes if mount.target == "/data") for broker in brokers]
    assert data == ["kafka", "kafka-2", "kafka-3"]
    # Never the volume of the single broker, whose topics do not fit a cluster.
    assert stack.volumes["kafka"].name == "paai_kafka-1"


def test_members_of_the_replica_set_trust_a_key_file() -> None:
    stack = load(files(("cluster", "replica-set")))

    for name in ("mongodb", "mongodb-2", "mongodb-3"):
        service = stack.services[name]
        assert service.command[:4] == ["--replSet", "paai", "--keyFile", "/run/secrets/mongo_keyfile"]
        assert any(use.source == "mongo_keyfile" and use.mode == 0o400 for use in service.secrets)
    # The first alone makes the root user: a member that has data of its own cannot join.
    assert "MONGO_INITDB_ROOT_PASSWORD_FILE" in stack.services["mongodb"].environment
    assert not stack.services["mongodb-2"].environment
    for name in ("kafka-operator", "spark-job", "spark-predict", "paai", "predictor"):
        assert "w=majority" in stack.services[name].environment["PAAI_MONGO_URI"], name


def test_secrets_are_where_they_are_needed_and_nowhere_else() -> None:
    services = load([STACK_FILE]).services
    holders = {
        secret: {name for name, service in services.items() if any(use.source == secret for use in service.secrets)}
        for secret in ("token", "admin_token", "model_key", "mongo_root", "mongo_predictor")
    }
    assert holders == {
        "token": {"paai", "generator", "predictor"},
        "admin_token": {"predictor"},
        "model_key": {"predictor", "spark-predict"},
        "mongo_root": {"mongodb", "kafka-operator"},
        "mongo_predictor": {"predictor", "kafka-operator"},
    }


def test_the_two_jobs_share_no_checkpoint() -> None:
    services = load([STACK_FILE]).services
    volumes = {
        name: {m.source for m in services[name].volumes if m.target == "/checkpoint"} for name in ("spark-job", "spark-predict")
    }
    assert volumes == {"spark-job": {"checkpoint"}, "spark-predict": {"checkpoint-predict"}}
