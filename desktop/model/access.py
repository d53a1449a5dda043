"""Addresses and the logins that go with them. Secrets are kept apart, so that showing an address never shows one. No Qt."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit, urlunsplit

from stack.catalogue import BY_NAME
from stack.target import Endpoints


@dataclass(frozen=True, slots=True)
class Login:
    """What an address asks for.

    Attributes:
        user: Name of the user; empty where a bearer token alone is asked for.
        secret: Password or token. Not in `repr`.
    """

    user: str
    secret: str = field(repr=False)

    @property
    def kind(self) -> str:
        """ "password" or "bearer token"."""
        return "password" if self.user else "bearer token"


@dataclass(frozen=True, slots=True)
class Access:
    """One way in.

    Attributes:
        title: For people.
        address: Without any secret.
        login: None where nothing is asked for.
    """

    title: str
    address: str
    login: Login | None = None


def access_of(endpoints: Endpoints) -> list[Access]:
    """Every way in, in the order of the data's way."""
    token, web = token_of(endpoints), web_login_of(endpoints)
    mongo, mongo_login = without_login(endpoints.mongo)
    kafka = Login(endpoints.kafka_user, endpoints.kafka_password) if endpoints.kafka_user and endpoints.kafka_password else None
    ways = [
        Access("Generator", endpoints.generator, token),
        Access("paai", endpoints.paai, token),
        Access("Kafka", endpoints.kafka, kafka),
        Access("Kafka Connect", endpoints.connect, web),
        Access("Spark", endpoints.spark_ui, web),
        Access("MongoDB", mongo, mongo_login),
    ]
    if endpoints.predictor:
        ways.append(Access("Predictor", endpoints.predictor, predictor_token_of(endpoints)))
    return ways


def link_login(service: str, label: str, endpoints: Endpoints) -> Login | None:
    """What the page behind a service's link asks for; None for nothing, or where it is not known."""
    known = BY_NAME.get(service)
    port = next((link.port for link in known.links if link.label == label), None) if known else None
    if port is None:
        return None
    if port in BY_NAME["pages"].ports:
        return web_login_of(endpoints)
    return predictor_token_of(endpoints) if service == "predictor" else token_of(endpoints)


def token_of(endpoints: Endpoints) -> Login | None:
    """The bearer token of paai, generator and predictor."""
    return Login("", endpoints.token) if endpoints.token else None


def predictor_token_of(endpoints: Endpoints) -> Login | None:
    """The bearer token that opens all of the predictor: the admin token where there is one."""
    return Login("", endpoints.admin_token) if endpoints.admin_token else token_of(endpoints)


def web_login_of(endpoints: Endpoints) -> Login | None:
    """The login of the web pages."""
    return Login(endpoints.web_user, endpoints.web_password) if endpoints.web_user and endpoints.web_password else None


def without_login(address: str) -> tuple[str, Login | None]:
    """A URI without the user and password in it, and these."""
    parts = urlsplit(address)
    login, at, host = parts.netloc.rpartition("@")
    if not at:
        return address, None
    user, _, password = login.partition(":")
    return urlunsplit(parts._replace(netloc=host)), Login(unquote(user), unquote(password))
