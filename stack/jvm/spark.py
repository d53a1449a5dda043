"""How Spark's master, worker and job are called, apart from addresses: the same in processes and in containers."""

from collections.abc import Mapping
from typing import Final

from stack.jvm.command import log4j2_flag

MASTER_MAIN: Final = "org.apache.spark.deploy.master.Master"
WORKER_MAIN: Final = "org.apache.spark.deploy.worker.Worker"
SUBMIT_MAIN: Final = "org.apache.spark.deploy.SparkSubmit"

MASTER_HEAP_MB: Final = 192
WORKER_HEAP_MB: Final = 192
DRIVER_HEAP_MB: Final = 512

#: The module that waits for a promoted model, then becomes the prediction job.
STANDBY: Final = "spark.standby"
#: A job that cannot go on without a decision (its topic was wiped under its checkpoint) exits so and is not started again.
EXIT_NEEDS_RESET: Final = 78  # EX_CONFIG of sysexits.h

#: What bin/spark-class adds. Executors get theirs from Spark itself.
MODULE_FLAGS: Final = (
    "-XX:+IgnoreUnrecognizedVMOptions",
    "--add-modules=jdk.incubator.vector",
    *(
        f"--add-opens={package}=ALL-UNNAMED"
        for package in (
            "java.base/java.lang",
            "java.base/java.lang.invoke",
            "java.base/java.lang.reflect",
            "java.base/java.io",
            "java.base/java.net",
            "java.base/java.nio",
            "java.base/java.util",
            "java.base/java.util.concurrent",
            "java.base/java.util.concurrent.atomic",
            "java.base/jdk.internal.ref",
            "java.base/sun.nio.ch",
            "java.base/sun.nio.cs",
            "java.base/sun.security.action",
            "java.base/sun.util.calendar",
            "java.security.jgss/sun.security.krb5",
        )
    ),
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dio.netty.allocator.type=pooled",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
)

#: The worker offers more cores than one job takes: a second job must find some, else it waits for ever.
WORKER_CORES: Final = 4
JOB_CORES: Final = 2
EXECUTOR_MEMORY: Final = "640m"
#: Of the prediction job: its executor only reads and hands on; the driver scores.
PREDICT_CORES: Final = 1
PREDICT_EXECUTOR_MEMORY: Final = "512m"
#: What a worker has to give, for two jobs and more.
WORKER_MEMORY: Final = "3g"

#: One page for all: the master's, which passes on to the worker's and the job's.
_PROXY: Final = "-Dspark.ui.reverseProxy=true"


def master_flags() -> tuple[str, ...]:
    """For the master's JVM."""
    return (
        *MODULE_FLAGS,
        log4j2_flag(),
        _PROXY,
        "-Dspark.master.rest.enabled=false",
        "-Dspark.deploy.retainedApplications=5",
        "-Dspark.worker.timeout=20",
    )


def worker_flags() -> tuple[str, ...]:
    """For the worker's JVM."""
    return (
        *MODULE_FLAGS,
        log4j2_flag(),
        _PROXY,
        "-Dspark.worker.cleanup.enabled=true",
        "-Dspark.worker.cleanup.interval=600",
        "-Dspark.worker.cleanup.appDataTtl=3600",
        "-Dspark.worker.ui.retainedExecutors=10",
        "-Dspark.worker.timeout=20",
    )


def job_flags() -> tuple[str, ...]:
    """For the driver's JVM."""
    return (*MODULE_FLAGS, log4j2_flag())


def job_settings(*, driver_host: str, class_path: tuple[str, ...], python: str, cores: int = JOB_CORES) -> dict[str, str]:
    """What spark-submit is told.

    Args:
        driver_host: Address of the driver, as executors reach it.
        class_path: The connectors and our own classes, where executors run.
        python: The interpreter, where driver and executors run.
        cores: Of an executor.
    """
    return {
        "spark.submit.deployMode": "client",
        "spark.driver.host": driver_host,
        "spark.driver.bindAddress": driver_host,
        "spark.executor.cores": str(cores),
        "spark.executor.extraClassPath": ":".join(class_path),
        "spark.executor.extraJavaOptions": (
            f"-XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError -Djava.net.preferIPv4Stack=true -Duser.timezone=UTC "
            f"-Dpaai.service=spark-executor {log4j2_flag()}"
        ),
        "spark.executor.logs.rolling.strategy": "size",
        "spark.executor.logs.rolling.maxSize": str(1024**2),
        "spark.executor.logs.rolling.maxRetainedFiles": "3",
        "spark.pyspark.python": python,
        "spark.pyspark.driver.python": python,
        "spark.ui.port": "0",
        "spark.ui.reverseProxy": "true",
        "spark.ui.showConsoleProgress": "false",
        "spark.ui.retainedJobs": "50",
        "spark.ui.retainedStages": "50",
        "spark.ui.retainedTasks": "500",
        "spark.sql.ui.retainedExecutions": "20",
        "spark.sql.streaming.ui.retainedProgressUpdates": "50",
        "spark.network.timeout": "60s",
        "spark.executor.heartbeatInterval": "10s",
    }


def submit_arguments(master: str, settings: Mapping[str, str], job: str) -> tuple[str, ...]:
    """The arguments of `SUBMIT_MAIN`.

    Args:
        master: ``spark://host:port``.
        settings: See `job_settings`.
        job: Path of the Python file.
    """
    return ("--master", master, *(word for key, value in settings.items() for word in ("--conf", f"{key}={value}")), job)
