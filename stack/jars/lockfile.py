"""The lock of the JVM artifacts: every file with its size and SHA-256, committed beside ivy.xml.

# ivy.xml <sha256 of ivy.xml>
<sha256> <bytes> kafka/kafka-clients-3.9.2.jar
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from stack.errors import JarsError

HERE = Path(__file__).parent
IVY_XML = HERE / "ivy.xml"
LOCK_FILE = HERE / "jars.lock"

_REGENERATE = "Type: make lock-jars, look at what changed in stack/jars/jars.lock and commit it."


@dataclass(frozen=True, slots=True)
class LockedFile:
    """One artifact.

    Attributes:
        name: Path below the set's folder: "kafka/kafka-clients-3.9.2.jar".
        size: In bytes.
        sha256: Hexadecimal digest.
    """

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Lock:
    """All artifacts.

    Attributes:
        ivy_sha256: Digest of the ivy.xml that they were resolved from.
        files: Sorted by name.
    """

    ivy_sha256: str
    files: tuple[LockedFile, ...]

    def key(self) -> str:
        """Short name of exactly these files; a change of ivy.xml that leads to the same ones keeps it."""
        return hashlib.sha256(_lines(self).encode()).hexdigest()[:16]


def sha256_of(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def render(lock: Lock) -> str:
    """The text of the lock file."""
    return f"# ivy.xml {lock.ivy_sha256}\n{_lines(lock)}"


def _lines(lock: Lock) -> str:
    return "".join(f"{file.sha256} {file.size} {file.name}\n" for file in lock.files)


def parse(text: str) -> Lock:
    """The inverse of `render`.

    Raises:
        JarsError: A line is not as it must be.
    """
    ivy_sha256, files = "", []
    for number, line in enumerate(text.splitlines(), start=1):
        match line.split():
            case ["#", "ivy.xml", digest]:
                ivy_sha256 = digest
            case [digest, size, name] if len(digest) == 64 and size.isdigit():
                files.append(LockedFile(name, int(size), digest))
            case []:
                pass
            case _:
                raise JarsError(f"Line {number} of {LOCK_FILE.name} is damaged", remedy=_REGENERATE)
    if not ivy_sha256 or not files:
        raise JarsError(f"{LOCK_FILE.name} is incomplete", remedy=_REGENERATE)
    return Lock(ivy_sha256, tuple(files))


def read(*, lock_file: Path = LOCK_FILE, ivy_xml: Path = IVY_XML) -> Lock:
    """The committed lock.

    Raises:
        JarsError: It is missing, damaged, or made from another ivy.xml.
    """
    try:
        lock = parse(lock_file.read_text(encoding="utf-8"))
        actual = sha256_of(ivy_xml)
    except OSError as error:
        raise JarsError(f"{error.filename} cannot be read", why=f"{error.strerror}.", remedy=_REGENERATE) from error
    if lock.ivy_sha256 != actual:
        raise JarsError(
            f"{lock_file.name} does not belong to {ivy_xml.name}", why="One was changed without the other.", remedy=_REGENERATE
        )
    return lock


def scan(folder: Path) -> tuple[LockedFile, ...]:
    """What lies in a folder, as it would stand in a lock."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return tuple(LockedFile(path.relative_to(folder).as_posix(), path.stat().st_size, sha256_of(path)) for path in paths)


def differences(wanted: Iterable[LockedFile], found: Iterable[LockedFile]) -> list[str]:
    """One phrase for each file that is missing, changed or not in the lock. Empty when all is as it must be."""
    want, have = {file.name: file for file in wanted}, {file.name: file for file in found}
    problems = [f"{name} is missing" for name in sorted(want.keys() - have.keys())]
    problems += [f"{name} is not in the lock" for name in sorted(have.keys() - want.keys())]
    problems += [f"{name} has other contents" for name in sorted(want.keys() & have.keys()) if want[name] != have[name]]
    return problems


def is_complete(lock: Lock, folder: Path, *, stat: Callable[[Path], int] = lambda path: path.stat().st_size) -> bool:
    """Whether every file is there in its full size. Cheap: contents were verified before they were put there."""
    try:
        return all(stat(folder / file.name) == file.size for file in lock.files)
    except OSError:
        return False
