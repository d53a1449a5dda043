"""Addresses and credentials of a deployment, for the desktop and the command line."""

from backend.contract.login import Login, parse_login, with_login
from stack.errors import StackError
from stack.swarm import secrets
from stack.swarm.secrets import Credentials
from stack.swarm.site import CLUSTER, Site
from stack.target import Endpoints


def of(site: Site, credentials: Credentials) -> Endpoints:
    """What clients need. Without credentials there is no login in it."""
    ports = site.ports
    hosts = _hosts(site)

    def url(service: str, port: int) -> str:
        return f"http://{bracketed(hosts.get(service, site.engine.host))}:{port}"

    kafka, web = login(credentials, secrets.KAFKA_CLIENT), login(credentials, secrets.WEB_LOGIN)
    reader = login(credentials, "mongo_desktop")
    mongo = f"mongodb://{bracketed(hosts.get('mongodb', site.engine.host))}:{ports.mongo}/?directConnection=true"
    return Endpoints(
        paai=url("gateway", ports.paai),
        generator=url("generator", ports.generator),
        predictor=url("predictor", ports.predictor),
        kafka=_bootstrap(site),
        mongo=with_login(mongo, reader) if reader else mongo,
        connect=url("pages", ports.connect),
        spark_ui=url("pages", ports.spark_master_ui),
        token=token(credentials, secrets.TOKEN),
        admin_token=token(credentials, secrets.ADMIN_TOKEN) or "",
        kafka_user=kafka.user if kafka else None,
        kafka_password=kafka.password if kafka else None,
        web_user=web.user if web else None,
        web_password=web.password if web else None,
    )


def _bootstrap(site: Site) -> str:
    """Addresses of all brokers: any one that answers tells of the others."""
    if CLUSTER not in site.overlays:
        return f"{bracketed(site.engine.host)}:{site.ports.kafka}"
    # As the overlay numbers them: 9092, 9192, 9292.
    return ",".join(
        f"{bracketed(host)}:{site.ports.kafka + 100 * (int(number) - 1)}" for number, host in sorted(site.brokers().items())
    )


def _hosts(site: Site) -> dict[str, str]:
    """Where services are that publish their port on the node that they run on, and that is another than the engine's own.

    A service that does not run is not among them, nor is any where the engine does not tell.
    """
    try:
        others = {node.id: node.address for node in site.engine.nodes() if not node.is_self and node.address}
        if not others:
            return {}
        state = site.engine.state(site.stack)
    except StackError:
        return {}
    found = {}
    for service in state.services:
        places = {task.node_id for task in state.tasks_of(service) if task.state == "running" and task.desired == "running"}
        if len(places) == 1 and (place := places.pop()) in others:
            found[service.name] = others[place]
    return found


def token(credentials: Credentials, name: str) -> str | None:
    """The bearer token that clients send: the first of those that are accepted."""
    entry = credentials.entries.get(name)
    return entry.value.split("\n", 1)[0].strip() or None if entry else None


def login(credentials: Credentials, name: str) -> Login | None:
    """One of the logins."""
    entry = credentials.entries.get(name)
    return parse_login(entry.value) if entry and entry.value else None


def bracketed(host: str) -> str:
    """As it stands in a URL."""
    return f"[{host}]" if ":" in host else host
