"""How our own Python services and the database are called, and the whole list of programs of one local system."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from backend.contract.ports import Ports
from stack import catalogue
from stack.local import kafka, spark
from stack.local.layout import Layout
from stack.local.program import Program

#: Readings go before predictions. A training is nicer still.
NICE_PREDICTOR: Final = 5


@dataclass(frozen=True, slots=True)
class Tools:
    """What was found on this machine to run the services with.

    Attributes:
        python: The interpreter of this environment.
        java: The `java` executable.
        java_version: Its version: "17.0.15".
        pyspark_home: Directory of the installed pyspark package.
        kafka_jars: Directory of ZooKeeper's, Kafka's and Connect's jars.
        own_jar: Our own Java classes; see `stack.jars.own_jar`.
        spark_jars: Directory of the jars added to Spark's own.
        mongo_command: How the database is started.
        mongo_environment: What it wants in its environment.
    """

    python: Path
    java: Path
    java_version: str
    pyspark_home: Path
    kafka_jars: Path
    own_jar: Path
    spark_jars: Path
    mongo_command: tuple[str, ...]
    mongo_environment: dict[str, str]


def common_environment(layout: Layout, ports: Ports) -> dict[str, str]:
    """What our own services read; see each service's settings."""
    mongo = f"mongodb://127.0.0.1:{ports.mongo}/"
    return {
        "PAAI_KAFKA_BOOTSTRAP": f"127.0.0.1:{ports.kafka}",
        "PAAI_MONGO_URI": mongo,
        "PAAI_SINK_MONGO_URI": mongo,
        "PAAI_URL": f"http://127.0.0.1:{ports.paai}",
        "PAAI_CONNECT_URL": f"http://127.0.0.1:{ports.connect}",
        "PAAI_HOST": "127.0.0.1",
        "PAAI_STATE_DIR": str(layout.state),
        "PAAI_DRAIN_S": "0",
    }


def all_programs(layout: Layout, ports: Ports, tools: Tools) -> tuple[Program, ...]:
    """One program a service, in the catalogue's order."""
    common = common_environment(layout, ports)
    python = str(tools.python)
    models = {"PAAI_MODEL_KEY_FILE": str(layout.model_key)}
    found = [
        *kafka.programs(layout, ports, java=tools.java, jars=tools.kafka_jars, own_jar=tools.own_jar),
        Program("mongodb", tools.mongo_command, environment=tools.mongo_environment, stop_wait_s=30, start_s=2),
        *(
            replace(p, environment={**common, **models, **p.environment}) if p.service in layout.checkpoints else p
            for p in spark.programs(
                layout,
                ports,
                java=tools.java,
                python=tools.python,
                pyspark_home=tools.pyspark_home,
                jars=tools.spark_jars,
                own_jar=tools.own_jar,
            )
        ),
        Program("kafka-operator", (python, "-m", "backend.operator"), common),
        Program(
            "paai",
            (python, "-m", "backend.paai"),
            {
                **common,
                "PAAI_PORT": str(ports.paai),
                "PAAI_FD": "0",
                "PROMETHEUS_MULTIPROC_DIR": str(layout.metrics),
            },
            processes=catalogue.find("paai").max_replicas,
            socket_port=ports.paai,
            start_s=2,
            stop_wait_s=20,
        ),
        Program("generator", (python, "-m", "backend.generator"), {**common, "PAAI_PORT": str(ports.generator)}),
        Program(
            "predictor",
            (python, "-m", "backend.predictor"),
            {**common, **models, "PAAI_PORT": str(ports.predictor)},
            stop_wait_s=20,
            nice=NICE_PREDICTOR,
        ),
    ]
    by_service = {program.service: program for program in found}
    return tuple(by_service[service.name] for service in catalogue.SERVICES)
