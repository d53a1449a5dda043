"""ZooKeeper, the Kafka broker and Kafka Connect on one machine: their configuration and how they are called."""

from collections.abc import Mapping
from pathlib import Path

from backend.contract import limits, names
from backend.contract.ports import Ports
from stack.local.layout import Layout
from stack.local.program import CONF_DIR, Program, java_command

#: How long ZooKeeper remembers a broker that was killed. Until then the next one finds its place taken and has to try again.
ZOOKEEPER_SESSION_MS = 6000


def zookeeper_properties(layout: Layout, ports: Ports) -> dict[str, str]:
    """`zookeeper.properties`."""
    return {
        "dataDir": str(layout.zookeeper),
        "clientPort": str(ports.zookeeper),
        "clientPortAddress": "127.0.0.1",
        "admin.enableServer": "false",
        "4lw.commands.whitelist": "ruok,srvr",
        "tickTime": "2000",
        "maxClientCnxns": "60",
        "autopurge.snapRetainCount": "3",
        "autopurge.purgeInterval": "1",
    }


def broker_properties(layout: Layout, ports: Ports) -> dict[str, str]:
    """`server.properties` of the one broker."""
    return {
        "broker.id": "0",
        "listeners": f"PLAINTEXT://127.0.0.1:{ports.kafka}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{ports.kafka}",
        "zookeeper.connect": f"127.0.0.1:{ports.zookeeper}",
        # The broker is started beside ZooKeeper, not after it: its JVM needs as long as ZooKeeper takes to be there.
        "zookeeper.connection.timeout.ms": "60000",
        "zookeeper.session.timeout.ms": str(ZOOKEEPER_SESSION_MS),
        "log.dirs": str(layout.kafka),
        "auto.create.topics.enable": "false",
        "num.partitions": str(names.MESSAGES_PARTITIONS),
        "default.replication.factor": "1",
        "min.insync.replicas": "1",
        "offsets.topic.replication.factor": "1",
        # Fifty directories and indexes more to open at every start, for a handful of consumer groups.
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "group.initial.rebalance.delay.ms": "0",
        "log.message.timestamp.type": "CreateTime",
        "log.retention.hours": str(limits.RETENTION_HOURS),
        "log.retention.bytes": str(limits.RETENTION_BYTES // names.MESSAGES_PARTITIONS),
        # Retention removes whole segments only: they must be small against the limit.
        "log.segment.bytes": str(128 * 1024**2),
        "log.roll.hours": "1",
        "log.retention.check.interval.ms": "60000",
        "log.cleaner.dedupe.buffer.size": str(16 * 1024**2),
        "num.network.threads": "2",
        "num.io.threads": "4",
        "background.threads": "4",
        "num.recovery.threads.per.data.dir": "2",
    }


def connect_properties(layout: Layout, ports: Ports) -> dict[str, str]:
    """`connect.properties` of the one distributed worker."""
    return {
        "bootstrap.servers": f"127.0.0.1:{ports.kafka}",
        "group.id": "paai-connect",
        "listeners": f"http://127.0.0.1:{ports.connect}",
        "rest.advertised.host.name": "127.0.0.1",
        "rest.advertised.port": str(ports.connect),
        "config.storage.topic": "connect-configs",
        "config.storage.replication.factor": "1",
        "offset.storage.topic": "connect-offsets",
        "offset.storage.replication.factor": "1",
        "offset.storage.partitions": "1",
        "status.storage.topic": "connect-status",
        "status.storage.replication.factor": "1",
        "status.storage.partitions": "1",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        # Scanning the class path costs seconds. See connect_jar.py for the one plugin that does not name itself.
        "plugin.discovery": "service_load",
        "connector.client.config.override.policy": "All",
        "config.providers": "file",
        "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
        # One worker: after a crash nobody else can take its tasks, waiting for it to come back helps nobody.
        "scheduled.rebalance.max.delay.ms": "3000",
        "session.timeout.ms": "6000",
        "heartbeat.interval.ms": "2000",
        "consumer.session.timeout.ms": "10000",
        "consumer.heartbeat.interval.ms": "3000",
        "offset.flush.interval.ms": "5000",
    }


def render(properties: Mapping[str, str]) -> str:
    """The text of a Java properties file."""
    lines = (f"{key}={value.encode('unicode_escape').decode('ascii')}" for key, value in properties.items())
    return "\n".join(lines) + "\n"


def write_configuration(layout: Layout, ports: Ports) -> None:
    """Write the three files into the run directory."""
    for name, properties in (
        ("zookeeper", zookeeper_properties(layout, ports)),
        ("broker", broker_properties(layout, ports)),
        ("connect", connect_properties(layout, ports)),
    ):
        (layout.run / f"{name}.properties").write_text(render(properties), "ascii")


def programs(layout: Layout, ports: Ports, *, java: Path, jars: Path, connect_services: Path) -> tuple[Program, ...]:
    """The three programs.

    Args:
        jars: Directory of the resolved "kafka" set.
        connect_services: See `connect_jar`.
    """
    logging = f"-Dlog4j.configuration=file:{CONF_DIR / 'log4j.properties'}"
    every_jar = f"{jars}/*"
    # The JVM opens one more port for itself, on every address; it drops connections from other machines there.
    jmx = (
        f"-Dcom.sun.management.jmxremote.port={ports.kafka_jmx}",
        f"-Dcom.sun.management.jmxremote.rmi.port={ports.kafka_jmx}",
        "-Dcom.sun.management.jmxremote.host=127.0.0.1",
        "-Dcom.sun.management.jmxremote.authenticate=false",
        "-Dcom.sun.management.jmxremote.ssl=false",
        "-Djava.rmi.server.hostname=127.0.0.1",
    )
    return (
        Program(
            "zookeeper",
            java_command(
                java,
                service="zookeeper",
                class_path=(every_jar,),
                main="org.apache.zookeeper.server.quorum.QuorumPeerMain",
                arguments=(str(layout.run / "zookeeper.properties"),),
                heap_mb=128,
                flags=(logging, "-Dzookeeper.jmx.log4j.disable=true"),
                quick_start=True,
            ),
        ),
        Program(
            "broker",
            java_command(
                java,
                service="broker",
                class_path=(every_jar,),
                main="kafka.Kafka",
                arguments=(str(layout.run / "broker.properties"),),
                heap_mb=512,
                flags=(logging, *jmx),
            ),
            # A start that finds the place in ZooKeeper still taken fails after a few seconds: pause and try again.
            start_s=8,
            stop_wait_s=30,
        ),
        Program(
            "connect",
            java_command(
                java,
                service="connect",
                class_path=(str(connect_services), every_jar),
                main="org.apache.kafka.connect.cli.ConnectDistributed",
                arguments=(str(layout.run / "connect.properties"),),
                heap_mb=384,
                flags=(logging,),
            ),
            start_s=8,
            stop_wait_s=20,
        ),
    )
