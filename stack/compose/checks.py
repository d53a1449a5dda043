"""The rules of this project that a stack must keep, beyond what the format asks for."""

from collections.abc import Iterator
from typing import Final

from backend.contract import ports
from stack.compose.models import Service, Stack

#: Container ports that may be published: each asks for credentials. MongoDB, Kafka's second listener, paai, the generator, and
#: web pages behind the login of `pages`.
PUBLISHABLE: Final = frozenset(
    {
        ("gateway", ports.PAAI),
        ("generator", ports.GENERATOR),
        ("predictor", ports.PREDICTOR),
        ("mongodb", ports.MONGO),
        *(("pages", port) for port in (ports.CONNECT, ports.SPARK_MASTER_UI, ports.SPARK_WORKER_UI)),
        *(("pages", port) for port in (ports.MONGO_EXPRESS, ports.CONTROL_CENTER)),
        *((broker, ports.KAFKA) for broker in ("broker", "broker-2", "broker-3")),
    }
)
#: stack.yml alone must fit on a machine with 8 GiB.
MEMORY_LIMIT: Final = 6 * 1024**3
#: The only one whose replicas may overlap: it keeps nothing and publishes nothing.
START_FIRST: Final = frozenset({"paai"})
#: Somebody else's image that renders its configuration beside its programs.
WRITES_INTO_ITSELF: Final = frozenset({"control-center"})
#: Kafka, Spark and MongoDB write their state whole when they are given the time.
SLOW_TO_STOP_S: Final = 30.0
_SLOW_TO_STOP: Final = frozenset(
    {"zookeeper", "broker", "broker-2", "broker-3", "mongodb", "mongodb-2", "mongodb-3", "connect", "spark-worker"}
    | {"spark-job", "spark-predict"}
)
#: Words that have no place in the name of a variable which holds its value itself.
_SECRET_WORDS: Final = ("PASSWORD", "TOKEN", "SECRET", "LOGIN")


def problems(stack: Stack) -> list[str]:
    """One sentence for each rule that is broken; empty when all are kept."""
    found = [f"{name}: {text}" for name, service in stack.services.items() for text in _service(name, service, stack)]
    published: dict[int, str] = {}
    for name, service in stack.services.items():
        for port in service.ports:
            if port.published in published:
                found.append(f"{name}: port {port.published} is published by {published[port.published]} already.")
            published[port.published] = name
    return found


def memory_bytes(stack: Stack) -> int:
    """The limits of all containers, added up."""
    return sum(
        service.deploy.resources.limits.memory * service.deploy.count
        for service in stack.services.values()
        if service.deploy.resources.limits is not None
    )


def _service(name: str, service: Service, stack: Stack) -> Iterator[str]:
    deploy = service.deploy
    if deploy.endpoint_mode != "dnsrr":
        yield "endpoint_mode is not dnsrr; virtual addresses carry nothing on kernels without IP_VS."
    if service.networks != ["paai"]:
        yield "it is not on the network paai alone."
    if service.healthcheck is None:
        yield "it has no healthcheck."
    if deploy.resources.limits is None:
        yield "it has no memory limit."
    if deploy.restart_policy is None or deploy.restart_policy.condition != "any":
        yield "it is not started again whatever ended it."
    if service.logging is None or not {"max-size", "max-file"} <= service.logging.options.keys():
        yield "its log is not rotated."
    if service.stop_grace_period is None:
        yield "it has no stop_grace_period."
    elif name in _SLOW_TO_STOP and service.stop_grace_period < SLOW_TO_STOP_S:
        yield f"it needs {SLOW_TO_STOP_S:.0f} s and more to stop."
    if (not service.read_only and name not in WRITES_INTO_ITSELF) or "ALL" not in service.cap_drop:
        yield "its root file system is not read-only, or it keeps capabilities."
    yield from _ports(name, service)
    yield from _updates(name, service)
    for variable in service.environment:
        if any(word in variable for word in _SECRET_WORDS) and not variable.endswith(("_FILE", "_DIR", "_USERNAME")):
            yield f"{variable} would hold a credential in the environment."
    for use in service.secrets:
        if use.source not in stack.secrets:
            yield f"the secret {use.source} is not declared."
    for mount in service.volumes:
        if mount.source is not None and mount.source not in stack.volumes:
            yield f"the volume {mount.source} is not declared."
        if mount.source is not None and not deploy.placement.constraints and deploy.replicas != 0:
            yield f"the volume {mount.source} is of one node, and nothing keeps the service there."


def _ports(name: str, service: Service) -> Iterator[str]:
    for port in service.ports:
        if port.mode != "host":
            yield f"port {port.published} is published by the ingress mesh; it carries nothing on kernels without IP_VS."
        if (name, port.target) not in PUBLISHABLE:
            yield f"port {port.target} is published, and asks nobody for credentials."


def _updates(name: str, service: Service) -> Iterator[str]:
    update = service.deploy.update_config
    if update is None or update.failure_action != "rollback":
        yield "a failed update is not rolled back."
    elif (update.order == "start-first") != (name in START_FIRST):
        yield f"its update is {update.order}."
