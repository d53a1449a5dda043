"""How a JVM service is called."""

from pathlib import Path
from typing import Final

#: Configuration of the loggers: log4j.properties of Kafka's, log4j2.properties of Spark's.
LOGGING_DIR: Final = Path(__file__).parent / "logging"


def java_command(
    java: Path,
    *,
    service: str,
    class_path: tuple[str, ...],
    main: str,
    arguments: tuple[str, ...] = (),
    heap_mb: int,
    flags: tuple[str, ...] = (),
    quick_start: bool = False,
    survives_out_of_memory: bool = False,
) -> tuple[str, ...]:
    """The call of a JVM service.

    Args:
        heap_mb: Largest heap; it starts at a quarter of that.
        quick_start: Stop at the first compiler: starts faster and smaller, for services that have little to compute.
        survives_out_of_memory: Keep running when an allocation fails.
    """
    return (
        str(java),
        f"-Xms{max(16, heap_mb // 4)}m",
        f"-Xmx{heap_mb}m",
        "-XX:+UseSerialGC",  # two cores and small heaps: the parallel collectors only add threads and memory
        *(("-XX:TieredStopAtLevel=1",) if quick_start else ()),
        # A JVM out of memory limps; whoever supervises it starts a fresh one.
        *(() if survives_out_of_memory else ("-XX:+ExitOnOutOfMemoryError",)),
        "-Xshare:auto",
        "-Djava.awt.headless=true",
        "-Djava.net.preferIPv4Stack=true",
        "-Duser.timezone=UTC",
        f"-Dpaai.service={service}",
        *flags,
        "-cp",
        ":".join(class_path),
        main,
        *arguments,
    )


def log4j_flag() -> str:
    """For ZooKeeper, Kafka and Connect."""
    return f"-Dlog4j.configuration={(LOGGING_DIR / 'log4j.properties').as_uri()}"


def log4j2_flag() -> str:
    """For Spark."""
    return f"-Dlog4j2.configurationFile={(LOGGING_DIR / 'log4j2.properties').as_uri()}"


def tmpdir_flag(folder: Path) -> str:
    """Where a JVM unpacks native libraries: compression fails where programs cannot be run from there."""
    return f"-Djava.io.tmpdir={folder}"
