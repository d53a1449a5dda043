"""ZooKeeper, the Kafka broker and Connect on one machine: addresses and files. The rest is in `stack.jvm.kafka`."""

from pathlib import Path

from backend.contract.ports import Ports
from stack.jvm import kafka
from stack.jvm.command import java_command, log4j_flag, tmpdir_flag
from stack.local.layout import Layout
from stack.local.program import Program

LOOPBACK = "127.0.0.1"


def write_configuration(layout: Layout, ports: Ports) -> None:
    """Write the three files into the run directory."""
    listener = f"PLAINTEXT://{LOOPBACK}:{ports.kafka}"
    for name, properties in (
        ("zookeeper", kafka.zookeeper_properties(data_dir=str(layout.zookeeper), port=ports.zookeeper, address=LOOPBACK)),
        (
            "broker",
            {
                **kafka.with_zookeeper(f"{LOOPBACK}:{ports.zookeeper}"),
                "listeners": listener,
                "advertised.listeners": listener,
                **kafka.broker_properties(data_dir=str(layout.kafka)),
            },
        ),
        (
            "connect",
            kafka.connect_properties(
                bootstrap=f"{LOOPBACK}:{ports.kafka}", listen=LOOPBACK, advertised_host=LOOPBACK, port=ports.connect
            ),
        ),
    ):
        (layout.run / f"{name}.properties").write_text(kafka.render(properties), "ascii")


def programs(layout: Layout, ports: Ports, *, java: Path, jars: Path, own_jar: Path) -> tuple[Program, ...]:
    """The three programs.

    Args:
        jars: Directory of the resolved "kafka" set.
        own_jar: See `stack.jars.own_jar`.
    """
    every_jar = f"{jars}/*"
    flags = (log4j_flag(), tmpdir_flag(layout.tmp))
    # The JVM opens one more port for itself, on every address; it drops connections from other machines there.
    jmx = kafka.jmx_flags(port=ports.kafka_jmx, address=LOOPBACK, advertised=LOOPBACK)
    return (
        Program(
            "zookeeper",
            java_command(
                java,
                service="zookeeper",
                class_path=(every_jar,),
                main=kafka.ZOOKEEPER_MAIN,
                arguments=(str(layout.run / "zookeeper.properties"),),
                heap_mb=kafka.ZOOKEEPER_HEAP_MB,
                flags=(*flags, "-Dzookeeper.jmx.log4j.disable=true"),
                quick_start=True,
            ),
        ),
        Program(
            "broker",
            java_command(
                java,
                service="broker",
                class_path=(every_jar,),
                main=kafka.BROKER_MAIN,
                arguments=(str(layout.run / "broker.properties"),),
                heap_mb=kafka.BROKER_HEAP_MB,
                flags=(*flags, *jmx),
                survives_out_of_memory=kafka.BROKER_SURVIVES_OUT_OF_MEMORY,
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
                class_path=(str(own_jar), every_jar),
                main=kafka.CONNECT_MAIN,
                arguments=(str(layout.run / "connect.properties"),),
                heap_mb=kafka.CONNECT_HEAP_MB,
                flags=flags,
            ),
            start_s=8,
            stop_wait_s=20,
        ),
    )
