"""Entry points of Spark's master and worker and of its job."""

import os
from typing import Final

from backend.contract import ports
from stack.container.environment import JAVA, Environment, own_address
from stack.jvm import spark
from stack.jvm.command import java_command

#: The master, by the name of its service.
HOST: Final = "spark-master"
_MASTER_URL: Final = f"spark://{HOST}:{ports.SPARK_MASTER}"
PYTHON: Final = "/opt/paai/venv/bin/python"
APPLICATION: Final = "/opt/paai/app"
JARS: Final = "/opt/paai/jars"
#: Scratch files of shuffles and executors, and native libraries that JVMs unpack: code may be run from there, unlike from /tmp.
WORK: Final = "/work"
_TEMPORARY: Final = f"-Djava.io.tmpdir={WORK}"


def master(environment: Environment) -> tuple[str, ...]:
    """The command of the master."""
    home = _prepare(HOST)
    return java_command(
        JAVA,
        service="spark-master",
        class_path=(f"{home}/jars/*",),
        main=spark.MASTER_MAIN,
        arguments=("--host", HOST, "--port", str(ports.SPARK_MASTER), "--webui-port", str(ports.SPARK_MASTER_UI)),
        heap_mb=environment.number("PAAI_HEAP_MB", spark.MASTER_HEAP_MB),
        flags=(*spark.master_flags(), _TEMPORARY),
        quick_start=True,
    )


def worker(environment: Environment) -> tuple[str, ...]:
    """The command of a worker."""
    address = own_address(HOST)
    home = _prepare(address)
    return java_command(
        JAVA,
        service="spark-worker",
        class_path=(f"{home}/jars/*",),
        main=spark.WORKER_MAIN,
        arguments=(
            *("--host", address, "--webui-port", str(ports.SPARK_WORKER_UI)),
            *("--cores", str(environment.number("PAAI_WORKER_CORES", spark.WORKER_CORES))),
            *("--memory", environment.text("PAAI_WORKER_MEMORY", spark.WORKER_MEMORY)),
            *("--work-dir", WORK, _MASTER_URL),
        ),
        heap_mb=environment.number("PAAI_HEAP_MB", spark.WORKER_HEAP_MB),
        flags=(*spark.worker_flags(), _TEMPORARY),
        quick_start=True,
    )


def job(environment: Environment) -> tuple[str, ...]:
    """The command of the driver of the aggregates job; waits for the master."""
    address = own_address(HOST)
    home = _prepare(address)
    os.environ.setdefault("PAAI_SPARK_CORES", str(spark.JOB_CORES))
    os.environ.setdefault("PAAI_EXECUTOR_MEMORY", spark.EXECUTOR_MEMORY)
    settings = spark.job_settings(driver_host=address, jars=JARS, python=PYTHON)
    settings["spark.executor.extraJavaOptions"] += f" {_TEMPORARY}"
    return java_command(
        JAVA,
        service="spark-job",
        class_path=(f"{home}/jars/*", f"{JARS}/*"),
        main=spark.SUBMIT_MAIN,
        arguments=spark.submit_arguments(_MASTER_URL, settings, f"{APPLICATION}/spark/aggregate.py"),
        heap_mb=environment.number("PAAI_HEAP_MB", spark.DRIVER_HEAP_MB),
        flags=(*spark.job_flags(), _TEMPORARY),
        quick_start=True,  # the driver plans; the executor computes
    )


def _prepare(address: str) -> str:
    """Set what Spark's own scripts would; returns the folder of pyspark.

    Not SPARK_LOCAL_IP: the web pages would be bound to it alone, and health is asked for on loopback.
    """
    home = os.environ["SPARK_HOME"]
    os.environ.update(
        SPARK_LOCAL_HOSTNAME=address,
        SPARK_LOCAL_DIRS=WORK,
        SPARK_SCALA_VERSION="2.13",
        PYSPARK_PYTHON=PYTHON,
        PYSPARK_DRIVER_PYTHON=PYTHON,
    )
    return home
