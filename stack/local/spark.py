"""Spark's standalone master, worker and jobs on one machine: addresses and folders. The rest is in `stack.jvm.spark`."""

from pathlib import Path
from typing import Final

from backend.contract.ports import Ports
from stack.jvm import spark
from stack.jvm.command import LOGGING_DIR, java_command, tmpdir_flag
from stack.local.layout import Layout
from stack.local.program import PROJECT_ROOT, Program

LOOPBACK = "127.0.0.1"

#: Readings and windows go before predictions.
NICE_PREDICT: Final = 10


def programs(
    layout: Layout, ports: Ports, *, java: Path, python: Path, pyspark_home: Path, jars: Path, own_jar: Path
) -> tuple[Program, ...]:
    """Master, worker and jobs.

    Args:
        jars: Directory of the resolved "spark" set.
        own_jar: See `stack.jars.own_jar`.
    """
    master_url = f"spark://{LOOPBACK}:{ports.spark_master}"
    spark_jars = f"{pyspark_home}/jars/*"
    job_jars = (str(own_jar), f"{jars}/*")
    tmpdir = tmpdir_flag(layout.tmp)
    environment = {
        "SPARK_HOME": str(pyspark_home),
        "SPARK_SCALA_VERSION": "2.13",
        # A folder without settings of Spark's. It is in the class path, where a name with an emoji cannot be.
        "SPARK_CONF_DIR": str(LOGGING_DIR),
        "SPARK_LOCAL_IP": LOOPBACK,
        "SPARK_LOCAL_HOSTNAME": LOOPBACK,
        "SPARK_LOCAL_DIRS": str(layout.spark / "local"),
        "SPARK_NO_DAEMONIZE": "1",
        "PYSPARK_PYTHON": str(python),
        "PYSPARK_DRIVER_PYTHON": str(python),
        "JAVA_HOME": str(java.parent.parent),
    }
    master_arguments = ("--host", LOOPBACK, "--port", str(ports.spark_master), "--webui-port", str(ports.spark_master_ui))
    worker_arguments = (
        *("--host", LOOPBACK, "--webui-port", str(ports.spark_worker_ui)),
        *("--cores", str(spark.WORKER_CORES), "--memory", spark.WORKER_MEMORY),
        *("--work-dir", str(layout.spark / "work"), master_url),
    )

    def job(service: str, file: str, *, cores: int, memory: str, nice: int = 0, behind: tuple[str, ...] = ()) -> Program:
        settings = spark.job_settings(driver_host=LOOPBACK, class_path=job_jars, python=str(python), cores=cores)
        settings["spark.executor.extraJavaOptions"] += f' "{tmpdir}"'  # quoted: Spark splits the options at blanks
        return Program(
            service,
            java_command(
                java,
                service=service,
                class_path=(spark_jars, *job_jars),
                main=spark.SUBMIT_MAIN,
                arguments=spark.submit_arguments(master_url, settings, str(PROJECT_ROOT / "spark" / file)),
                heap_mb=spark.DRIVER_HEAP_MB,
                flags=(*spark.job_flags(), tmpdir),
                quick_start=True,  # the driver plans; the executor computes
            ),
            {
                **environment,
                "PAAI_CHECKPOINT_DIR": str(layout.checkpoints[service]),
                "PAAI_SPARK_CORES": str(cores),
                "PAAI_EXECUTOR_MEMORY": memory,
            },
            start_s=10,
            stop_wait_s=20,
            stop_group=True,  # the JVM has the Python driver as its child
            final_exit_codes=(spark.EXIT_NEEDS_RESET,),
            nice=nice,
            behind=behind,
        )

    return (
        Program(
            "spark-master",
            java_command(
                java,
                service="spark-master",
                class_path=(spark_jars,),
                main=spark.MASTER_MAIN,
                arguments=master_arguments,
                heap_mb=spark.MASTER_HEAP_MB,
                flags=(*spark.master_flags(), tmpdir),
                quick_start=True,
            ),
            environment,
        ),
        Program(
            "spark-worker",
            java_command(
                java,
                service="spark-worker",
                class_path=(spark_jars,),
                main=spark.WORKER_MAIN,
                arguments=worker_arguments,
                heap_mb=spark.WORKER_HEAP_MB,
                flags=(*spark.worker_flags(), tmpdir),
                quick_start=True,
            ),
            environment,
            stop_group=True,  # the executors are its children
        ),
        job("spark-job", "aggregate.py", cores=spark.JOB_CORES, memory=spark.EXECUTOR_MEMORY),
        job(
            "spark-predict",
            "predict.py",
            cores=spark.PREDICT_CORES,
            memory=spark.PREDICT_EXECUTOR_MEMORY,
            nice=NICE_PREDICT,
            behind=(str(python), "-m", spark.STANDBY),
        ),
    )
