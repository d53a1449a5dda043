"""Machines in a network, for engines that are to be several nodes of one swarm: network namespaces on a switch of their own.

Each node is a namespace with one cable (a veth pair) to a bridge, which is in a namespace too: the machine's own firewall and
bridges, and whatever runs on them, never see what nodes say to one another. One more cable leads to this machine, so that tests
reach the nodes' published ports. Needs root and iproute2. Names and addresses come from a key, so that a network can be removed
by whoever knows the key, also after a run that was killed.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NAMESPACES: Final = Path("/run/netns")
_CALL_S: Final = 30.0
#: Of the addresses on the cable to this machine, and of the network's name server.
_HERE: Final = 254
_NAMES: Final = 253
_SERVER: Final = Path(__file__).with_name("no_names.py")

#: Name servers that this process started, by their network's key: they are its children, and are waited for once they end.
_servers: Final[dict[str, subprocess.Popen[bytes]]] = {}


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the network.

    Attributes:
        number: From 1.
        namespace: Name of its network namespace.
        address: In the network.
        name_server: Of the network; see `no_names`.
    """

    number: int
    namespace: str
    address: str
    name_server: str


@dataclass(frozen=True, slots=True)
class Network:
    """The switch and its nodes.

    Attributes:
        switch: Namespace of the bridge.
        link: Of this machine, to the switch.
    """

    switch: str
    link: str
    nodes: tuple[Node, ...]

    @contextmanager
    def cut_off(self, node: Node) -> Iterator[None]:
        """Take the node's link down for as long as the block lasts."""
        ip("link", "set", _port(node.number), "down", namespace=self.switch)
        try:
            yield
        finally:
            ip("link", "set", _port(node.number), "up", namespace=self.switch)


def make(key: str, count: int) -> Network:
    """Make a network of `count` nodes; what a former run of this key left is removed.

    Args:
        key: Up to four characters, part of every name.

    Raises:
        AssertionError: it cannot be made; with what `ip` said. Nothing is left then.
    """
    remove(key)
    # Docker gives its own networks addresses of 10.0.0.0/16 on; routes of this machine must not be covered either.
    routes = f" {ip('-4', 'route')}"
    start = int.from_bytes(key.encode()[-1:]) % 200
    subnet = next(s for i in range(200) if f" {(s := f'10.214.{(start + i) % 200}')}." not in routes)
    nodes = tuple(Node(n, f"paai-{key}-{n}", f"{subnet}.{n}", f"{subnet}.{_NAMES}") for n in range(1, count + 1))
    network = Network(f"paai-{key}-0", f"paai-{key}", nodes)
    try:
        ip("netns", "add", network.switch)
        ip("link", "add", "lan", "type", "bridge", namespace=network.switch)
        ip("link", "set", "lan", "up", namespace=network.switch)
        ip("address", "add", f"{subnet}.{_NAMES}/24", "dev", "lan", namespace=network.switch)
        _servers[key] = subprocess.Popen(
            inside(network.switch, sys.executable, "-I", "-S", str(_SERVER), f"{subnet}.{_NAMES}"),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        ip("link", "add", network.link, "type", "veth", "peer", "name", _port(0), "netns", network.switch)
        _plug(network.switch, 0)
        ip("address", "add", f"{subnet}.{_HERE}/24", "dev", network.link)
        ip("link", "set", network.link, "up")
        for node in nodes:
            ip("netns", "add", node.namespace)
            ip("link", "set", "lo", "up", namespace=node.namespace)
            ip(
                *("link", "add", _port(node.number), "type", "veth", "peer", "name", "eth0", "netns", node.namespace),
                namespace=network.switch,
            )
            _plug(network.switch, node.number)
            ip("address", "add", f"{node.address}/24", "dev", "eth0", namespace=node.namespace)
            ip("link", "set", "eth0", "up", namespace=node.namespace)
    except BaseException:
        remove(key)
        raise
    return network


def remove(key: str) -> None:
    """Remove the network of that key, as far as it is there, with the processes in it."""
    for name in namespaces(key):
        for process in ip("netns", "pids", name, check=False).split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)
        ip("netns", "delete", name, check=False)
    if (server := _servers.pop(key, None)) is not None:
        server.wait(timeout=_CALL_S)
    # The kernel takes it with the other end, but in its own time.
    ip("link", "delete", f"paai-{key}", check=False)


def namespaces(key: str) -> list[str]:
    """Names of the namespaces of that key that there are."""
    return sorted(path.name for path in NAMESPACES.glob(f"paai-{key}-*"))


def inside(namespace: str, *command: str) -> list[str]:
    """The command as it is run in a namespace; in this one where it is empty.

    By nsenter: `ip netns exec` mounts /sys anew, and what it runs sees no control groups.
    """
    return [*(["nsenter", f"--net={NAMESPACES / namespace}"] if namespace else []), *command]


def ip(*arguments: str, namespace: str = "", check: bool = True) -> str:
    """Run `ip` in a namespace; returns what it prints.

    Raises:
        AssertionError: it failed; with what it said.
    """
    command = inside(namespace, "ip", *arguments)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_CALL_S, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return done.stdout


def _port(number: int) -> str:
    """Of the switch, to that node; 0 leads to this machine."""
    return f"port-{number}"


def _plug(switch: str, number: int) -> None:
    ip("link", "set", _port(number), "master", "lan", namespace=switch)
    ip("link", "set", _port(number), "up", namespace=switch)
