"""Entry points of Spark's master and worker and of its jobs."""

import os
from typing import Final

from backend.contract import ports
from stack.container.environment import JAVA, Environment, own_address, wait_for_name
from stack.jvm import spark
from stack.jvm.command import java_command

#: The master, by the name of its service.
HOST: Final = "spark-master"
_MASTER_URL: Final = f"spark://{HOST}:{ports.SPARK_MASTER}"
PYTHON: Final = "/opt/paai/venv/bin/python"
APPLICATION: Final = "/opt/paai/app"
#: What the image begins with, before the name of a role.
ENTRY: Final = ("python3", "-m", "stack.container")
#: Our own classes and the connectors.
JARS: Final = ("/opt/paai/paai.jar", "/opt/paai/jars/*")
#: Scratch files of shuffles and executors, and native libraries that JVMs unpack: code may be run from there, unlike from /tmp.
WORK: Final = "/work"
_TEMPORARY: Final = f"-Djava.io.tmpdir={WORK}"
#: How long the prediction job leaves a starting machine to the aggregates; without them it starts all the same.
AGGREGATES_S: Final = 90.0


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


def aggregate(environment: Environment) -> tuple[str, ...]:
    """The command of the driver of the aggregates job; waits for the master."""
    return _job(environment, "spark-job", "aggregate.py", cores=spark.JOB_CORES, memory=spark.EXECUTOR_MEMORY)


def standby(_environment: Environment) -> tuple[str, ...]:
    """The command that waits for a promoted model, then becomes `predict`."""
    return (PYTHON, "-m", spark.STANDBY, *ENTRY, "spark-predict-job")


def predict(environment: Environment) -> tuple[str, ...]:
    """The command of the driver of the prediction job; waits for the master, and for the aggregates, which go before it."""
    wait_for_name("spark-job", timeout_s=AGGREGATES_S)
    return _job(environment, "spark-predict", "predict.py", cores=spark.PREDICT_CORES, memory=spark.PREDICT_EXECUTOR_MEMORY)


def _job(environment: Environment, service: str, file: str, *, cores: int, memory: str) -> tuple[str, ...]:
    address = own_address(HOST)
    home = _prepare(address)
    os.environ.setdefault("PAAI_SPARK_CORES", str(cores))
    os.environ.setdefault("PAAI_EXECUTOR_MEMORY", memory)
    settings = spark.job_settings(driver_host=address, class_path=JARS, python=PYTHON, cores=cores)
    settings["spark.executor.extraJavaOptions"] += f" {_TEMPORARY}"
    return java_command(
        JAVA,
        service=service,
        class_path=(f"{home}/jars/*", *JARS),
        main=spark.SUBMIT_MAIN,
        arguments=spark.submit_arguments(_MASTER_URL, settings, f"{APPLICATION}/spark/{file}"),
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
