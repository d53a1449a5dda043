"""Finds a Java that Kafka, Connect and Spark run on."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stack.errors import JavaMissingError

#: Spark 4 and its connectors are compiled for 17.
MIN_MAJOR = 17
#: The last that is known to run everything; newer ones removed the security manager that Kafka 3.9 still asks for.
#: They are taken only where there is nothing else.
MAX_TESTED_MAJOR = 23

_JVM_DIR = Path("/usr/lib/jvm")
_VERSION = re.compile(r'(?:JAVA_VERSION=|version )"([^"]+)"')


@dataclass(frozen=True, slots=True)
class JavaHome:
    """One installed Java.

    Attributes:
        path: Its home: `path / "bin" / "java"` exists.
        version: As it says itself: "17.0.15".
    """

    path: Path
    version: str

    @property
    def executable(self) -> Path:
        return self.path / "bin" / "java"

    @property
    def major(self) -> int:
        """17 for "17.0.15" and for "17-ea"; 8 for "1.8.0_402"."""
        numbers = [int(n) for n in re.findall(r"\d+", self.version)[:2]]
        if not numbers:
            return 0
        return numbers[1] if numbers[0] == 1 and len(numbers) > 1 else numbers[0]


def find_java(*, environ: Mapping[str, str] | None = None, jvm_dir: Path = _JVM_DIR) -> JavaHome:
    """The Java to use: the first of JAVA_HOME, PATH and the system's folder of JVMs that is 17 … 23, else a newer one.

    Args:
        environ: Instead of the process's environment, for tests.
        jvm_dir: Where distributions put JVMs.

    Raises:
        JavaMissingError: There is none, or only older ones; says what was found.
    """
    found = list(_installed(os.environ if environ is None else environ, jvm_dir))
    fitting = [java for java in found if java.major >= MIN_MAJOR]
    for java in fitting:
        if java.major <= MAX_TESTED_MAJOR:
            return java
    if fitting:
        return min(fitting, key=lambda java: java.major)
    raise JavaMissingError(tuple(f"{java.version} in {java.path}" for java in found), min_major=MIN_MAJOR)


def _installed(environ: Mapping[str, str], jvm_dir: Path) -> Iterator[JavaHome]:
    seen: set[Path] = set()
    for home in _candidates(environ, jvm_dir):
        if home not in seen and os.access(home / "bin" / "java", os.X_OK):
            seen.add(home)
            version = _version_of(home)
            if version:
                yield JavaHome(home, version)


def _candidates(environ: Mapping[str, str], jvm_dir: Path) -> Iterator[Path]:
    if environ.get("JAVA_HOME"):
        yield Path(environ["JAVA_HOME"]).resolve()
    on_path = shutil.which("java", path=environ.get("PATH", ""))
    if on_path:
        # /usr/bin/java → /etc/alternatives/java → /usr/lib/jvm/…/bin/java
        yield Path(on_path).resolve().parent.parent
    if jvm_dir.is_dir():
        yield from sorted(path.resolve() for path in jvm_dir.iterdir())


def _version_of(home: Path) -> str:
    """From the release file, which costs nothing; else by asking the program. Empty when it does not run."""
    try:
        match = _VERSION.search((home / "release").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        match = None
    if match is None:
        try:
            answer = subprocess.run(
                [home / "bin" / "java", "-version"], capture_output=True, text=True, timeout=15, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        match = _VERSION.search(answer.stderr + answer.stdout)
    return match.group(1) if match else ""
