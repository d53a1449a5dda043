"""Limits of the operating system that a start would run into: open files, processes, and memory of a control group."""

import os
import resource
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from stack.target import Check

#: supervisord refuses to start with less; a broker keeps three files open for each segment of each partition.
MIN_FILES: Final = 4096
#: All services together have some 550 threads on two cores, and more on more cores.
MIN_PROCESSES: Final = 1200

_CAP_SYS_RESOURCE: Final = 24
_GROUPS: Final = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class GroupLimit:
    """A limit of a control group that this process belongs to.

    Attributes:
        limit: In bytes, or in processes.
        used: Of it; memory without what the kernel can drop at once.
        file: Where the limit is set.
    """

    limit: int
    used: int
    file: Path

    @property
    def free(self) -> int:
        """What is left of it."""
        return max(0, self.limit - self.used)


def check_files() -> Check:
    """The hard limit of open files: each service raises its own limit up to that."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard >= MIN_FILES or _may_raise_limits():
        return Check("Open files", True, f"Limit: {_shown(hard)}")
    return Check(
        "Open files",
        False,
        f"The hard limit is {hard}, and {MIN_FILES} are needed",
        "Type: sudo prlimit --pid $$ --nofile=65536:65536 (for longer than this shell: a line "
        f"`{_user()} hard nofile 65536` in /etc/security/limits.conf).",
    )


def check_processes(own_pids: Collection[int] = ()) -> Check:
    """The user's limit of processes, and that of each control group. Both count threads.

    Args:
        own_pids: Processes of the very system: they are there already.
    """
    own = _threads(own_pids)
    needed = max(0, MIN_PROCESSES - own)
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    if hard != resource.RLIM_INFINITY and os.geteuid() != 0 and not _may_raise_limits():
        used = _threads_of_user()
        if hard - used < needed:
            return Check(
                "Processes",
                False,
                f"The hard limit is {hard}, {used} are in use, and {needed} more are needed",
                "Type: sudo prlimit --pid $$ --nproc=16384:16384 (for longer than this shell: a line "
                f"`{_user()} hard nproc 16384` in /etc/security/limits.conf).",
            )
    tight = min(group_limits("pids"), key=lambda group: group.free, default=None)
    if tight is not None and tight.free < needed:
        return Check(
            "Processes",
            False,
            f"The control group's limit is {tight.limit}, {tight.used} are in use, and {needed} more are needed",
            f"Type: echo {tight.used + 2 * MIN_PROCESSES} | sudo tee {tight.file} (of a container: start it with --pids-limit "
            f"{tight.used + 2 * MIN_PROCESSES}).",
        )
    return Check("Processes", True, f"Limit: {_shown(hard if tight is None else min(hard % 2**63, tight.limit))}")


def raise_soft_limit() -> None:
    """Let this process and those it starts have as many processes as the hard limit allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NPROC, (hard, hard))


def memory_limit() -> GroupLimit | None:
    """The memory limit that leaves least to this process; None where no control group has one."""
    return min(group_limits("memory"), key=lambda group: group.free, default=None)


def group_limits(controller: str, *, proc: Path = Path("/proc/self/cgroup"), root: Path = _GROUPS) -> Iterator[GroupLimit]:
    """Limits of the control group of this process and of those above it.

    Args:
        controller: "memory" or "pids".
        proc: Which groups it belongs to.
        root: Where the groups are mounted.
    """
    names = {"memory": ("memory.max", "memory.current"), "pids": ("pids.max", "pids.current")}[controller]
    old_names = {"memory": ("memory.limit_in_bytes", "memory.usage_in_bytes"), "pids": names}[controller]
    try:
        lines = [line.split(":", 2) for line in proc.read_text("utf-8", "replace").splitlines()]
    except OSError:
        return
    for _, controllers, path in (line for line in lines if len(line) == 3):
        if not controllers:
            mounts, files = (root, root / "unified"), names
        elif controller in controllers.split(","):
            mounts, files = (root / controllers, root / controller), old_names
        else:
            continue
        for mount in dict.fromkeys(mounts):
            # In a container the path may be that outside of it: then its own group is the root that it sees.
            inside = mount / path.strip("/")
            folders = [inside, *inside.parents] if inside.is_dir() else [mount]
            for folder in folders[: folders.index(mount) + 1]:
                if (limit := _number(folder / files[0])) is not None and limit < 2**62:
                    used = (_number(folder / files[1]) or 0) - (_reclaimable(folder) if controller == "memory" else 0)
                    yield GroupLimit(limit, max(0, used), folder / files[0])


def _number(file: Path) -> int | None:
    try:
        text = file.read_text("ascii").strip()
        return int(text)
    except (OSError, ValueError):  # "max"
        return None


def _reclaimable(folder: Path) -> int:
    """Bytes of files that the kernel keeps in memory and drops when room is needed."""
    try:
        rows = dict(line.split(" ", 1) for line in (folder / "memory.stat").read_text("ascii").splitlines() if " " in line)
        return int(rows.get("total_inactive_file", rows.get("inactive_file", 0)))
    except (OSError, ValueError):
        return 0


def _may_raise_limits() -> bool:
    """Whether this process has CAP_SYS_RESOURCE, as root outside containers."""
    try:
        status = Path("/proc/self/status").read_text("ascii", "replace")
        effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
        return bool(int(effective, 16) >> _CAP_SYS_RESOURCE & 1)
    except (OSError, StopIteration, ValueError, IndexError):
        return False


def _threads(pids: Collection[int]) -> int:
    total = 0
    for pid in pids:
        try:
            total += psutil.Process(pid).num_threads()
        except psutil.Error:
            continue
    return total


def _threads_of_user() -> int:
    """What the kernel counts against RLIMIT_NPROC: the threads of all processes of this real user."""
    total = 0
    for process in psutil.process_iter(["uids", "num_threads"]):
        uids, threads = process.info["uids"], process.info["num_threads"]
        if uids is not None and uids.real == os.getuid():
            total += threads or 0
    return total


def _shown(limit: int) -> str:
    return "none" if limit == resource.RLIM_INFINITY or limit >= 2**62 else str(limit)


def _user() -> str:
    try:
        return psutil.Process().username()
    except (psutil.Error, KeyError):
        return str(os.getuid())
