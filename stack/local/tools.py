"""Finds on this machine what the services are run with."""

import importlib.util
import sys
from pathlib import Path

from backend.contract.ports import Ports
from stack import mongo
from stack.errors import PreflightError
from stack.jars import jar_dirs, own_jar
from stack.java import find_java
from stack.local.layout import Layout
from stack.local.services import Tools


def find_tools(layout: Layout, ports: Ports) -> Tools:
    """All tools. The jars need not be there yet; makes the database's folder.

    Raises:
        PreflightError: one of them is missing; says how to get it.
    """
    jars = jar_dirs()
    choice = mongo.choose(data_dir=layout.mongo)
    java = find_java()
    return Tools(
        python=Path(sys.executable),
        java=java.executable,
        java_version=java.version,
        pyspark_home=pyspark_home(),
        kafka_jars=jars.kafka,
        own_jar=own_jar.path(),
        spark_jars=jars.spark,
        mongo_command=tuple(mongo.command(choice, data_dir=layout.mongo, port=ports.mongo)),
        mongo_environment=mongo.environment(choice),
    )


def pyspark_home() -> Path:
    """Directory of the installed pyspark package, found without importing it (that takes a second)."""
    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise PreflightError("pyspark is not installed", remedy="Type: make setup")
    return Path(spec.origin).parent
