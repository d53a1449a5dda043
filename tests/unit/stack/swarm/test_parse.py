"""The engine's JSON, as an engine of version 20.10 wrote it."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from stack.swarm import parse

TEMPLATE: dict[str, Any] = {
    "ContainerSpec": {
        "Image": "sha256:a2cd6d0f4739",
        "Env": ["PAAI_DRAIN_S=10"],
        "Secrets": [{"File": {"Name": "token", "Mode": 292}, "SecretID": "x1", "SecretName": "paai_token_v2"}],
        "Isolation": "default",
    },
    "Resources": {"Limits": {"MemoryBytes": 201326592}},
    "Placement": {},
    "ForceUpdate": 0,
    "Runtime": "container",
}
SERVICE: dict[str, Any] = {
    "ID": "svc1",
    "Spec": {
        "Name": "paai_paai",
        "TaskTemplate": TEMPLATE,
        "Mode": {"Replicated": {"Replicas": 3}},
        "EndpointSpec": {"Mode": "dnsrr", "Ports": [{"TargetPort": 8000, "PublishedPort": 8000, "PublishMode": "host"}]},
    },
    "UpdateStatus": {"State": "updating", "StartedAt": "2026-11-24T10:00:00Z", "Message": "update in progress"},
}
TASK: dict[str, Any] = {
    "ID": "t1",
    "ServiceID": "svc1",
    "Slot": 2,
    "NodeID": "n1",
    "CreatedAt": "2026-11-24T10:00:01.123456789Z",
    "Spec": {key: value for key, value in TEMPLATE.items() if key != "Runtime"},  # a task does not say that
    "Status": {
        "Timestamp": "2026-11-24T10:00:05.5Z",
        "State": "failed",
        "Message": "started",
        "Err": "task: non-zero exit (1)",
        "ContainerStatus": {"ContainerID": "c1", "PID": 0, "ExitCode": 1},
    },
    "DesiredState": "shutdown",
}


def test_a_service() -> None:
    found = parse.service(SERVICE, "paai")
    assert (found.name, found.replicas, found.ports, found.secrets) == ("paai", 3, (8000,), ("paai_token_v2",))
    assert found.update is not None
    assert found.update.under_way


def test_a_service_on_every_node() -> None:
    document = deepcopy(SERVICE)
    document["Spec"]["Mode"] = {"Global": {}}
    del document["UpdateStatus"]
    found = parse.service(document, "paai")
    assert found.replicas is None
    assert found.update is None


def test_what_the_operator_is_given_beside_its_logins_is_not_in_use() -> None:
    document = deepcopy(SERVICE)
    document["Spec"]["TaskTemplate"]["ContainerSpec"]["Secrets"] = [
        {"SecretName": "paai_mongo_sink_v2", "File": {"Name": "mongo_sink_old"}},
        {"SecretName": "paai_mongo_sink_v1", "File": {"Name": "mongo_sink"}},
    ]
    assert parse.service(document, "paai").secrets == ("paai_mongo_sink_v1",)


def test_a_task() -> None:
    found = parse.task(TASK, TEMPLATE)
    assert (found.slot, found.state, found.exit_code, found.container_id) == (2, "failed", 1, "c1")
    assert found.created == datetime(2026, 11, 24, 10, 0, 1, 123456, UTC)
    assert found.failed
    assert not found.lives


def test_a_task_is_current_when_it_was_made_of_what_is_wanted_now() -> None:
    assert parse.task(TASK, TEMPLATE).current
    # What is empty is written at one place and left out at the other.
    lean = deepcopy(TEMPLATE)
    del lean["Placement"], lean["ForceUpdate"]
    assert parse.task(TASK, lean).current
    forced = deepcopy(TEMPLATE) | {"ForceUpdate": 1}
    assert not parse.task(TASK, forced).current
    other = deepcopy(TEMPLATE)
    other["ContainerSpec"]["Image"] = "sha256:b"
    assert not parse.task(TASK, other).current
    assert not parse.task(TASK, None).current


def test_a_task_that_runs_has_no_exit_code() -> None:
    document = deepcopy(TASK)
    document["Status"] |= {"State": "running", "Err": ""}
    document["Status"]["ContainerStatus"]["ExitCode"] = 0
    assert parse.task(document, TEMPLATE).exit_code is None


def test_an_engine_that_is_in_no_swarm() -> None:
    found = parse.info({"ID": "E1", "Name": "box", "ServerVersion": "20.10.24", "Swarm": {"LocalNodeState": "inactive"}})
    assert (found.swarm, found.is_manager, found.cluster_id) == ("inactive", False, "")


def test_a_leader_that_listens_everywhere_is_known_by_its_managers_address() -> None:
    document = {
        "ID": "n1",
        "Spec": {"Availability": "active"},
        "Description": {"Hostname": "box"},
        "Status": {"State": "ready", "Addr": "0.0.0.0"},
        "ManagerStatus": {"Addr": "10.0.0.1:2377"},
    }
    assert parse.node(document, self_id="n1").address == "10.0.0.1"


def test_named_volumes_of_a_service() -> None:
    document = deepcopy(SERVICE)
    document["Spec"]["TaskTemplate"]["ContainerSpec"]["Mounts"] = [
        {"Type": "volume", "Source": "paai_kafka-1", "Target": "/data"},
        {"Type": "volume", "Target": "/work"},
        {"Type": "tmpfs", "Target": "/tmp"},
    ]
    assert parse.service(document, "paai").volumes == ("paai_kafka-1",)
