"""Brings the JVM artifacts into the user's cache: once, verified, resumable, safe against a second process."""

import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from stack.cache import cache_dir, exclusive
from stack.errors import CancelledError, JarsError, NoNetworkError
from stack.jars import lockfile
from stack.jars.ivy import Progress, run_ivy
from stack.jars.lockfile import Lock

_ATTEMPTS = 3
_BACKOFF_S = 2.0
#: As long as one whole download may take, then this process does it itself or says who holds the lock.
_OTHER_PROCESS_S = 3600.0


@dataclass(frozen=True, slots=True)
class JarSet:
    """Folders that hold jars and nothing else.

    Attributes:
        kafka: ZooKeeper, broker, Connect with the MongoDB sink: a whole class path.
        spark: Kafka source and MongoDB connector: in addition to pyspark's own jars.
        compiler: The compiler of our own classes.
    """

    kafka: Path
    spark: Path
    compiler: Path


def jar_dirs() -> JarSet:
    """Where the artifacts of the committed lock are or will be.

    Raises:
        JarsError: The lock file is damaged.
    """
    return _jar_set(_folder(lockfile.read()))


def is_resolved() -> bool:
    """Whether all of them are there. A millisecond; contents were verified when they came.

    Raises:
        JarsError: The lock file is damaged.
    """
    lock = lockfile.read()
    return lockfile.is_complete(lock, _folder(lock))


def resolve(*, on_progress: Progress, cancel: threading.Event | None) -> JarSet:
    """Fetch what is missing. Returns at once when nothing is.

    Args:
        on_progress: Called in this thread with (done, total, one sentence).
        cancel: Ends the work within a second; the next call continues.

    Raises:
        NoNetworkError: The registry does not answer, after three tries.
        JarsError: An artifact is not to be had, or is not what the lock says.
        JavaMissingError: There is no Java to run Ivy with.
        CancelledError: `cancel` was set.
        StackError: The cache cannot be written, or another process is stuck with it.
    """
    lock = lockfile.read()
    folder, total = _folder(lock), 2 * len(lock.files)
    if not lockfile.is_complete(lock, folder):
        root = folder.parent
        waiting = "Another process downloads them; waiting for it"
        with exclusive(
            root / ".lock", timeout_s=_OTHER_PROCESS_S, on_wait=lambda: on_progress(0, total, waiting), cancel=cancel
        ):
            if not lockfile.is_complete(lock, folder):
                _fetch(lock, folder, on_progress, cancel)
    on_progress(total, total, f"{len(lock.files)} jars in {folder}")
    return _jar_set(folder)


def _folder(lock: Lock) -> Path:
    return cache_dir() / "jars" / lock.key()


def _jar_set(folder: Path) -> JarSet:
    return JarSet(kafka=folder / "kafka", spark=folder / "spark", compiler=folder / "compiler")


def _fetch(lock: Lock, folder: Path, on_progress: Progress, cancel: threading.Event | None) -> None:
    root = folder.parent
    ivy_cache, unverified = root / "ivy", root / f"{folder.name}.unverified"
    shutil.rmtree(unverified, ignore_errors=True)
    run_with_retries(
        cache=ivy_cache, out=unverified, expected=len(lock.files), checksums=False, on_progress=on_progress, cancel=cancel
    )
    problems = lockfile.differences(lock.files, lockfile.scan(unverified))
    if problems:
        # Nothing of it may be trusted or found again by the next try.
        shutil.rmtree(unverified, ignore_errors=True)
        shutil.rmtree(ivy_cache, ignore_errors=True)
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise JarsError(
            "The downloaded JVM artifacts are not those of jars.lock",
            why=f"{'; '.join(problems[:3])}{more}.",
            remedy="They were thrown away. Try again; should it stay so, the registry or the way to it cannot be trusted.",
        )
    shutil.rmtree(folder, ignore_errors=True)
    unverified.rename(folder)
    # It holds a second copy of all; a later lock fetches anew.
    shutil.rmtree(ivy_cache, ignore_errors=True)


def run_with_retries(
    *, cache: Path, out: Path, expected: int, checksums: bool, on_progress: Progress, cancel: threading.Event | None
) -> None:
    """`run_ivy` on the committed ivy.xml, again after a pause when the network failed. Raises as it does."""
    log_file = out.parent / "ivy.log"
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            run_ivy(
                ivy_xml=lockfile.IVY_XML,
                cache=cache,
                out=out,
                expected=expected,
                on_progress=on_progress,
                cancel=cancel,
                log_file=log_file,
                checksums=checksums,
            )
        except NoNetworkError:
            if attempt == _ATTEMPTS:
                raise
            on_progress(0, 2 * expected, f"The network failed; try {attempt + 1} of {_ATTEMPTS} begins")
            _pause(_BACKOFF_S * attempt, cancel)
        else:
            return


def _pause(seconds: float, cancel: threading.Event | None) -> None:
    if cancel is None:
        time.sleep(seconds)
    elif cancel.wait(seconds):
        raise CancelledError("The download of the JVM artifacts was cancelled", remedy="It goes on from here next time.")
