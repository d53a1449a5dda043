"""Entry points of ZooKeeper, the Kafka brokers and Connect."""

import subprocess
from pathlib import Path
from typing import Final

from backend.contract import ports
from stack.container.environment import EVERY_ADDRESS, JAVA, RUN_DIR, Environment, own_address
from stack.jvm import kafka
from stack.jvm.command import java_command, log4j_flag

JARS: Final = "/opt/paai/jars/*"
OWN_JAR: Final = "/opt/paai/paai.jar"
#: Where the JVM unpacks native libraries: code may be run from there, unlike from /tmp.
_TEMPORARY: Final = "-Djava.io.tmpdir=/work"

#: Port of the listener that only the overlay network reaches.
INTERNAL_PORT: Final = 29092
CONTROLLER_PORT: Final = 9093

_SCRAM: Final = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


def zookeeper(environment: Environment) -> tuple[str, ...]:
    """The command of ZooKeeper."""
    properties = kafka.zookeeper_properties(
        data_dir=environment.text("PAAI_DATA_DIR", "/data"), port=ports.ZOOKEEPER, address=EVERY_ADDRESS
    )
    return java_command(
        JAVA,
        service="zookeeper",
        class_path=(JARS,),
        main=kafka.ZOOKEEPER_MAIN,
        arguments=(_write("zookeeper", properties),),
        heap_mb=environment.number("PAAI_HEAP_MB", kafka.ZOOKEEPER_HEAP_MB),
        flags=(log4j_flag(), _TEMPORARY, "-Dzookeeper.jmx.log4j.disable=true"),
        quick_start=True,
    )


def broker(environment: Environment) -> tuple[str, ...]:
    """The command of a broker, with ZooKeeper or, where PAAI_NODE_ID is set, as one of several without."""
    name = environment.text("PAAI_INTERNAL_HOST", "broker")
    data_dir = environment.text("PAAI_DATA_DIR", "/data")
    node = environment.text("PAAI_NODE_ID", "")
    properties = {
        **(_quorum(environment) if node else kafka.with_zookeeper(environment.text("PAAI_ZOOKEEPER", "zookeeper:2181"))),
        **_listeners(name, environment.text("PAAI_EXTERNAL"), controller=bool(node)),
        **kafka.broker_properties(data_dir=data_dir, replicas=environment.number("PAAI_REPLICATION_FACTOR", 1)),
    }
    file = _write("broker", properties)
    if node:
        _format(file, environment.text("PAAI_CLUSTER_ID"), data_dir)
    jmx = kafka.jmx_flags(port=ports.KAFKA_JMX, address=EVERY_ADDRESS, advertised=name)
    return java_command(
        JAVA,
        service=name,
        class_path=(JARS,),
        main=kafka.BROKER_MAIN,
        arguments=(file,),
        heap_mb=environment.number("PAAI_HEAP_MB", kafka.BROKER_HEAP_MB),
        flags=(log4j_flag(), _TEMPORARY, *jmx),
        survives_out_of_memory=kafka.BROKER_SURVIVES_OUT_OF_MEMORY,
    )


def connect(environment: Environment) -> tuple[str, ...]:
    """The command of a Connect worker."""
    bootstrap = environment.text("PAAI_KAFKA_BOOTSTRAP")
    properties = {
        **kafka.connect_properties(
            bootstrap=bootstrap,
            listen=EVERY_ADDRESS,
            # Any of the brokers will do: one of several may be away.
            advertised_host=own_address(*(server.rpartition(":")[0] for server in bootstrap.split(","))),
            port=ports.CONNECT,
            replicas=environment.number("PAAI_REPLICATION_FACTOR", 1),
        ),
        # A connector's configuration may name these files, and no others, to be read where it runs.
        "config.providers.file.param.allowed.paths": "/run/secrets",
    }
    return java_command(
        JAVA,
        service="connect",
        class_path=(OWN_JAR, JARS),
        main=kafka.CONNECT_MAIN,
        arguments=(_write("connect", properties),),
        heap_mb=environment.number("PAAI_HEAP_MB", kafka.CONNECT_HEAP_MB),
        flags=(log4j_flag(), _TEMPORARY),
    )


def _listeners(name: str, external: str, *, controller: bool) -> dict[str, str]:
    """INTERNAL for our services, on the overlay only; EXTERNAL for everybody else, with a login and narrow rights.

    Args:
        name: By which others on the overlay reach this broker.
        external: ``host:port`` by which clients outside reach it.
        controller: Whether it also serves the quorum.
    """
    protocols = {"INTERNAL": "PLAINTEXT", "EXTERNAL": "SASL_PLAINTEXT", **({"CONTROLLER": "PLAINTEXT"} if controller else {})}
    binds = {"INTERNAL": INTERNAL_PORT, "EXTERNAL": ports.KAFKA, **({"CONTROLLER": CONTROLLER_PORT} if controller else {})}
    authorizer = (
        "org.apache.kafka.metadata.authorizer.StandardAuthorizer" if controller else "kafka.security.authorizer.AclAuthorizer"
    )
    return {
        "listeners": ",".join(f"{listener}://{EVERY_ADDRESS}:{port}" for listener, port in binds.items()),
        "advertised.listeners": f"INTERNAL://{name}:{INTERNAL_PORT},EXTERNAL://{external}",
        "listener.security.protocol.map": ",".join(f"{listener}:{protocol}" for listener, protocol in protocols.items()),
        "inter.broker.listener.name": "INTERNAL",
        "listener.name.external.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.external.scram-sha-512.sasl.jaas.config": _SCRAM,
        "authorizer.class.name": authorizer,
        # Whoever comes without a login came by the overlay. A client with one may do what the operator allowed it.
        "super.users": "User:ANONYMOUS",
        "allow.everyone.if.no.acl.found": "false",
    }


def _quorum(environment: Environment) -> dict[str, str]:
    """Every broker is a voter too: three keep the cluster's state as they keep its topics."""
    return {
        "process.roles": "broker,controller",
        "node.id": str(environment.number("PAAI_NODE_ID")),
        "controller.quorum.voters": environment.text("PAAI_VOTERS"),
        "controller.listener.names": "CONTROLLER",
        # A broker that was away leads again after half a minute, not after Kafka's five.
        "leader.imbalance.check.interval.seconds": "30",
    }


def _format(properties_file: str, cluster_id: str, data_dir: str) -> None:
    """Make the data directory one of this cluster; once."""
    if (Path(data_dir) / "meta.properties").exists():
        return
    command = (
        str(JAVA),
        "-Xmx64m",
        "-XX:TieredStopAtLevel=1",
        log4j_flag(),
        _TEMPORARY,
        "-cp",
        JARS,
        "kafka.tools.StorageTool",
    )
    subprocess.run(
        [*command, "format", "--cluster-id", cluster_id, "--config", properties_file, "--ignore-formatted"],
        check=True,
        timeout=300,  # a JVM of its own, at a moment when all others start too
        stdin=subprocess.DEVNULL,
    )


def _write(name: str, properties: dict[str, str]) -> str:
    path = RUN_DIR / f"{name}.properties"
    path.write_text(kafka.render(properties), "ascii")
    return str(path)
