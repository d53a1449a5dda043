"""Reading, validating and merging compose files."""

from pathlib import Path

import pytest

from stack.compose import ComposeError, interpolate, load, problems

GOOD = """
version: "3.8"
services:
  gateway:
    image: paai-gateway:${TAG:-latest}
    command: [gateway]
    networks: [paai]
    read_only: true
    cap_drop: [ALL]
    logging: {driver: json-file, options: {max-size: 10m, max-file: "3"}}
    ports: [{target: 8000, published: "${PORT:-8000}", mode: host}]
    environment: {A: 1, B: two}
    healthcheck: {test: [CMD, "true"], interval: 1m30s, timeout: 5s, retries: 3, start_period: 30s}
    stop_grace_period: 15s
    deploy:
      endpoint_mode: dnsrr
      restart_policy: {condition: any}
      update_config: {order: stop-first, failure_action: rollback}
      resources: {limits: {memory: 64M}}
networks:
  paai: {driver: overlay}
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_variables_take_their_value_or_their_default() -> None:
    variables = {"A": "1", "EMPTY": ""}

    assert interpolate("${A:-9} ${B:-9} ${EMPTY:-9} $A $$A ${B}", variables) == "1 9 9 1 $A "


def test_sizes_and_durations_become_numbers(tmp_path: Path) -> None:
    service = load([write(tmp_path, "a.yml", GOOD)], {"PORT": "9000"}).services["gateway"]

    assert service.deploy.resources.limits is not None
    assert service.deploy.resources.limits.memory == 64 * 1024**2
    assert service.healthcheck is not None
    assert service.healthcheck.interval == 90.0
    assert service.ports[0].published == 9000
    assert service.environment == {"A": "1", "B": "two"}


def test_an_overlay_is_merged_as_docker_does(tmp_path: Path) -> None:
    over = """
version: "3.8"
services:
  gateway:
    command: [other]
    environment: {B: three, C: four}
    cap_drop: [NET_RAW]
    ports:
      - {target: 8000, published: "8000", mode: ingress}
      - {target: 9000, published: "9000", mode: host}
    deploy: {replicas: 2}
"""
    service = load([write(tmp_path, "a.yml", GOOD), write(tmp_path, "b.yml", over)]).services["gateway"]

    assert service.command == ["other"]
    assert service.environment == {"A": "1", "B": "three", "C": "four"}
    assert service.cap_drop == ["ALL", "NET_RAW"]
    assert [(port.published, port.mode) for port in service.ports] == [(8000, "ingress"), (9000, "host")]
    assert service.deploy.replicas == 2
    assert service.deploy.endpoint_mode == "dnsrr"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("read_only: true", "privileged: true"), "services.gateway.privileged"),
        (("endpoint_mode: dnsrr", "endpoint_mode: none"), "services.gateway.deploy.endpoint_mode"),
        (('"${PORT:-8000}"', '"no"'), "services.gateway.ports.0.published"),
        (('version: "3.8"', 'version: "3.9"'), "version"),
    ],
)
def test_what_is_not_known_is_refused_with_its_place(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    with pytest.raises(ComposeError, match=said):
        load([write(tmp_path, "a.yml", GOOD.replace(*change))])


def test_a_file_that_is_no_yaml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ComposeError, match=r"a\.yml is no YAML"):
        load([write(tmp_path, "a.yml", "services: {")])
    with pytest.raises(ComposeError, match="cannot be read"):
        load([tmp_path / "missing.yml"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("endpoint_mode: dnsrr", "endpoint_mode: vip"), "IP_VS"),
        (("mode: host", "mode: ingress"), "ingress mesh"),
        (("target: 8000", "target: 2181"), "asks nobody for credentials"),
        (("read_only: true", "read_only: false"), "read-only"),
        (("failure_action: rollback", "failure_action: pause"), "not rolled back"),
        (("order: stop-first", "order: start-first"), "start-first"),
        (("condition: any", "condition: none"), "started again"),
        ((', max-file: "3"', ""), "not rotated"),
        (("A: 1", "A_PASSWORD: x"), "credential in the environment"),
        (("networks: [paai]\n    read", "networks: [paai, other]\n    read"), "network paai alone"),
    ],
)  # fmt: skip
def test_each_rule_is_noticed_when_it_is_broken(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    assert problems(load([write(tmp_path, "a.yml", GOOD)])) == []
    assert change[0] in GOOD

    broken = problems(load([write(tmp_path, "b.yml", GOOD.replace(*change))]))

    assert len(broken) == 1, broken
    assert said in broken[0]
    assert broken[0].startswith("gateway: ")
