"""Class data archives: what a JVM has loaded and checked once, kept for its next start, which then takes half as long.

The first run of a system records; `down` moves what was recorded into the user's cache; later runs use it. An archive that does
not fit (another Java, other jars) is ignored by the JVM.
"""

import hashlib
import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from stack.cache import cache_dir
from stack.local import jsonfile
from stack.local.layout import Layout
from stack.local.program import Program
from stack.local.rpc import ProcessInfo

#: Services whose JVM is started by supervisord itself.
SERVICES: Final = ("zookeeper", "broker", "connect", "spark-master", "spark-worker", "spark-job")

#: Same class path, nearly the same classes: it uses the other's archive, which takes seconds to write and 180 MB.
_BORROWS: Final = {"spark-predict": "spark-job"}

#: A JVM that was asked to leave ends so, after it has written its archive whole.
_CLEAN_EXITS: Final = (0, 128 + 15)

#: Archives of this many combinations of Java and jars are kept; each takes some 200 MB.
_KEPT: Final = 2


@dataclass(frozen=True, slots=True)
class Archives:
    """The archives for one combination of Java and jars.

    Attributes:
        folder: Where finished ones are.
        recorded_in: Where this run's recordings are.
    """

    folder: Path
    recorded_in: Path

    @classmethod
    def of(cls, layout: Layout, *, java: str, jar_folders: Iterable[Path]) -> "Archives":
        """
        Args:
            java: Tells one Java from another: its version and path.
            jar_folders: Of the class paths. A JVM refuses an archive when one jar is newer, even with the same content.
        """
        parts = [java]
        for folder in jar_folders:
            status = [(path.name, path.stat()) for path in sorted(folder.glob("*.jar"))]
            parts += [str(folder), *(f"{name} {s.st_size} {s.st_mtime_ns}" for name, s in status)]
        key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
        return cls(cache_dir() / "cds" / key, layout.run / "cds")

    def missing(self) -> list[str]:
        """Services that have no archive yet."""
        return [service for service in SERVICES if not self._finished(service).exists()]

    def applied(self, program: Program, *, recording: Collection[str]) -> Program:
        """The program with its archive used, or recorded."""
        service = _BORROWS.get(program.service, program.service)
        if service not in SERVICES:
            return program
        java, *rest = program.command
        return replace(program, command=(java, *self._flags(service, () if program.service in _BORROWS else recording), *rest))

    def _flags(self, service: str, recording: Collection[str]) -> tuple[str, ...]:
        quiet = "-Xlog:cds*=error"  # it tells of every class that cannot be archived
        if service in recording:
            return (f"-XX:ArchiveClassesAtExit={self.recorded_in / service}.jsa", quiet)
        return (f"-XX:SharedArchiveFile={self._finished(service)}", quiet)

    def begin(self) -> None:
        """Make room for this run's recordings."""
        shutil.rmtree(self.recorded_in, ignore_errors=True)
        self.recorded_in.mkdir(mode=0o700, parents=True)

    def _finished(self, service: str) -> Path:
        return self.folder / f"{service}.jsa"


def keep(layout: Layout, stopped: Iterable[ProcessInfo]) -> None:
    """Move the recordings of services that have ended cleanly into the cache.

    Nothing depends on it: a full disk only costs the next start its speed.
    """
    remembered = jsonfile.read(layout.instance_file)
    if not remembered.get("complete"):  # a run that failed half-way has loaded half of the classes
        return
    recording = jsonfile.strings(remembered.get("recording"))
    folder = Path(str(remembered.get("archives", "")))
    if folder.parent != cache_dir() / "cds":  # not from a run of this user's
        return
    for process in stopped:
        recorded = layout.run / "cds" / f"{process.group}.jsa"
        if process.group in recording and process.exit_code in _CLEAN_EXITS and recorded.exists():
            temporary = folder / f".{recorded.name}.{recorded.stat().st_ino}"
            try:
                folder.mkdir(parents=True, exist_ok=True)
                shutil.move(recorded, temporary)
                temporary.replace(folder / recorded.name)
                _forget_old(folder.parent)
            except OSError:
                temporary.unlink(missing_ok=True)


def _forget_old(root: Path) -> None:
    folders = sorted((path for path in root.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in folders[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
