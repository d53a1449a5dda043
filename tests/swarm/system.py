"""What tests of the running stack ask of it and do to it."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pymongo
from pymongo.database import Database

from backend.contract.login import Login, parse_login, with_login
from backend.contract.names import DATABASE
from stack.swarm.secrets import PLAIN
from stack.swarm.site import Site
from stack.swarm.target import SwarmTarget
from stack.target import Endpoints, ServiceStatus
from tests.helpers.wait import wait_until

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LiveSwarm:
    """The stack, up.

    Attributes:
        host: What DOCKER_HOST must say.
        up_s: How long `up` took with images built, in seconds.
    """

    target: SwarmTarget
    host: str
    up_s: float

    @property
    def site(self) -> Site:
        return self.target.site

    @property
    def endpoints(self) -> Endpoints:
        """As they are now: credentials change."""
        return self.target.endpoints()

    def docker(self, *arguments: str, check: bool = True, timeout_s: float = 120.0, stdin: str = "") -> str:
        """What Docker's client prints, stderr included."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("DOCKER_")}
        done = subprocess.run(
            ["docker", *arguments],
            env=environment | {"DOCKER_HOST": self.host, "DOCKER_BUILDKIT": "0"},
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert not check or done.returncode == 0, f"docker {' '.join(arguments)}: {done.stdout}"
        return done.stdout

    def containers(self, service: str) -> list[str]:
        """Ids of the containers of a service that run."""
        label = f"label=com.docker.swarm.service.name={self.site.full(service)}"
        return self.docker("ps", "--quiet", "--no-trunc", "--filter", label).split()

    def kill(self, service: str) -> str:
        """End one container of the service as a crash would; its id."""
        victim = self.containers(service)[0]
        self.docker("kill", "--signal", "KILL", victim)
        return victim

    def rows(self) -> dict[str, ServiceStatus]:
        return {row.service: row for row in self.target.status()}

    def wait_healthy(self, *services: str, timeout_s: float = 300.0) -> None:
        """Until these are as wanted again; all, with none."""

        def healthy() -> bool:
            rows = self.rows()
            return all(rows[name].healthy for name in services or rows)

        wait_until(healthy, timeout_s, f"{', '.join(services) or 'all services'} to be healthy", interval_s=1)

    def wait_replaced(self, service: str, former: str, *, timeout_s: float = 300.0) -> None:
        """Until another container runs in place of one that ended, and is healthy."""
        wait_until(
            lambda: (found := self.containers(service)) and former not in found, timeout_s, f"a new {service}", interval_s=1
        )
        self.wait_healthy(service, timeout_s=timeout_s)

    def in_container(self, service: str, code: str, *, index: int = 0) -> str:
        """What a Python program prints that runs inside the service's container."""
        return self.docker("exec", "--interactive", self.containers(service)[index], "python3", "-", stdin=code)

    def http(self, **more: Any) -> httpx.Client:
        """A client of paai, with the token."""
        endpoints = self.endpoints
        headers = {"Authorization": f"Bearer {endpoints.token}"}
        return httpx.Client(base_url=endpoints.paai, headers=headers, timeout=60, trust_env=False, **more)

    def login(self, name: str) -> Login:
        """A login as this user's copy has it."""
        return parse_login(self.site.credentials().entries[name].value)

    def secret_values(self) -> dict[str, str]:
        """Every value that nobody may see: passwords and tokens by the secret's name."""
        entries = self.site.credentials().entries
        plain = {name: entry.value.strip() for name, entry in entries.items() if name in PLAIN}
        return plain | {name: parse_login(entry.value).password for name, entry in entries.items() if name not in plain}

    def mongo_uri(self, login: Login) -> str:
        return with_login(f"mongodb://{self.site.engine.host}:{self.site.ports.mongo}/?directConnection=true", login)

    @contextmanager
    def database(self, login: Login | None = None) -> Iterator[Database[Document]]:
        """The database, as its administrator unless another login is given."""
        root = Login("root", self.site.credentials().entries["mongo_root"].value.strip())
        uri = self.mongo_uri(login or root)
        with pymongo.MongoClient[Document](uri, tz_aware=True, serverSelectionTimeoutMS=10_000) as client:
            yield client[DATABASE]

    def inspected(self, *arguments: str) -> Any:
        """JSON of a `docker … inspect`."""
        return json.loads(self.docker(*arguments))
