"""Nothing is left of the engines and their network, even where one of them was killed."""

import os
import signal
from pathlib import Path

import psutil

from tests.cluster.system import LiveCluster, run_through
from tests.helpers import docker_cluster, docker_engine, node_network


def test_down_and_purge_leave_the_managers_node_clean(cluster: LiveCluster) -> None:
    run_through(cluster.target, cluster.target.down(purge=True))
    manager = cluster.nodes.manager
    label = f"label=com.docker.stack.namespace={cluster.site.stack}"
    for kind in (("service", "ls"), ("ps", "--all"), ("network", "ls"), ("volume", "ls")):
        assert manager.docker(*kind, "--quiet", "--filter", label) == "", kind
    assert manager.docker("secret", "ls", "--quiet") == ""


def test_nothing_is_left_of_engines_and_network(cluster: LiveCluster) -> None:
    directory = cluster.nodes.directory
    key = docker_engine.short_name(directory)
    assert len(left_of(directory, key)) > 10  # it finds what is there
    os.kill(int(cluster.nodes.engines[2].pid_file.read_text()), signal.SIGKILL)
    docker_cluster.stop(directory)
    assert left_of(directory, key) == []


def left_of(directory: Path, key: str) -> list[str]:
    """What of this run is on this machine: namespaces, links, processes, mounts in any namespace, directories of nodes."""
    place = str(directory / "node-")
    links = [line for line in node_network.ip("-o", "link").splitlines() if f"paai-{key}" in line]
    processes = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        try:
            mounts = Path(f"/proc/{process.pid}/mountinfo").read_text()
        except OSError:
            continue
        # What runs in a container has its root file system there.
        if place in mounts or any(place in word for word in words):
            processes.append(f"{process.pid} {' '.join(words)[:120]}")
    return node_network.namespaces(key) + links + processes + [str(path) for path in directory.glob("node-*")]
