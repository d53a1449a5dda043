"""From the engine's JSON (`docker inspect` and its like) to `state`."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from stack.swarm.state import OLD, EngineInfo, Image, Node, Service, Task, Update

Json = Mapping[str, Any]


def info(document: Json) -> EngineInfo:
    """Of `docker info`."""
    swarm = document.get("Swarm") or {}
    return EngineInfo(
        engine_id=str(document.get("ID", "")),
        name=str(document.get("Name", "")),
        version=str(document.get("ServerVersion", "")),
        swarm=str(swarm.get("LocalNodeState") or "inactive"),
        is_manager=bool(swarm.get("ControlAvailable")),
        cluster_id=str((swarm.get("Cluster") or {}).get("ID", "")),
        node_id=str(swarm.get("NodeID", "")),
        node_address=str(swarm.get("NodeAddr", "")),
        swarm_error=str(swarm.get("Error", "")),
        memory_bytes=int(document.get("MemTotal") or 0),
        cpus=int(document.get("NCPU") or 0),
        system_time=_time(document["SystemTime"]) if document.get("SystemTime") else None,
        root_dir=str(document.get("DockerRootDir", "")),
    )


def service(document: Json, stack: str) -> Service:
    """Of `docker service inspect`."""
    spec = document["Spec"]
    replicated = (spec.get("Mode") or {}).get("Replicated")
    container = spec["TaskTemplate"].get("ContainerSpec") or {}
    status = document.get("UpdateStatus") or {}
    return Service(
        id=document["ID"],
        name=spec["Name"].removeprefix(f"{stack}_"),
        replicas=None if replicated is None else int(replicated.get("Replicas") or 0),
        image=str(container.get("Image", "")),
        update=Update(status["State"], str(status.get("StartedAt", "")), str(status.get("Message", "")))
        if status.get("State")
        else None,
        secrets=tuple(
            str(secret["SecretName"])
            for secret in container.get("Secrets") or ()
            if not str((secret.get("File") or {}).get("Name", "")).endswith(OLD)
        ),
        environment=tuple(container.get("Env") or ()),
        ports=published(document),
        volumes=tuple(
            str(mount["Source"])
            for mount in container.get("Mounts") or ()
            if mount.get("Type") == "volume" and mount.get("Source")
        ),
    )


def published(document: Json) -> tuple[int, ...]:
    """Ports that a service (`docker service inspect`) publishes."""
    ports = (document.get("Spec", {}).get("EndpointSpec") or {}).get("Ports") or ()
    return tuple(int(port["PublishedPort"]) for port in ports if port.get("PublishedPort"))


def check_output(health: str) -> str:
    """Return what the last health check printed, of `docker container inspect`; empty where it failed or there was none."""
    try:
        last = (json.loads(health) or {})["Log"][-1]
        return str(last["Output"]).strip() if last["ExitCode"] == 0 else ""
    except (ValueError, LookupError, TypeError):
        return ""


def task(document: Json, wanted: Json | None) -> Task:
    """Of `docker inspect` of a task.

    Args:
        wanted: The `TaskTemplate` that its service has now.
    """
    status = document.get("Status") or {}
    container = status.get("ContainerStatus") or {}
    spec = document.get("Spec") or {}
    exit_code = container.get("ExitCode")
    state = str(status.get("State", "new"))
    return Task(
        id=document["ID"],
        service_id=document["ServiceID"],
        slot=int(document.get("Slot") or 0),
        node_id=str(document.get("NodeID", "")),
        state=state,
        desired=str(document.get("DesiredState", "")),
        current=wanted is not None and _same(spec, wanted),
        error=str(status.get("Err", "")),
        at=_time(status.get("Timestamp") or document["CreatedAt"]),
        created=_time(document["CreatedAt"]),
        image=str((spec.get("ContainerSpec") or {}).get("Image", "")),
        message=str(status.get("Message", "")),
        # The engine writes 0 for a container that has not ended, too.
        exit_code=int(exit_code) if exit_code is not None and state in {"complete", "failed", "shutdown"} else None,
        container_id=str(container.get("ContainerID", "")),
    )


def node(document: Json, *, self_id: str) -> Node:
    """Of `docker node inspect`."""
    status, description = document.get("Status") or {}, document.get("Description") or {}
    address = str(status.get("Addr", ""))
    manager = str((document.get("ManagerStatus") or {}).get("Addr", ""))
    if address in {"", "0.0.0.0"} and manager:  # noqa: S104 (a leader that listens everywhere says so of itself)
        address = manager.rsplit(":", 1)[0]
    spec = document.get("Spec") or {}
    return Node(
        id=document["ID"],
        name=str(description.get("Hostname", "")),
        address=address,
        ready=status.get("State") == "ready" and spec.get("Availability") == "active",
        is_self=document["ID"] == self_id,
        labels=dict(spec.get("Labels") or {}),
    )


def image(document: Json) -> Image:
    """Of `docker image inspect`."""
    return Image(
        id=document["Id"],
        digests=tuple(document.get("RepoDigests") or ()),
        labels=dict((document.get("Config") or {}).get("Labels") or {}),
        size_bytes=int(document.get("Size") or 0),
    )


def _same(spec: Json, wanted: Json) -> bool:
    """Whether a task was made of this template; a forced update counts up a number in it."""
    # Only services say that what they run is containers.
    without = [{key: value for key, value in document.items() if key != "Runtime"} for document in (spec, wanted)]
    return bool(_plain(without[0]) == _plain(without[1]))


def _plain(value: Any) -> Any:
    """Without what is empty: the engine leaves it out at one place and writes it at another."""
    if isinstance(value, Mapping):
        plain = {key: _plain(item) for key, item in value.items()}
        return {key: item for key, item in plain.items() if item not in (None, {}, [], "", 0, False)}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _time(text: str) -> datetime:
    """The engine writes nanoseconds; a datetime has microseconds."""
    found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text).replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)
