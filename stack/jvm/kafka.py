"""What ZooKeeper, the broker and Connect are told, apart from addresses: the same on this machine and in containers."""

from collections.abc import Mapping
from typing import Final

from backend.contract import limits, names

ZOOKEEPER_MAIN: Final = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
BROKER_MAIN: Final = "kafka.Kafka"
CONNECT_MAIN: Final = "org.apache.kafka.connect.cli.ConnectDistributed"

ZOOKEEPER_HEAP_MB: Final = 128
BROKER_HEAP_MB: Final = 512
#: The broker unpacks batches to pack them as their topic is: one that does not fit in its heap is refused, and that is all.
BROKER_SURVIVES_OUT_OF_MEMORY: Final = True
CONNECT_HEAP_MB: Final = 384

#: How long ZooKeeper remembers a broker that was killed. Until then the next one finds its place taken and has to try again.
ZOOKEEPER_SESSION_MS: Final = 6000


def zookeeper_properties(*, data_dir: str, port: int, address: str) -> dict[str, str]:
    """`zookeeper.properties`.

    Args:
        data_dir: Where it keeps its state.
        port: For clients.
        address: That it listens on.
    """
    return {
        "dataDir": data_dir,
        "clientPort": str(port),
        "clientPortAddress": address,
        "admin.enableServer": "false",
        "4lw.commands.whitelist": "ruok,srvr",
        "tickTime": "2000",
        "maxClientCnxns": "60",
        "autopurge.snapRetainCount": "3",
        "autopurge.purgeInterval": "1",
    }


def broker_properties(*, data_dir: str, replicas: int = 1) -> dict[str, str]:
    """`server.properties`, without listeners and without what keeps the cluster's state.

    Args:
        data_dir: Where the topics are.
        replicas: Copies of every topic; of three, two must have a record before it is acknowledged.
    """
    in_sync = str(max(1, replicas - 1))
    return {
        "log.dirs": data_dir,
        "auto.create.topics.enable": "false",
        "num.partitions": str(names.MESSAGES_PARTITIONS),
        "default.replication.factor": str(replicas),
        "min.insync.replicas": in_sync,
        "unclean.leader.election.enable": "false",
        "offsets.topic.replication.factor": str(replicas),
        # Fifty directories and indexes more to open at every start, for a handful of consumer groups.
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": str(replicas),
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": "4",
        "group.initial.rebalance.delay.ms": "0",
        # Of a transaction left open every reader of committed records waits for the end.
        "transaction.max.timeout.ms": str(limits.TRANSACTION_MAX_S * 1000),
        # A producer's own time may be anything; order, retention and "not from the future" go by the arrival.
        "log.message.timestamp.type": "LogAppendTime",
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


def with_zookeeper(connect: str) -> dict[str, str]:
    """For a broker whose cluster's state is in ZooKeeper at `connect`."""
    return {
        "broker.id": "0",
        "zookeeper.connect": connect,
        # The broker is started beside ZooKeeper, not after it: its JVM needs as long as ZooKeeper takes to be there.
        "zookeeper.connection.timeout.ms": "60000",
        "zookeeper.session.timeout.ms": str(ZOOKEEPER_SESSION_MS),
    }


def connect_properties(*, bootstrap: str, listen: str, advertised_host: str, port: int, replicas: int = 1) -> dict[str, str]:
    """`connect.properties` of a distributed worker.

    Args:
        bootstrap: Kafka.
        listen: Address that the REST interface listens on.
        advertised_host: Name by which other workers reach it.
        port: Of the REST interface.
        replicas: Of its topics.
    """
    return {
        "bootstrap.servers": bootstrap,
        "group.id": "paai-connect",
        "listeners": f"http://{listen}:{port}",
        "rest.advertised.host.name": advertised_host,
        "rest.advertised.port": str(port),
        "config.storage.topic": "connect-configs",
        "config.storage.replication.factor": str(replicas),
        "offset.storage.topic": "connect-offsets",
        "offset.storage.replication.factor": str(replicas),
        "offset.storage.partitions": "1",
        "status.storage.topic": "connect-status",
        "status.storage.replication.factor": str(replicas),
        "status.storage.partitions": "1",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        # Scanning the class path costs seconds. See stack/jars/own_jar.py, whose jar names the plugins.
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


def jmx_flags(*, port: int, address: str, advertised: str) -> tuple[str, ...]:
    """Lets JMX clients in on `address`, without credentials: never on one that is reached from outside."""
    return (
        f"-Dcom.sun.management.jmxremote.port={port}",
        f"-Dcom.sun.management.jmxremote.rmi.port={port}",
        f"-Dcom.sun.management.jmxremote.host={address}",
        "-Dcom.sun.management.jmxremote.authenticate=false",
        "-Dcom.sun.management.jmxremote.ssl=false",
        f"-Djava.rmi.server.hostname={advertised}",
    )


def render(properties: Mapping[str, str]) -> str:
    """The text of a Java properties file."""
    return "".join(f"{key}={_escaped(value)}\n" for key, value in properties.items())


def _escaped(value: str) -> str:
    """A value as `java.util.Properties` reads it back: Java knows no escape but ``\\uXXXX`` for UTF-16 code units."""
    text = value.replace("\\", "\\\\")
    if text[:1] == " ":  # white space after the equals sign is skipped
        text = f"\\{text}"
    return "".join(char if " " <= char <= "~" else _code_units(char) for char in text)


def _code_units(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
