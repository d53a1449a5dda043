"""The jar with our own Java classes (stack/jvm/java), compiled into the user's cache by the compiler among the JVM artifacts.

It also names the plugins that Connect loads from it: with `plugin.discovery=service_load` Connect scans no jars, which would
take seconds at each start. Other sources make another jar; none is written again, since class archives (`stack.local.cds`) go
by its time.
"""

import hashlib
import io
import os
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from stack.cache import cache_dir, exclusive
from stack.errors import JarsError, StackError
from stack.jars import lockfile
from stack.jars.ivy import Progress, pyspark_jars
from stack.jars.resolver import JarSet, jar_dirs, resolve
from stack.java import find_java

NAME: Final = "paai.jar"
SOURCES: Final = Path(__file__).parents[1] / "jvm" / "java"

_SERVICES: Final = {
    # The second is the name in configurations of before.
    "org.apache.kafka.connect.sink.SinkConnector": "paai.ReadingSinkConnector\npaai.IsolatingSinkConnector",
    "org.apache.kafka.connect.transforms.Transformation": "paai.ReadingTransform",
}
_COMPILER_MAIN: Final = "org.eclipse.jdt.internal.compiler.batch.Main"
#: Java 17 is the oldest that is supported.
_OPTIONS: Final = ("-source", "17", "-target", "17", "-proc:none", "-encoding", "UTF-8", "-g", "-nowarn")
#: What the sources are compiled against; the versions of Spark and Connect differ in Jackson's only.
_KAFKA_JARS: Final = ("bson-", "connect-api", "jackson-", "kafka-clients", "mongodb-driver")
_SPARK_JARS: Final = ("scala-library", "spark-common-utils", "spark-core", "spark-sql")
_COMPILE_TIMEOUT_S: Final = 120.0


def prepare(*, on_progress: Progress, cancel: threading.Event | None) -> JarSet:
    """Resolve the JVM artifacts and compile our own jar. Returns at once when both are there.

    Args:
        on_progress: Called in this thread with (done, total, one sentence).
        cancel: Ends the work within seconds; the next call continues.

    Raises:
        JarsError: An artifact is not to be had, or the sources do not compile.
        StackError: As `resolve`.
    """
    last = [(0, 0, "")]

    def note(done: int, total: int, text: str) -> None:
        last[0] = (done, total, text)
        on_progress(done, total, text)

    jars = resolve(on_progress=note, cancel=cancel)
    if not _is_whole(path()):
        done, total, text = last[0]
        on_progress(done, total, "Compiling the record rule")
        build(jars, cancel=cancel)
        on_progress(done, total, text)
    return jars


def path() -> Path:
    """Where the jar of the sources as they are now is or will be.

    Raises:
        JarsError: The lock file is damaged.
    """
    return cache_dir() / "jars" / f"own-{_key()}" / NAME


def stamp() -> str:
    """Text that is different when the jar would be."""
    return "\n".join((*_OPTIONS, *_SERVICES.values(), *(file.read_text("utf-8") for file in _sources())))


def build(jars: JarSet | None = None, *, cancel: threading.Event | None = None) -> Path:
    """Compile the jar where it is missing; returns its path.

    Args:
        jars: The resolved artifacts; None: those of the committed lock.
        cancel: Ends the wait for another process that compiles it.

    Raises:
        JarsError: The sources do not compile.
        JavaMissingError, StackError.
    """
    target = path()
    if _is_whole(target):
        return target
    with exclusive(target.parent.with_name("own.lock"), timeout_s=2 * _COMPILE_TIMEOUT_S, on_wait=lambda: None, cancel=cancel):
        if not _is_whole(target):
            try:
                _build(target, jars or jar_dirs())
            except OSError as error:
                raise StackError(
                    f"{target} cannot be written",
                    why=f"{error.strerror or error}.",
                    remedy="Make it writable, or name another folder in PAAI_CACHE_DIR.",
                ) from error
    return target


def jar_bytes(classes: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a jar of these files and of the services; the same bytes for the same files.

    Args:
        classes: Name in the jar and content.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as jar:
        for service, plugin in _SERVICES.items():
            jar.writestr(zipfile.ZipInfo(f"META-INF/services/{service}"), f"{plugin}\n")
        for name, content in sorted(classes):
            jar.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def _is_whole(jar: Path) -> bool:
    return zipfile.is_zipfile(jar)


def _sources() -> list[Path]:
    return sorted(SOURCES.rglob("*.java"))


def _key() -> str:
    return hashlib.sha256(f"{lockfile.read().key()}\n{stamp()}".encode()).hexdigest()[:16]


def _build(target: Path, jars: JarSet) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    classes = target.parent / f"classes.{os.getpid()}"
    try:
        compile_classes(_sources(), classes, jars)
        found = [(file.relative_to(classes).as_posix(), file.read_bytes()) for file in classes.rglob("*.class")]
    finally:
        shutil.rmtree(classes, ignore_errors=True)
    temporary = target.parent / f".{target.name}.{os.getpid()}"
    temporary.write_bytes(jar_bytes(found))
    temporary.replace(target)


def compile_classes(sources: Iterable[Path], out: Path, jars: JarSet, *, class_path: Iterable[Path] = ()) -> None:
    """Compile Java sources.

    Args:
        sources: The files.
        out: Folder of the classes; made.
        jars: The resolved artifacts.
        class_path: What they need beside Connect and Spark.

    Raises:
        JarsError: They do not compile.
        JavaMissingError.
    """
    wanted = [(jars.kafka, _KAFKA_JARS), (pyspark_jars(), _SPARK_JARS)]
    needed = [jar for folder, names in wanted for jar in sorted(folder.glob("*.jar")) if jar.name.startswith(names)]
    command = [
        *(str(find_java().executable), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"),
        *("-cp", f"{jars.compiler}/*", _COMPILER_MAIN, *_OPTIONS, "-d", str(out)),
        *("-classpath", os.pathsep.join(str(path) for path in (*class_path, *needed))),
        *(str(file) for file in sources),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_COMPILE_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise JarsError(
            "The record rule was not compiled", why=f"The compiler took over {_COMPILE_TIMEOUT_S:.0f} s.", remedy="Try again."
        ) from error
    if done.returncode != 0:
        output = " ".join((done.stdout + done.stderr).split())
        raise JarsError(
            "The record rule does not compile",
            why=output[:300],
            remedy="Undo what was changed in stack/jvm/java, or install Java 17 or newer.",
        )
