"""A Docker engine of the tests' own: data root, exec root, socket, bridges and addresses that nobody else uses.

`python -m tests.helpers.docker_engine start|stop DIR` does by hand what `start` and `stop` do for tests. Needs root,
dockerd 20.10 or newer, iproute2 and iptables (`stack/bootstrap.sh swarm` installs them). One engine in swarm mode a network
namespace: the port of Swarm's gossip is fixed. `docker_cluster` starts several, each in a namespace of its own.
"""

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil

from tests.helpers.node_network import Node, inside
from tests.helpers.wait import wait_until

#: A cold engine on a busy machine with two cores takes some seconds.
START_S: Final = 60.0
STOP_S: Final = 60.0
CALL_S: Final = 60.0

#: Daemons that this process started, by their engine's directory: they are its children, and are waited for once they end.
_daemons: Final[dict[Path, subprocess.Popen[bytes]]] = {}

#: Of unix sockets: 108 bytes with the final zero.
_MAX_SOCKET_PATH: Final = 100


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine.

    Attributes:
        directory: Everything that it writes is below it.
        bridge: Of containers without a network of their own.
        gateway_bridge: Of containers in overlay networks; Swarm's default name for it is shared by all engines.
        subnet: First three bytes of the addresses of both: "10.213.7".
        forward_policy: Of iptables before the engine was started; dockerd sets DROP.
        namespace: Network namespace that it runs in; empty for this machine's own.
        address: Under which other nodes of its swarm and tests reach it.
        name_server: That it asks for names that are none of its own; empty for this machine's.
    """

    directory: Path
    bridge: str
    gateway_bridge: str
    subnet: str
    forward_policy: str
    namespace: str = ""
    address: str = "127.0.0.1"
    name_server: str = ""

    @property
    def socket(self) -> Path:
        return self.directory / "docker.sock"

    @property
    def host(self) -> str:
        """What DOCKER_HOST must say."""
        return f"unix://{self.socket}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which every Docker client speaks to this engine."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("DOCKER_")}
        return inherited | {"DOCKER_HOST": self.host}

    @property
    def pid_file(self) -> Path:
        return self.directory / "docker.pid"

    @property
    def log(self) -> Path:
        return self.directory / "dockerd.log"

    def docker(self, *arguments: str, check: bool = True, timeout_s: float = CALL_S) -> str:
        """Run the client; returns what it prints.

        Raises:
            AssertionError: it failed or did not end; with what it said.
        """
        try:
            answer = subprocess.run(
                ["docker", *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"docker {' '.join(arguments)} did not end within {timeout_s:g} s") from error
        if check and answer.returncode != 0:
            raise AssertionError(f"docker {' '.join(arguments)} failed: {answer.stderr.strip() or answer.stdout.strip()}")
        return answer.stdout


def start(directory: Path, *, swarm: bool = True, node: Node | None = None) -> Engine:
    """Start an engine below `directory`, or find it running; with `swarm` as the manager of a swarm of one.

    Args:
        node: The machine of a test's network that it is to run on; None for this machine itself.

    Raises:
        AssertionError: it did not come up; with the end of its log.
    """
    directory = directory.resolve()
    if len(os.fsencode(directory / "exec/containerd/containerd-debug.sock")) > _MAX_SOCKET_PATH:
        raise AssertionError(f"{directory} is too long a path for the engine's sockets")
    engine = _remembered(directory)
    if engine is None or not _answers(engine):
        if engine is not None:
            stop(directory)  # the remains of one that was killed
        directory.mkdir(parents=True, exist_ok=True)
        engine = _prepare(directory, node)
        try:
            _start_daemon(engine)
        except BaseException:
            stop(directory)
            raise
    if swarm and engine.docker("info", "--format", "{{.Swarm.LocalNodeState}}").strip() != "active":
        make_gateway_bridge(engine)
        # Without a network of nodes on loopback: nobody outside reaches the port where nodes join.
        engine.docker(
            *("swarm", "init", f"--advertise-addr={engine.address}", f"--listen-addr={engine.address}:2377"),
            "--task-history-limit=3",
        )
    return engine


def stop(directory: Path, *, keep_data: bool = False) -> None:
    """Take the engine and everything that it made down, running or not: services, containers, networks, bridges, mounts, files.

    Args:
        keep_data: Leave the data root, with images and volumes, for the next `start`.
    """
    directory = directory.resolve()
    engine = _remembered(directory)
    if engine is None:
        return
    if _answers(engine):
        # What does not end in time is killed below.
        with contextlib.suppress(AssertionError):
            # Tasks first: Swarm would start anew whatever else is removed.
            engine.docker("swarm", "leave", "--force", check=False)
            containers = engine.docker("ps", "--all", "--quiet", check=False).split()
            if containers:
                engine.docker("rm", "--force", *containers, check=False, timeout_s=STOP_S)
    _stop_processes(engine)
    _unmount_below(directory)
    if not engine.namespace:  # else they go with it
        for name in (engine.bridge, engine.gateway_bridge):
            _run("ip", "link", "delete", name, check=False)
        if not _other_engines():
            _remove_firewall_rules(engine)
    for name in (
        "exec",
        "docker.sock",
        "docker.pid",
        "engine.json",
        "daemon.json",
        *([] if keep_data else ["data", "dockerd.log"]),
    ):
        path = directory / name
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)


@contextlib.contextmanager
def running(directory: Path, *, swarm: bool = True) -> Iterator[Engine]:
    """An engine for as long as the block lasts."""
    try:
        yield start(directory, swarm=swarm)
    finally:
        stop(directory)


def short_name(directory: Path) -> str:
    """Four characters that stand for a directory in names of bridges and namespaces."""
    return hashlib.sha256(os.fsencode(directory)).hexdigest()[:4]


def _prepare(directory: Path, node: Node | None) -> Engine:
    short = short_name(directory)
    number = int(short, 16)
    namespace = node.namespace if node else ""
    routes = _run(*inside(namespace, "ip", "-4", "route"))
    subnet = next(s for i in range(256) if f" {(s := f'10.213.{(number + i) % 256}')}." not in f" {routes}")
    policy = next(iter(_run(*inside(namespace, "iptables", "-S", "FORWARD")).split("\n")), "").removeprefix("-P FORWARD ")
    engine = Engine(
        *(directory, f"paai-b{short}", f"paai-g{short}", subnet, policy or "ACCEPT"),
        namespace=namespace,
        address=node.address if node else "127.0.0.1",
        name_server=node.name_server if node else "",
    )
    # Remembered before anything is made, so that whatever ends this run, `stop` knows what to remove.
    content = {key: str(value) for key, value in asdict(engine).items()}
    (directory / "engine.json").write_text(json.dumps(content), "utf-8")
    (directory / "daemon.json").write_text("{}", "utf-8")  # keeps the machine's own configuration out of it
    return engine


def _start_daemon(engine: Engine) -> None:
    for arguments in (
        ("link", "add", "name", engine.bridge, "type", "bridge"),
        ("address", "add", f"{engine.subnet}.1/25", "dev", engine.bridge),
        ("link", "set", engine.bridge, "up"),
    ):
        _run(*inside(engine.namespace, "ip", *arguments))
    command = [
        *(_as_node(engine) if engine.namespace else []),
        "dockerd",
        f"--config-file={engine.directory / 'daemon.json'}",
        f"--data-root={engine.directory / 'data'}",
        f"--exec-root={engine.directory / 'exec'}",
        f"--pidfile={engine.pid_file}",
        f"--host={engine.host}",
        f"--bridge={engine.bridge}",
        "--log-level=warn",
        *([f"--dns={engine.name_server}"] if engine.name_server else []),
    ]
    with engine.log.open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=_daemon_environment(),
        )
    _daemons[engine.directory] = process

    def up() -> bool:
        if process.poll() is not None:
            raise AssertionError(f"dockerd ended with {process.returncode}: {_tail(engine.log)}")
        return _answers(engine)

    wait_until(up, START_S, "the Docker engine", interval_s=0.2)


def _daemon_environment() -> dict[str, str]:
    # Debian keeps iptables and runc where only root looks.
    path = os.environ.get("PATH", "")
    return os.environ | {"PATH": f"{path}:/usr/local/sbin:/usr/sbin:/sbin"}


def _as_node(engine: Engine) -> list[str]:
    """What comes before a command that is to run as a machine of its own: its network, and its name."""
    name = 'echo "$0" >/proc/sys/kernel/hostname && exec "$@"'
    return inside(engine.namespace, "unshare", "--uts", "sh", "-c", name, engine.namespace)


def make_gateway_bridge(engine: Engine) -> None:
    """Before the engine becomes a node of a swarm: Swarm takes the bridge as it finds it; else it would make one under a name
    that all engines share. One that an engine kept from a run that was interrupted is of that run's addresses.
    """
    engine.docker("network", "rm", "docker_gwbridge", check=False)
    engine.docker(
        "network", "create",
        f"--subnet={engine.subnet}.128/25",
        f"--opt=com.docker.network.bridge.name={engine.gateway_bridge}",
        "--opt=com.docker.network.bridge.enable_icc=false",
        "--opt=com.docker.network.bridge.enable_ip_masquerade=true",
        "docker_gwbridge",
    )  # fmt: skip


def _answers(engine: Engine) -> bool:
    if not engine.socket.exists():
        return False
    try:
        return bool(engine.docker("version", "--format", "{{.Server.Version}}", check=False, timeout_s=10).strip())
    except AssertionError:
        return False


def _remembered(directory: Path) -> Engine | None:
    try:
        values = json.loads((directory / "engine.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return Engine(**{**values, "directory": Path(values["directory"])})


def _stop_processes(engine: Engine) -> None:
    with contextlib.suppress(OSError, ValueError, psutil.NoSuchProcess):
        daemon = psutil.Process(int(engine.pid_file.read_text()))
        if str(engine.directory) in " ".join(daemon.cmdline()):
            daemon.send_signal(signal.SIGTERM)
            with contextlib.suppress(psutil.TimeoutExpired):
                daemon.wait(STOP_S)
    # containerd and its shims outlive a dockerd that was killed, and what runs in containers outlives the shims.
    left = [process for process in psutil.process_iter() if _belongs(process, engine)]
    for process in list(left):
        with contextlib.suppress(psutil.NoSuchProcess):
            left += process.children(recursive=True)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=10)
    if (child := _daemons.pop(engine.directory, None)) is not None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=10)


def _belongs(process: psutil.Process, engine: Engine) -> bool:
    try:
        words = process.cmdline()
    except psutil.Error:
        return False
    return any(word.endswith(("dockerd", "containerd", "containerd-shim-runc-v2")) for word in words[:1]) and any(
        str(engine.directory) + "/" in word for word in words[1:]
    )


def _other_engines() -> bool:
    """Whether one is left in this network namespace, whose firewall they share."""
    here = Path("/proc/self/ns/net").readlink()
    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(OSError):
            if process.info["name"] == "dockerd" and Path(f"/proc/{process.pid}/ns/net").readlink() == here:
                return True
    return False


def _unmount_below(directory: Path) -> None:
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for point in sorted((p for p in points if p.startswith(f"{directory}/")), key=len, reverse=True):
        _run("umount", "--lazy", point, check=False)


def _remove_firewall_rules(engine: Engine) -> None:
    """Every rule and chain of Docker's; only where no other engine needs them."""
    for table in ("filter", "nat"):
        rules = _run("iptables", "-t", table, "-S", check=False).splitlines()
        for rule in rules:
            if rule.startswith("-A") and ("DOCKER" in rule or engine.bridge in rule or engine.gateway_bridge in rule):
                _run("iptables", "-t", table, "-D", *rule.split()[1:], check=False)
        chains = [rule.split()[1] for rule in rules if rule.startswith("-N DOCKER")]
        for action in ("-F", "-X"):
            for chain in chains:
                _run("iptables", "-t", table, action, chain, check=False)
    _run("iptables", "-P", "FORWARD", engine.forward_policy, check=False)


def _run(*command: str, check: bool = True) -> str:
    answer = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=CALL_S,
        check=False,
        env=_daemon_environment(),
    )
    if check and answer.returncode != 0:
        raise AssertionError(f"{' '.join(command)} failed: {answer.stderr.strip()}")
    return answer.stdout


def _tail(path: Path) -> str:
    return " | ".join(path.read_text("utf-8", errors="replace").splitlines()[-5:])


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.helpers.docker_engine", description=__doc__)
    parser.add_argument("action", choices=("start", "stop"))
    parser.add_argument("directory", type=Path)
    parser.add_argument("--keep-data", action="store_true", help="stop: leave images and volumes for the next start")
    options = parser.parse_args(arguments)
    begun = time.monotonic()
    if options.action == "start":
        engine = start(options.directory)
        sys.stdout.write(f"export DOCKER_HOST={engine.host}\n")
    else:
        stop(options.directory, keep_data=options.keep_data)
    sys.stderr.write(f"{options.action}: {time.monotonic() - begun:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
