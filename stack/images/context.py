"""What the Docker engine is handed to build one image: a tar of named files, and a digest of all that goes into it."""

import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

PROJECT_ROOT: Final = Path(__file__).parents[2]

#: Of our own packages; everything else in them is no part of a running service.
_SOURCE_SUFFIXES: Final = frozenset({".py", ".json", ".html", ".properties"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One file.

    Attributes:
        name: Path in the context.
        source: A file on this machine, or the content itself.
    """

    name: str
    source: Path | bytes

    def content(self) -> bytes:
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()

    @property
    def executable(self) -> bool:
        return isinstance(self.source, Path) and bool(self.source.stat().st_mode & 0o100)


@dataclass(frozen=True, slots=True)
class Context:
    """All files for one image.

    Attributes:
        entries: Sorted by name.
        stamps: Stand for the contents of big `bulk` files in the digest: a lock file's text, a version.
        bulk: Files whose contents one of the stamps tells.
    """

    entries: tuple[Entry, ...]
    stamps: tuple[str, ...] = ()
    bulk: tuple[Entry, ...] = field(default=(), repr=False)

    def digest(self, *more: str) -> str:
        """Short name of exactly this content.

        Args:
            more: What else goes into the image: its parent's digest.
        """
        total = hashlib.sha256()
        for text in (*more, *self.stamps):
            total.update(f"{len(text)}:{text}".encode())
        for entry in self.entries:
            content = entry.content()
            total.update(f"{len(entry.name)}:{entry.name}:{entry.executable}:{len(content)}:".encode())
            total.update(content)
        return total.hexdigest()[:16]

    def write_tar(self, out: IO[bytes]) -> None:
        """Stream it, with times and owners that never change, so that the engine's cache sees contents only."""
        with tarfile.open(fileobj=out, mode="w|", format=tarfile.GNU_FORMAT) as tar:
            for entry in (*self.entries, *self.bulk):
                info = tarfile.TarInfo(entry.name)
                info.mode = 0o755 if entry.executable else 0o644
                if isinstance(entry.source, bytes):
                    info.size = len(entry.source)
                    tar.addfile(info, io.BytesIO(entry.source))
                else:
                    info.size = entry.source.stat().st_size
                    with entry.source.open("rb") as handle:
                        tar.addfile(info, handle)


def folder(prefix: str, path: Path, *, suffixes: frozenset[str] | None = None) -> Iterator[Entry]:
    """Every file below `path`, without byte code, named below `prefix`."""
    for file in sorted(path.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts and (suffixes is None or file.suffix in suffixes):
            yield Entry(f"{prefix}/{file.relative_to(path).as_posix()}", file)


def sources(packages: Iterable[str]) -> Iterator[Entry]:
    """Our own packages or modules, below ``app/``, with the `__init__.py` of those that they are in.

    Args:
        packages: Paths from the project's root: "backend/contract", "stack/container/probe.py".
    """
    seen: set[str] = set()
    for package in packages:
        path = PROJECT_ROOT / package
        found = (
            [Entry(f"app/{package}", path)]
            if path.is_file()
            else list(folder(f"app/{package}", path, suffixes=_SOURCE_SUFFIXES))
        )
        for parent in Path(package).parents:
            if parent != Path() and (PROJECT_ROOT / parent / "__init__.py").exists():
                found.append(Entry(f"app/{parent.as_posix()}/__init__.py", PROJECT_ROOT / parent / "__init__.py"))
        for entry in found:
            if entry.name not in seen:
                seen.add(entry.name)
                yield entry
