"""Where everything of one local system lies below its data directory."""

import errno
import hashlib
import os
import shlex
import shutil
import sys
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from stack.errors import PreflightError

#: Environment variable that every process of a system carries, so that what is left of it can be told from everything else.
MARKER = "PAAI_INSTANCE"

#: A unix socket's address has 108 bytes with its final zero; supervisord appends its process id while it binds.
MAX_SOCKET_PATH = 90

#: supervisord's configuration has no escapes for these; Kafka takes a list of folders, separated by commas.
_UNUSABLE = "'\"\\%,;#"
_CONTROL = frozenset({"Cc", "Zl", "Zp"})

#: With less than this free no service can start: Kafka alone reserves 10 MiB for each index that it opens.
FULL_BYTES = 32 * 1024**2


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths of one local system.

    Attributes:
        data_dir: Absolute, resolved.
    """

    data_dir: Path

    @classmethod
    def of(cls, data_dir: Path) -> "Layout":
        """Resolve `data_dir`.

        Raises:
            PreflightError: supervisord's configuration cannot carry such a path.
        """
        try:
            resolved = data_dir.expanduser().resolve()
            # From Python 3.13 on, `resolve` leaves links in a circle as they are.
            if any(part.is_symlink() for part in (resolved, *resolved.parents)):
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        except (OSError, RuntimeError) as error:  # a home of nobody, links in a circle, a name that is too long
            raise PreflightError(
                f"The data directory {os.fsencode(data_dir).decode('utf-8', 'backslashreplace')} cannot be used",
                why=f"{(error.strerror if isinstance(error, OSError) else '') or error}.".replace("..", "."),
                remedy="Choose another one with --data-dir.",
            ) from error
        try:
            str(resolved).encode()
        except UnicodeEncodeError:
            shown = os.fsencode(resolved).decode("utf-8", "backslashreplace")
            raise PreflightError(
                f"The data directory {shown} cannot be used",
                why="Its path is not UTF-8.",
                remedy="Choose another one with --data-dir.",
            ) from None
        if not str(resolved).isascii() and sys.getfilesystemencoding() != "utf-8":
            raise PreflightError(
                f"The data directory {resolved} cannot be used",
                why=f"Names of files are read as {sys.getfilesystemencoding()} here.",
                remedy="Set LC_ALL=C.UTF-8, or choose another one with --data-dir.",
            )
        if bad := [c for c in str(resolved) if c in _UNUSABLE or unicodedata.category(c) in _CONTROL]:
            raise PreflightError(
                f"The data directory {str(resolved)!r} cannot be used",
                why=f"its path contains {bad[0]!r}.",
                remedy=f"Choose one without control characters and {' '.join(_UNUSABLE)} with --data-dir.",
            )
        return cls(resolved)

    @property
    def run(self) -> Path:
        """Configuration, pid file, socket, and what must not survive a purge."""
        return self.data_dir / "run"

    @property
    def logs(self) -> Path:
        return self.data_dir / "logs"

    @property
    def state(self) -> Path:
        """`PAAI_STATE_DIR`."""
        return self.data_dir / "state"

    @property
    def work(self) -> Path:
        """Working directory of the services; temporary files."""
        return self.data_dir / "work"

    @property
    def tmp(self) -> Path:
        """`TMPDIR` and `java.io.tmpdir` of the services; emptied at each start of the supervisor."""
        return self.run / "tmp"

    @property
    def spark(self) -> Path:
        return self.data_dir / "spark"

    @property
    def checkpoints(self) -> dict[str, Path]:
        """Where each Spark job keeps how far it is, by service."""
        return {"spark-job": self.spark / "checkpoint", "spark-predict": self.spark / "predict"}

    @property
    def model_key(self) -> Path:
        """What model files are sealed with; see `stack.local.model_key`."""
        return self.data_dir / "model.key"

    @property
    def kafka(self) -> Path:
        return self.data_dir / "kafka"

    @property
    def zookeeper(self) -> Path:
        return self.data_dir / "zookeeper"

    @property
    def mongo(self) -> Path:
        return self.data_dir / "mongodb"

    @property
    def metrics(self) -> Path:
        """`PROMETHEUS_MULTIPROC_DIR` of the paai processes."""
        return self.run / "metrics"

    @property
    def supervisor_conf(self) -> Path:
        return self.run / "supervisord.conf"

    @property
    def pid_file(self) -> Path:
        return self.run / "supervisord.pid"

    @property
    def instance_file(self) -> Path:
        return self.run / "instance.json"

    @property
    def up_file(self) -> Path:
        """Exists from `up` to `down`."""
        return self.run / "up"

    @property
    def wanted_file(self) -> Path:
        return self.run / "wanted.json"

    @property
    def restarts_file(self) -> Path:
        return self.run / "restarts.json"

    @property
    def lock_file(self) -> Path:
        return self.run / "lock"

    @property
    def socket(self) -> Path:
        """supervisord's socket; elsewhere, by a hash of the data directory, where that path would be too long."""
        usual = self.run / "supervisor.sock"
        if len(os.fsencode(usual)) <= MAX_SOCKET_PATH:
            return usual
        digest = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:16]
        return socket_fallback_dir() / f"{digest}.sock"

    def log_file(self, service: str, replica: int | None = None) -> Path:
        """Log of a service or of one of its replicas."""
        return self.logs / (f"{service}.log" if replica is None else f"{service}-{replica}.log")

    def command(self, words: str) -> str:
        """A command line of `python -m stack` as it is typed for this system, which remembers its ports itself."""
        elsewhere = self.data_dir != default_data_dir(0).resolve()
        return f"python -m stack {words}" + (f" --data-dir {shlex.quote(str(self.data_dir))}" if elsewhere else "")

    def full(self) -> str:
        """One sentence where the disk below has no room left, else empty."""
        try:
            free = shutil.disk_usage(self.data_dir).free
        except OSError:
            return ""
        return f"The disk of {self.data_dir} is full: {free // 1024**2} MiB free." if free < FULL_BYTES else ""

    def create(self) -> None:
        """Make the directories. Only the user may look into them: they hold everything the system knows."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        for path in (self.run, self.tmp, self.logs, self.state, self.work, self.spark, self.kafka, self.zookeeper, self.mongo):
            path.mkdir(mode=0o700, exist_ok=True)
        self.socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def default_data_dir(port_offset: int) -> Path:
    """Where the user's local system lies unless said otherwise."""
    base = platformdirs.user_data_path("paai-monitor")
    return base / (f"local-{port_offset}" if port_offset else "local")


def socket_fallback_dir() -> Path:
    """A short directory of this user for sockets."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and Path(runtime).is_dir() and len(runtime) < 40:
        return Path(runtime) / "paai-monitor"
    return Path(tempfile.gettempdir()) / f"paai-monitor-{os.getuid()}"
