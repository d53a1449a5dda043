"""Spark's standalone master and worker, and the job that is submitted to them."""

from pathlib import Path
from typing import Final

from backend.contract.ports import Ports
from stack.local.layout import Layout
from stack.local.program import CONF_DIR, PROJECT_ROOT, Program, java_command

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


def programs(layout: Layout, ports: Ports, *, java: Path, python: Path, pyspark_home: Path, jars: Path) -> tuple[Program, ...]:
    """Master, worker and job. `jars` is the directory of the resolved "spark" set."""
    master_url = f"spark://127.0.0.1:{ports.spark_master}"
    own_jars = f"{pyspark_home}/jars/*"
    logging = f"-Dlog4j2.configurationFile=file:{CONF_DIR / 'log4j2.properties'}"
    # One page for all: the master's, which passes on to the worker's and the job's.
    proxy = "-Dspark.ui.reverseProxy=true"
    environment = {
        "SPARK_HOME": str(pyspark_home),
        "SPARK_SCALA_VERSION": "2.13",
        "SPARK_CONF_DIR": str(layout.run / "spark-conf"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_HOSTNAME": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(layout.spark / "local"),
        "SPARK_NO_DAEMONIZE": "1",
        "PYSPARK_PYTHON": str(python),
        "PYSPARK_DRIVER_PYTHON": str(python),
        "JAVA_HOME": str(java.parent.parent),
    }
    return (
        Program(
            "spark-master",
            java_command(
                java,
                service="spark-master",
                class_path=(own_jars,),
                main="org.apache.spark.deploy.master.Master",
                arguments=(
                    "--host",
                    "127.0.0.1",
                    "--port",
                    str(ports.spark_master),
                    "--webui-port",
                    str(ports.spark_master_ui),
                ),
                heap_mb=192,
                flags=(
                    *MODULE_FLAGS,
                    logging,
                    proxy,
                    "-Dspark.master.rest.enabled=false",
                    "-Dspark.deploy.retainedApplications=5",
                    "-Dspark.worker.timeout=20",
                ),
                quick_start=True,
            ),
            environment,
        ),
        Program(
            "spark-worker",
            java_command(
                java,
                service="spark-worker",
                class_path=(own_jars,),
                main="org.apache.spark.deploy.worker.Worker",
                arguments=(
                    "--host",
                    "127.0.0.1",
                    "--webui-port",
                    str(ports.spark_worker_ui),
                    "--cores",
                    str(WORKER_CORES),
                    "--memory",
                    "3g",
                    "--work-dir",
                    str(layout.spark / "work"),
                    master_url,
                ),
                heap_mb=192,
                flags=(
                    *MODULE_FLAGS,
                    logging,
                    proxy,
                    "-Dspark.worker.cleanup.enabled=true",
                    "-Dspark.worker.cleanup.interval=600",
                    "-Dspark.worker.cleanup.appDataTtl=3600",
                    "-Dspark.worker.ui.retainedExecutors=10",
                    "-Dspark.worker.timeout=20",
                ),
                quick_start=True,
            ),
            environment,
            stop_group=True,  # the executors are its children
        ),
        _job(layout, java=java, python=python, own_jars=own_jars, jars=jars, master_url=master_url, environment=environment),
    )


def _job(
    layout: Layout,
    *,
    java: Path,
    python: Path,
    own_jars: str,
    jars: Path,
    master_url: str,
    environment: dict[str, str],
) -> Program:
    logging = f"-Dlog4j2.configurationFile=file:{CONF_DIR / 'log4j2.properties'}"
    settings = {
        "spark.submit.deployMode": "client",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.executor.cores": str(JOB_CORES),
        "spark.executor.extraClassPath": f"{jars}/*",
        "spark.executor.extraJavaOptions": (
            f"-XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError -Djava.net.preferIPv4Stack=true -Duser.timezone=UTC "
            f"-Dpaai.service=spark-executor {logging}"
        ),
        "spark.executor.logs.rolling.strategy": "size",
        "spark.executor.logs.rolling.maxSize": str(1024**2),
        "spark.executor.logs.rolling.maxRetainedFiles": "3",
        "spark.pyspark.python": str(python),
        "spark.pyspark.driver.python": str(python),
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
    arguments = ["--master", master_url]
    for key, value in settings.items():
        arguments += ["--conf", f"{key}={value}"]
    return Program(
        "spark-job",
        java_command(
            java,
            service="spark-job",
            class_path=(own_jars, f"{jars}/*"),
            main="org.apache.spark.deploy.SparkSubmit",
            arguments=(*arguments, str(PROJECT_ROOT / "spark" / "aggregate.py")),
            heap_mb=512,
            flags=(*MODULE_FLAGS, logging),
            quick_start=True,  # the driver plans; the executor computes
        ),
        {
            **environment,
            "PAAI_CHECKPOINT_DIR": str(layout.checkpoint),
            "PAAI_SPARK_CORES": str(JOB_CORES),
            "PAAI_EXECUTOR_MEMORY": EXECUTOR_MEMORY,
        },
        start_s=10,
        stop_wait_s=20,
        stop_group=True,  # the JVM has the Python driver as its child
        final_exit_codes=(EXIT_NEEDS_RESET,),
    )
