"""Addresses and credentials of a deployment, for the desktop and the command line."""

from backend.contract.login import Login, parse_login, with_login
from stack.swarm import secrets
from stack.swarm.secrets import Credentials
from stack.swarm.site import CLUSTER, Site
from stack.target import Endpoints


def of(site: Site, credentials: Credentials) -> Endpoints:
    """What clients need. Without credentials there is no login in it."""
    host, ports = site.engine.host, site.ports
    kafka, web = login(credentials, secrets.KAFKA_CLIENT), login(credentials, secrets.WEB_LOGIN)
    reader = login(credentials, "mongo_desktop")
    mongo = f"mongodb://{bracketed(host)}:{ports.mongo}/?directConnection=true"
    return Endpoints(
        paai=f"http://{bracketed(host)}:{ports.paai}",
        generator=f"http://{bracketed(host)}:{ports.generator}",
        kafka=_bootstrap(site),
        mongo=with_login(mongo, reader) if reader else mongo,
        connect=f"http://{bracketed(host)}:{ports.connect}",
        spark_ui=f"http://{bracketed(host)}:{ports.spark_master_ui}",
        token=token(credentials),
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


def token(credentials: Credentials) -> str | None:
    """The bearer token that clients send: the first of those that are accepted."""
    entry = credentials.entries.get(secrets.TOKEN)
    return entry.value.split("\n", 1)[0].strip() or None if entry else None


def login(credentials: Credentials, name: str) -> Login | None:
    """One of the logins."""
    entry = credentials.entries.get(name)
    return parse_login(entry.value) if entry and entry.value else None


def bracketed(host: str) -> str:
    """As it stands in a URL."""
    return f"[{host}]" if ":" in host else host
