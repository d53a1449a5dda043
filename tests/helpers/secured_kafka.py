"""ZooKeeper and a broker of a test's own: an inner listener without a login, an outer one with SASL, and an authorizer."""

import contextlib
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from stack.jars import jar_dirs
from stack.java import find_java
from stack.jvm import kafka
from stack.tied import tied
from tests.helpers.wait import wait_until


@dataclass(frozen=True, slots=True)
class SecuredKafka:
    """A running broker.

    Attributes:
        internal: Bootstrap servers of the listener without a login.
        external: Bootstrap servers of the listener with SASL.
    """

    internal: str
    external: str


@contextmanager
def secured_kafka(directory: Path) -> Iterator[SecuredKafka]:
    """Start both; `directory` gets data, configuration and logs."""
    zookeeper, internal, external = free_ports(3)
    listeners = f"INTERNAL://127.0.0.1:{internal},EXTERNAL://127.0.0.1:{external}"
    broker = {
        **kafka.broker_properties(data_dir=str(directory / "kafka")),
        **kafka.with_zookeeper(f"127.0.0.1:{zookeeper}"),
        "listeners": listeners,
        "advertised.listeners": listeners,
        "listener.security.protocol.map": "INTERNAL:PLAINTEXT,EXTERNAL:SASL_PLAINTEXT",
        "inter.broker.listener.name": "INTERNAL",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.external.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "authorizer.class.name": "kafka.security.authorizer.AclAuthorizer",
        "super.users": "User:ANONYMOUS",
        "allow.everyone.if.no.acl.found": "false",
    }
    keeper = kafka.zookeeper_properties(data_dir=str(directory / "zookeeper"), port=zookeeper, address="127.0.0.1")
    running = SecuredKafka(f"127.0.0.1:{internal}", f"127.0.0.1:{external}")
    with jvm(directory, "zookeeper", kafka.ZOOKEEPER_MAIN, keeper), jvm(directory, "broker", kafka.BROKER_MAIN, broker):
        client = AdminClient({"bootstrap.servers": running.internal, "log_level": 0, "reconnect.backoff.max.ms": 500})

        def answers() -> bool:
            with contextlib.suppress(KafkaException):
                return bool(client.list_topics(timeout=1).brokers)
            return False

        wait_until(answers, 90, f"the broker to answer; see {directory}/broker.log")
        yield running


@contextmanager
def jvm(
    directory: Path, name: str, main: str, properties: Mapping[str, str], *, class_path: tuple[str, ...] = ()
) -> Iterator[None]:
    """Run one of Kafka's programs; `directory` gets its configuration and log."""
    path = directory / f"{name}.properties"
    path.write_text(kafka.render(properties), "ascii")
    flags = ("-Xmx384m", "-XX:TieredStopAtLevel=1", "-cp", ":".join((*class_path, f"{jar_dirs().kafka}/*")))
    command = tied([str(find_java().executable), *flags, main, str(path)])
    with (directory / f"{name}.log").open("ab") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def free_ports(n: int) -> list[int]:
    """Ports that nothing listens on right now."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(n)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
