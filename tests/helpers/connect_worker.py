"""Connect of a test's own, with our jar, on a broker of a test's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from stack.jars import own_jar
from stack.jvm import kafka
from tests.helpers.secured_kafka import free_ports, jvm
from tests.helpers.wait import wait_until


class ConnectWorker:
    """A running worker.

    Attributes:
        url: Of its REST interface.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def put(self, config: dict[str, str]) -> None:
        """Create or change the connector that `config` names, and wait until all its tasks run."""
        name, running = config["name"], ["RUNNING"] * int(config["tasks.max"])

        def taken() -> bool:
            answer = httpx.put(f"{self.url}/connectors/{name}/config", json=config, timeout=60, trust_env=False)
            assert answer.status_code in (200, 201, 409), answer.text  # 409: it is rebalancing
            return answer.is_success

        wait_until(taken, 120, f"Connect to take the connector {name}", interval_s=0.5)
        wait_until(lambda: self.task_states(name) == running, 120, f"the tasks of {name}", interval_s=0.5)

    def status(self, name: str) -> dict[str, object]:
        """What Connect says of a connector."""
        answer = httpx.get(f"{self.url}/connectors/{name}/status", timeout=60, trust_env=False)
        return dict(answer.json()) if answer.status_code == httpx.codes.OK else {}

    def task_states(self, name: str) -> list[str]:
        """State of each task."""
        tasks = self.status(name).get("tasks", [])
        return [task["state"] for task in tasks] if isinstance(tasks, list) else []

    def delete(self, name: str) -> None:
        """Remove a connector."""
        wait_until(
            lambda: httpx.delete(f"{self.url}/connectors/{name}", timeout=60, trust_env=False).status_code in (204, 404),
            60,
            f"{name} to be gone",
            interval_s=0.5,
        )


@contextmanager
def connect_worker(directory: Path, *, bootstrap: str) -> Iterator[ConnectWorker]:
    """Start it; `directory` gets configuration and log."""
    (port,) = free_ports(1)
    properties = kafka.connect_properties(bootstrap=bootstrap, listen="127.0.0.1", advertised_host="127.0.0.1", port=port)
    worker = ConnectWorker(f"http://127.0.0.1:{port}")

    def answers() -> bool:
        try:
            return httpx.get(f"{worker.url}/connectors", timeout=5, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    with jvm(directory, "connect", kafka.CONNECT_MAIN, properties, class_path=(str(own_jar.path()),)):
        wait_until(answers, 240, f"Connect to answer; see {directory}/connect.log", interval_s=0.5)
        yield worker
