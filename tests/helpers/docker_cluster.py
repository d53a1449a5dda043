"""Several Docker engines of the tests' own that are one swarm, each on a machine of its own (`node_network`).

`python -m tests.helpers.docker_cluster start|stop DIR` does by hand what `start` and `stop` do for tests.
"""

import argparse
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.helpers import docker_engine, node_network
from tests.helpers.docker_engine import Engine
from tests.helpers.node_network import Network, Node
from tests.helpers.wait import wait_until

NODES: Final = 3
_COPY_S: Final = 300.0
_JOIN_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """A swarm of several engines.

    Attributes:
        engines: The manager first, then the workers.
    """

    directory: Path
    network: Network
    engines: tuple[Engine, ...]

    @property
    def manager(self) -> Engine:
        return self.engines[0]


def start(directory: Path, images: Path) -> Cluster:
    """Make the network, start an engine on each node, and have them join.

    Args:
        directory: Everything that they write is below it, on the file system of `images`.
        images: Directory of an engine that was stopped and kept its data; all nodes get its images.

    Raises:
        AssertionError: something failed; nothing is left then.
    """
    directory = directory.resolve()
    stop(directory)
    directory.mkdir(parents=True, exist_ok=True)
    try:
        network = node_network.make(docker_engine.short_name(directory), NODES)
        for node in network.nodes:
            _share_images(images.resolve() / "data", _place(directory, node.number) / "data")

        def start_one(node: Node) -> Engine:
            return docker_engine.start(_place(directory, node.number), swarm=node.number == 1, node=node)

        with ThreadPoolExecutor(NODES) as threads:
            cluster = Cluster(directory, network, tuple(threads.map(start_one, network.nodes)))
        _join(cluster)
    except BaseException:
        stop(directory)
        raise
    return cluster


def stop(directory: Path) -> None:
    """Take everything down that `start` made, also where a former run was killed."""
    directory = directory.resolve()
    # The workers first: a manager that is gone lets nobody leave in peace.
    with ThreadPoolExecutor(NODES) as threads:
        list(threads.map(docker_engine.stop, [_place(directory, n) for n in range(2, NODES + 1)]))
    docker_engine.stop(_place(directory, 1))
    node_network.remove(docker_engine.short_name(directory))
    for number in range(1, NODES + 1):
        # A directory of a run that was killed before its engine was noted holds images alone.
        shutil.rmtree(_place(directory, number), ignore_errors=True)


def _place(directory: Path, number: int) -> Path:
    return directory / f"node-{number}"


def _share_images(source: Path, target: Path) -> None:
    """Give an engine the images of another, in seconds and with hardly a byte more on disk. Neither may run.

    Layers are links to the same files: no engine writes to those, it lays others above. What engines write is copied.
    """
    driver = next((path.name for path in (source / "image").glob("*")), "none")
    assert driver in {"overlay2", "vfs"}, f"images of the storage driver {driver} cannot be shared; use overlay2"
    target.mkdir(parents=True)
    for link, name in (("--link", driver), ("--reflink=auto", "image")):
        done = subprocess.run(
            ["cp", "--archive", link, str(source / name), str(target)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_COPY_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"the images cannot be shared: {done.stderr.strip()[-300:]}"


def _join(cluster: Cluster) -> None:
    manager = cluster.manager
    token = manager.docker("swarm", "join-token", "--quiet", "worker").strip()
    for engine in cluster.engines[1:]:
        docker_engine.make_gateway_bridge(engine)
        engine.docker(
            *("swarm", "join", f"--advertise-addr={engine.address}", f"--listen-addr={engine.address}:2377"),
            *("--token", token, f"{manager.address}:2377"),
        )

    def ready() -> bool:
        states = manager.docker("node", "ls", "--format", "{{.Status}}").split()
        return states == ["Ready"] * len(cluster.engines)

    wait_until(ready, _JOIN_S, "all nodes to be ready", interval_s=0.5)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.helpers.docker_cluster", description=__doc__)
    parser.add_argument("action", choices=("start", "stop"))
    parser.add_argument("directory", type=Path)
    parser.add_argument(
        "--images", type=Path, help="start: directory of an engine stopped with --keep-data, whose images all get"
    )
    options = parser.parse_args(arguments)
    begun = time.monotonic()
    if options.action == "stop":
        stop(options.directory)
    elif options.images is None:
        parser.error("start needs --images")
    else:
        cluster = start(options.directory, options.images)
        for engine in cluster.engines:
            sys.stdout.write(f"{engine.namespace} {engine.address}: export DOCKER_HOST={engine.host}\n")
    sys.stderr.write(f"{options.action}: {time.monotonic() - begun:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
