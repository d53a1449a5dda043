"""Looks for foreseeable causes of failure before anything is started. Changes nothing."""

import contextlib
import errno
import importlib.util
import math
import os
import platform
import shlex
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Collection, Mapping
from pathlib import Path

import psutil

from backend.contract.ports import Ports
from stack import limits
from stack.cache import cache_dir
from stack.errors import PortInUseError, PreflightError, StackError
from stack.jars import is_resolved, jar_dirs
from stack.java import find_java
from stack.mongo import choose
from stack.target import Check

#: Nine JVMs, Spark's Python workers, MongoDB and the services together, at the sizes that the local target gives them.
MIN_MEMORY_GIB = 3.5
#: What the predictor and the prediction job import and no other service does.
PREDICTION_PACKAGES = ("sklearn", "skops", "scipy", "pandas", "pyarrow", "threadpoolctl")
#: Retention keeps 5 GiB of raw at most, in Kafka and MongoDB each; a first look needs little of that.
MIN_DISK_GIB = 3.0
MIN_CACHE_GIB = 0.5
#: How long a port is waited for on which nobody listens any more.
CLOSING_S = 5.0

_GIB = 1024**3
_LAST_OF_PLANE = 0xFFFF


def local_ports(ports: Ports) -> dict[str, int]:
    """Every port that the local target binds, by service."""
    return {
        "zookeeper": ports.zookeeper,
        "broker": ports.kafka,
        "broker's JMX": ports.kafka_jmx,
        "connect": ports.connect,
        "mongodb": ports.mongo,
        "spark-master": ports.spark_master,
        "spark-master web page": ports.spark_master_ui,
        "spark-worker web page": ports.spark_worker_ui,
        "paai": ports.paai,
        "generator": ports.generator,
        "predictor": ports.predictor,
    }


def run_checks(
    ports: Ports, data_dir: Path, *, wanted: Mapping[str, int] | None = None, own_pids: Collection[int] = ()
) -> list[Check]:
    """All checks of the local target. Under a second.

    Args:
        ports: Of the instance to be started.
        data_dir: Of the instance; it need not exist.
        wanted: Service → port, instead of `local_ports(ports)`.
        own_pids: Processes of this very instance: what they or their children hold is no obstacle.

    Returns:
        One finding for each matter, those of one port in use each on their own.
    """
    return [
        check_platform(),
        check_java(),
        check_jars(),
        check_mongo(data_dir),
        check_prediction(),
        check_memory(own_pids),
        limits.check_files(),
        limits.check_processes(own_pids),
        check_data_dir(data_dir),
        check_disk(data_dir),
        *check_ports(local_ports(ports) if wanted is None else wanted, own_pids=own_pids),
    ]


def raise_first(checks: list[Check]) -> None:
    """Turn the first failed check into its exception.

    Raises:
        PortInUseError: a port is taken.
        PreflightError: anything else; all findings in one sentence each.
    """
    failed = [check for check in checks if not check.ok]
    if not failed:
        return
    first = failed[0]
    if all(check.name.startswith("Port ") for check in failed):
        service, _, holder = first.detail.partition(" needs it; ")
        raise PortInUseError(int(first.name.removeprefix("Port ")), holder.removesuffix(" holds it"), service=service)
    raise PreflightError(
        f"{first.name} will not do",
        why=" ".join(f"{check.name}: {check.detail}." for check in failed),
        remedy=" ".join(check.remedy for check in failed if check.remedy),
    )


def check_platform() -> Check:
    system, machine = platform.system(), platform.machine()
    ok = system == "Linux"
    return Check(
        "Platform",
        ok,
        f"{system} on {machine}, Python {platform.python_version()}",
        "" if ok else "The local target is made for Linux. Use a swarm, or a Linux machine.",
    )


def check_java() -> Check:
    try:
        java = find_java()
    except StackError as error:
        return _failed("Java", error)
    if bad := unusable_in_class_path(Path(sys.prefix)):
        return Check(
            "Java",
            False,
            f"{sys.prefix} cannot be in a class path: its name contains {bad!r}",
            "Move this project to another folder and type there: make setup",
        )
    return Check("Java", True, f"{java.version} in {java.path}")


def check_jars() -> Check:
    """Missing ones are no failure: `up` fetches them. A broken lock or a cache that cannot be written is."""
    folder = cache_dir()
    if bad := unusable_in_class_path(folder):
        detail = f"{folder} cannot be in a class path: its name contains {bad!r}"
        return Check("JVM artifacts", False, detail, "Name another folder in PAAI_CACHE_DIR.")
    try:
        if is_resolved():
            return Check("JVM artifacts", True, f"In {jar_dirs().kafka.parent}")
    except StackError as error:
        return _failed("JVM artifacts", error)
    if not _writable(folder):
        return Check(
            "JVM artifacts", False, f"{folder} cannot be written", "Make it writable, or name another in PAAI_CACHE_DIR."
        )
    if _free_gib(folder) < MIN_CACHE_GIB:
        detail = f"{_free_gib(folder):.1f} GiB free at {folder}"
        return Check(
            "JVM artifacts", False, detail, f"Free {MIN_CACHE_GIB} GiB there, or name another folder in PAAI_CACHE_DIR."
        )
    return Check("JVM artifacts", True, "Not there yet; will be downloaded once (75 MB)")


def unusable_in_class_path(folder: Path) -> str:
    """The first character of its path that Java cannot load classes through; empty where there is none.

    Java separates entries by colons, and writes what is beyond the Basic Multilingual Plane as two halves that it cannot read.
    """
    return next((char for char in str(folder) if char == ":" or ord(char) > _LAST_OF_PLANE), "")


def check_mongo(data_dir: Path) -> Check:
    try:
        choice = choose(data_dir=data_dir / "mongo")
    except StackError as error:
        return _failed("MongoDB", error)
    return Check("MongoDB", True, f"{choice.kind} {choice.version}. {choice.why}".strip())


def check_prediction() -> Check:
    """Whether what trains and scores is installed; an optional part of the package."""
    missing = [name for name in PREDICTION_PACKAGES if importlib.util.find_spec(name) is None]
    if not missing:
        return Check("Prediction", True, "What trains and scores is installed")
    return Check(
        "Prediction",
        False,
        f"{', '.join(missing)} cannot be imported",
        "Type: make setup, or install the package with its extra named prediction.",
    )


def check_memory(own_pids: Collection[int] = ()) -> Check:
    """What the machine has left, and each control group that this process belongs to.

    Args:
        own_pids: Processes of the very system: what they use is there already.
    """
    own = _resident(own_pids) / _GIB
    free = psutil.virtual_memory().available / _GIB
    group = limits.memory_limit()
    if group is not None and group.free / _GIB + own < min(free + own, MIN_MEMORY_GIB):
        wanted = math.ceil(group.used / _GIB + MIN_MEMORY_GIB)
        return Check(
            "Memory",
            False,
            f"The control group's limit is {group.limit / _GIB:.1f} GiB, of which {group.free / _GIB:.1f} GiB are available, "
            f"and {MIN_MEMORY_GIB:g} GiB are needed",
            f"Type: echo {wanted}G | sudo tee {group.file} (of a container: start it with --memory {wanted}g).",
        )
    ok = free + own >= MIN_MEMORY_GIB
    remedy = f"Close other programs until {MIN_MEMORY_GIB:g} GiB are available."
    return Check("Memory", ok, f"{free:.1f} GiB available", "" if ok else remedy)


def check_data_dir(data_dir: Path) -> Check:
    if not _writable(data_dir):
        remedy = "Make it writable, or name another folder with --data-dir."
        return Check("Data folder", False, f"{data_dir} cannot be written", remedy)
    if os.statvfs(_nearest_existing(data_dir)).f_flag & os.ST_NOEXEC:
        return Check(
            "Data folder",
            False,
            f"{data_dir} is on a file system mounted noexec, and Kafka and Spark load native libraries from there",
            f"Type: sudo mount -o remount,exec {shlex.quote(str(_mount_point(data_dir)))}, or name another folder with "
            "--data-dir.",
        )
    return Check("Data folder", True, str(data_dir))


def check_disk(data_dir: Path) -> Check:
    free = _free_gib(data_dir)
    ok = free >= MIN_DISK_GIB
    remedy = f"Free {MIN_DISK_GIB:.0f} GiB, or name a folder on another disk with --data-dir."
    return Check("Disk", ok, f"{free:.1f} GiB free at {data_dir}", "" if ok else remedy)


def check_ports(wanted: Mapping[str, int], *, own_pids: Collection[int] = ()) -> list[Check]:
    """One finding when all are free, else one for each that is not, with its holder as far as the system tells."""
    deadline = time.monotonic() + CLOSING_S
    while True:
        taken = {service: port for service, port in wanted.items() if not port_is_free(port)}
        holders = port_holders(taken.values()) if taken else {}
        # Taken, and nobody listens or nobody knows who: the socket of a process that has just ended is being closed. A killed
        # JVM is a zombie, whose files cannot be seen any more, before the last of its threads has let go of them.
        if all(holders.get(port) is not None for port in taken.values()) or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    foreign = {service: port for service, port in taken.items() if not _is_own(holders.get(port), own_pids)}
    first = _first_of_localhost([port for port in wanted.values() if port not in foreign.values()], own_pids)
    remedy = "Stop that process, or start this system on other ports with --port-offset."
    beside = [
        Check(
            f"Port {port}",
            False,
            f"{service} needs it; {first[port]} (on [::1], where `localhost` leads first) holds it",
            remedy,
        )
        for service, port in wanted.items()
        if port in first
    ]
    if not foreign and beside:
        return beside
    if not foreign:
        return [Check("Ports", True, f"{', '.join(str(port) for port in sorted(wanted.values()))} are free or ours")]
    taken_checks = [
        Check(f"Port {port}", False, f"{service} needs it; {_who(port, holders)} holds it", remedy)
        for service, port in foreign.items()
    ]
    return taken_checks + beside


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now. Connections that are only closing do not count."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            # Only listening tells: with SO_REUSEADDR a bind succeeds beside another socket that is bound and not yet listening.
            probe.listen(1)
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                return False
            raise
    return True


def port_holders(ports: Collection[int]) -> dict[int, int | None]:
    """Port → process id of whoever listens there; None when only root may know. Ports without a listener are absent."""
    wanted, holders = set(ports), dict[int, int | None]()
    for connection in psutil.net_connections(kind="tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port in wanted:
            # Of several listeners on one port (shared sockets) a known one says more.
            holders[connection.laddr.port] = connection.pid or holders.get(connection.laddr.port)
    return holders


def listeners_on_ipv6(ports: Collection[int]) -> dict[int, int | None]:
    """Port → process id of whoever listens on it at IPv6 loopback; None when only root may know."""
    wanted = set(ports)
    return {
        connection.laddr.port: connection.pid
        for connection in psutil.net_connections(kind="tcp6")
        if connection.status == psutil.CONN_LISTEN
        and connection.laddr
        and connection.laddr.port in wanted
        and connection.laddr.ip in {"::1", "::"}
    }


def _first_of_localhost(ports: Collection[int], own_pids: Collection[int]) -> dict[int, str]:
    """Port → who else gets what is sent to it at `localhost`, which most clients look for at [::1] first."""
    found = listeners_on_ipv6(ports)
    return {port: describe_holder(pid) for port, pid in found.items() if not _is_own(pid, own_pids)}


def _who(port: int, holders: Mapping[int, int | None]) -> str:
    return describe_holder(holders[port]) if port in holders else "a connection that does not end"


def describe_holder(pid: int | None) -> str:
    """Name and process id, for people."""
    if pid is None:
        return "a process of another user"
    try:
        return f"{psutil.Process(pid).name()} (process {pid})"
    except psutil.Error:
        return f"process {pid}"


def _is_own(pid: int | None, own_pids: Collection[int]) -> bool:
    if pid is None or not own_pids:
        return False
    try:
        return pid in own_pids or any(parent.pid in own_pids for parent in psutil.Process(pid).parents())
    except psutil.Error:
        return False


def _failed(name: str, error: StackError) -> Check:
    return Check(name, False, f"{error.what}{': ' + error.why if error.why else ''}", error.remedy)


def _nearest_existing(path: Path) -> Path:
    return next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())


def _writable(path: Path) -> bool:
    nearest = _nearest_existing(path)
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        return False
    try:
        # Some file systems (/proc, a disk that is read-only) take no files from anybody, whatever the rights say.
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError:
        return False
    return True


def _mount_point(path: Path) -> Path:
    nearest = _nearest_existing(path).resolve()
    return next(folder for folder in (nearest, *nearest.parents) if folder.is_mount())


def _resident(pids: Collection[int]) -> int:
    """Resident memory of these processes, in bytes."""
    total = 0
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            total += psutil.Process(pid).memory_info().rss
    return total


def _free_gib(path: Path) -> float:
    return shutil.disk_usage(_nearest_existing(path)).free / _GIB
