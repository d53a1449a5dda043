"""The part of the compose format, version 3.8, that this project uses. Anything else in a file is an error."""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_SIZE = re.compile(r"(\d+)([bkmg]?)b?", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def _bytes(value: object) -> object:
    if isinstance(value, str) and (match := _SIZE.fullmatch(value.strip())):
        return int(match[1]) * _UNITS[match[2].lower()]
    return value


def _seconds(value: object) -> object:
    if isinstance(value, str) and value and (match := _DURATION.fullmatch(value.strip())):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return float(hours * 3600 + minutes * 60 + seconds)
    return value


def _environment(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): "" if item is None else str(item) for key, item in value.items()}
    return value


#: Bytes, from "256M".
Bytes = Annotated[int, BeforeValidator(_bytes)]
#: Seconds, from "1m30s".
Seconds = Annotated[float, BeforeValidator(_seconds)]
#: A port number, also from the text of a variable.
Port = Annotated[int, Field(ge=1, le=65535)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Logging(_Model):
    driver: str
    options: dict[str, str] = Field(default_factory=dict)


class PublishedPort(_Model):
    target: Port
    published: Port
    mode: Literal["host", "ingress"] = "ingress"
    protocol: Literal["tcp", "udp"] = "tcp"


class Tmpfs(_Model):
    size: Bytes


class Mount(_Model):
    type: Literal["volume", "tmpfs"]
    target: str
    source: str | None = None
    read_only: bool = False
    tmpfs: Tmpfs | None = None


class SecretUse(_Model):
    source: str
    target: str
    uid: str | None = None
    gid: str | None = None
    mode: int | None = None


class Healthcheck(_Model):
    test: list[str]
    interval: Seconds
    timeout: Seconds
    retries: int
    start_period: Seconds


class Limits(_Model):
    memory: Bytes
    cpus: str | None = None


class Resources(_Model):
    limits: Limits | None = None


class RestartPolicy(_Model):
    condition: Literal["any", "on-failure", "none"]
    delay: Seconds | None = None
    max_attempts: int | None = None
    window: Seconds | None = None


class UpdateConfig(_Model):
    parallelism: int = 1
    order: Literal["start-first", "stop-first"] = "stop-first"
    failure_action: Literal["rollback", "pause", "continue"] | None = None
    monitor: Seconds | None = None
    max_failure_ratio: float | None = None
    delay: Seconds | None = None


class SpreadPreference(_Model):
    spread: str


class Placement(_Model):
    constraints: list[str] = Field(default_factory=list)
    preferences: list[SpreadPreference] = Field(default_factory=list)
    max_replicas_per_node: int | None = None


class Deploy(_Model):
    mode: Literal["replicated", "global"] = "replicated"
    endpoint_mode: Literal["dnsrr", "vip"] = "vip"
    replicas: int | None = None
    placement: Placement = Placement()
    restart_policy: RestartPolicy | None = None
    update_config: UpdateConfig | None = None
    rollback_config: UpdateConfig | None = None
    resources: Resources = Resources()

    @property
    def count(self) -> int:
        """Replicas; one for a service that is on every node."""
        return 1 if self.mode == "global" or self.replicas is None else self.replicas


class Service(_Model):
    image: str
    command: list[str] = Field(default_factory=list)
    hostname: str | None = None
    environment: Annotated[dict[str, str], BeforeValidator(_environment)] = Field(default_factory=dict)
    ports: list[PublishedPort] = Field(default_factory=list)
    volumes: list[Mount] = Field(default_factory=list)
    secrets: list[SecretUse] = Field(default_factory=list)
    networks: list[str] = Field(default_factory=list)
    healthcheck: Healthcheck | None = None
    logging: Logging | None = None
    read_only: bool = False
    cap_drop: list[str] = Field(default_factory=list)
    cap_add: list[str] = Field(default_factory=list)
    stop_grace_period: Seconds | None = None
    deploy: Deploy = Deploy()


class Network(_Model):
    driver: Literal["overlay"]


class Volume(_Model):
    name: str | None = None
    driver: str | None = None
    driver_opts: dict[str, str] = Field(default_factory=dict)


class Secret(_Model):
    name: str
    external: Literal[True]


class Stack(_Model):
    """One file, or several merged.

    Attributes:
        services, networks, volumes, secrets: By their names in the file.
    """

    version: Literal["3.8"]
    services: dict[str, Service]
    networks: dict[str, Network] = Field(default_factory=dict)
    volumes: dict[str, Volume] = Field(default_factory=dict)
    secrets: dict[str, Secret] = Field(default_factory=dict)


class Fragment(_Model):
    """An overlay: as `Stack`, of services only what it changes."""

    version: Literal["3.8"]
    services: dict[str, dict[str, Any]] = Field(default_factory=dict)
    networks: dict[str, Network] = Field(default_factory=dict)
    volumes: dict[str, Volume] = Field(default_factory=dict)
    secrets: dict[str, Secret] = Field(default_factory=dict)
