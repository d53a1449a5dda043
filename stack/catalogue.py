"""Every service, once: what it is for, where it listens, when it may start, how its health is seen, what people can open.

Says nothing of how a service is started; that is the targets' business.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from backend.contract.ports import Ports
from stack.errors import UnknownServiceError


class HealthKind(StrEnum):
    """How a service's health is asked for."""

    ZOOKEEPER = "zookeeper"  # the four letters "ruok" on its port
    KAFKA = "kafka"  # an ApiVersions request on its port
    MONGO = "mongo"  # the command `ping`
    HTTP = "http"  # GET `path` answers 200
    SPARK_MASTER = "spark-master"  # its page's JSON says ALIVE
    SPARK_WORKER = "spark-worker"  # the master's JSON counts a living worker
    STATE_FILE = "state-file"  # the service writes its own state, see `backend` conventions


@dataclass(frozen=True, slots=True)
class Link:
    """A page for people.

    Attributes:
        label: "API".
        port: Name of a property of `Ports`.
        path: Path with its leading slash.
    """

    label: str
    port: str
    path: str = "/"


@dataclass(frozen=True, slots=True)
class Service:
    """One service.

    Attributes:
        name: Its name everywhere: command line, logs, status.
        title: For people: "Kafka broker".
        role: What it does, one phrase.
        ports: Names of properties of `Ports`; the first is the one that is probed.
        health: How its health is asked for.
        health_path: For HealthKind.HTTP.
        after: Services that must be healthy before this one is started.
        start_timeout_s: How long it may take from its start to healthy, on a slow and busy machine. One that crashes is noticed
            at once.
        links: Pages for people.
        scalable: Whether `scale` takes it.
        replicas: How many there are unless asked otherwise.
        max_replicas: The most that `scale` gives.
        last: Started once a first reading has flowed from paai to MongoDB: readings and windows must never wait for it.
    """

    name: str
    title: str
    role: str
    health: HealthKind
    ports: tuple[str, ...] = ()
    health_path: str = "/"
    after: tuple[str, ...] = ()
    start_timeout_s: float = 300.0
    links: tuple[Link, ...] = ()
    scalable: bool = False
    replicas: int = 1
    max_replicas: int = 1
    last: bool = False


#: Of the local target, in start order. What does not wait for another (`after`) starts at the same time.
SERVICES: Final[tuple[Service, ...]] = (
    Service("zookeeper", "ZooKeeper", "keeps the Kafka cluster's state", HealthKind.ZOOKEEPER, ("zookeeper",)),
    Service(
        "broker",
        "Kafka broker",
        "keeps the stream of readings",
        HealthKind.KAFKA,
        ("kafka", "kafka_jmx"),
    ),
    Service("mongodb", "MongoDB", "stores raw readings and aggregates", HealthKind.MONGO, ("mongo",)),
    Service(
        "kafka-operator",
        "Operator",
        "keeps topics, indexes and the sink connector as wanted",
        HealthKind.STATE_FILE,
        after=("broker", "mongodb"),
    ),
    Service(
        "connect",
        "Kafka Connect",
        "copies readings from Kafka into MongoDB",
        HealthKind.HTTP,
        ("connect",),
        health_path="/connectors",
        links=(Link("Connect REST", "connect"),),
    ),
    Service(
        "spark-master",
        "Spark master",
        "hands the Spark job to the worker",
        HealthKind.SPARK_MASTER,
        ("spark_master_ui", "spark_master"),
        links=(Link("Spark", "spark_master_ui"),),
    ),
    Service(
        "spark-worker",
        "Spark worker",
        "runs the Spark job's tasks",
        HealthKind.SPARK_WORKER,
        ("spark_worker_ui",),
        # A worker that finds no master waits eight seconds before it asks again.
        after=("spark-master",),
        links=(Link("Worker", "spark_worker_ui"),),
    ),
    Service(
        "spark-job",
        "Spark job",
        "computes the 10-second aggregates",
        HealthKind.STATE_FILE,
        after=("spark-master", "broker"),
    ),
    Service(
        "paai",
        "paai",
        "receives and checks readings, answers queries",
        HealthKind.HTTP,
        ("paai",),
        health_path="/healthz",
        # Not needed sooner; what everything else waits for gets the processor first.
        after=("broker", "spark-master"),
        links=(Link("API", "paai", "/docs"),),
        scalable=True,
        replicas=3,
        max_replicas=16,
    ),
    Service(
        "generator",
        "Generator",
        "simulates the fleet of devices",
        HealthKind.HTTP,
        ("generator",),
        health_path="/healthz",
        # Not needed sooner; what everything else waits for gets the processor first.
        after=("broker", "spark-master"),
        links=(Link("API", "generator", "/docs"),),
    ),
    Service(
        "predictor",
        "Predictor",
        "trains, keeps and serves the prediction models",
        HealthKind.HTTP,
        ("predictor",),
        health_path="/healthz",
        after=("mongodb",),
        links=(Link("API", "predictor", "/docs"),),
        last=True,
    ),
    Service(
        "spark-predict",
        "Spark prediction job",
        "scores each reading with the promoted model",
        HealthKind.STATE_FILE,
        after=("spark-worker", "broker", "mongodb"),
        last=True,
    ),
)

#: Of the swarm: the same, a way in for paai's replicas and one for the pages, and more workers where they are wanted.
SWARM_SERVICES: Final[tuple[Service, ...]] = (
    *(replace(s, scalable=True, max_replicas=8) if s.name == "spark-worker" else s for s in SERVICES),
    Service(
        "gateway",
        "Gateway",
        "spreads requests over paai's replicas",
        HealthKind.HTTP,
        ("paai",),
        health_path="/healthz",
        after=("paai",),
    ),
    Service(
        "pages",
        "Web pages",
        "asks for a login before Connect's and Spark's pages",
        HealthKind.HTTP,
        ("connect", "spark_master_ui", "spark_worker_ui"),
        after=("connect", "spark-master"),
    ),
)

_BY_TARGET: Final = {"local": SERVICES, "swarm": SWARM_SERVICES}

#: Every service of any target.
BY_NAME: Final[dict[str, Service]] = {service.name: service for service in SWARM_SERVICES}

#: Of the local target, order of stopping: whoever feeds others goes first, so that nothing in flight is lost. Each group stops
#: at the same time.
STOP_ORDER: Final[tuple[tuple[str, ...], ...]] = (
    ("generator",),
    ("paai", "kafka-operator", "spark-job", "spark-predict", "predictor"),
    ("connect", "spark-worker"),
    ("spark-master", "broker"),
    ("mongodb", "zookeeper"),
)


def services_of(target: str) -> tuple[Service, ...]:
    """The services of "local" or "swarm", in start order."""
    return _BY_TARGET[target]


def find(name: str, target: str = "local") -> Service:
    """The service of that name.

    Raises:
        UnknownServiceError: the target has none.
    """
    known = {service.name: service for service in services_of(target)}
    try:
        return known[name]
    except KeyError:
        raise UnknownServiceError(f"There is no service {name!r}.", remedy=f"Services: {', '.join(known)}.") from None


def port_of(ports: Ports, name: str) -> int:
    """The port number of a property name of `Ports`."""
    number: int = getattr(ports, name)
    return number


def links_of(service: Service, ports: Ports, host: str = "127.0.0.1") -> tuple[tuple[str, str], ...]:
    """Label and address of the service's pages."""
    return tuple((link.label, f"http://{host}:{port_of(ports, link.port)}{link.path}") for link in service.links)
