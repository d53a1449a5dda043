"""Entry points of the gateway in front of paai and of the one in front of the web pages, both HAProxy."""

from collections.abc import Mapping
from typing import Final

from backend.contract import ports
from stack.container.environment import RUN_DIR, Environment, SettingError

HAPROXY: Final = "/usr/sbin/haproxy"
#: Where either gateway says that it is alive; inside the container only.
ALIVE_PORT: Final = 8404
#: Of paai; more cannot be scaled to (`stack.catalogue`).
MAX_REPLICAS: Final = 16

#: Port of each page → service and port behind it.
PAGES: Final[Mapping[int, tuple[str, int]]] = {
    ports.CONNECT: ("connect", ports.CONNECT),
    ports.SPARK_MASTER_UI: ("spark-master", ports.SPARK_MASTER_UI),
    ports.SPARK_WORKER_UI: ("spark-worker", ports.SPARK_WORKER_UI),
    ports.MONGO_EXPRESS: ("mongo-express", ports.MONGO_EXPRESS),
    ports.CONTROL_CENTER: ("control-center", ports.CONTROL_CENTER),
}

_COMMON: Final = """\
global
    # What becomes of servers it says on stderr anyway.
    log stdout format raw local0 err
    maxconn 4096
    # Told to stop (SIGUSR1) it takes no new connections and ends those that it has after their request.
    hard-stop-after 8s
    nbthread 2

# Docker's own name server. A task is taken out of it before it is told to stop, so what it no longer names must be forgotten
# before that task's drain is over.
resolvers docker
    nameserver dns 127.0.0.11:53
    accepted_payload_size 8192
    resolve_retries 3
    timeout resolve 1s
    timeout retry 500ms
    hold valid 1s
    hold obsolete 0s
    hold other 5s
    hold refused 5s
    hold nx 1s
    hold timeout 5s

defaults
    mode http
    log global
    option dontlognull
    option redispatch
    timeout connect 2s
    # Longer than paai lets a quiet client wait (75 s), so that it is never the gateway that drops a connection in use.
    timeout client 90s
    timeout http-request 30s
    timeout http-keep-alive 90s
    default-server init-addr none resolvers docker resolve-prefer ipv4 check inter 1s fall 2 rise 1

frontend alive
    bind 127.0.0.1:{alive}
    monitor-uri /healthz

"""

_GATEWAY: Final = """\
frontend paai
    bind :{port}
    default_backend paai

backend paai
    balance leastconn
    # Longer than paai waits for Kafka or for a query.
    timeout server 60s
    option httpchk GET /healthz
    # A replica whose node was cut off says nothing any more: found out within seconds, not after the server's timeout.
    option srvtcpka
    srvtcpka-idle 3s
    srvtcpka-intvl 1s
    srvtcpka-cnt 3
    # A reading's identity makes repeating safe, so whatever was not answered goes to another replica.
    retries 3
    retry-on conn-failure empty-response response-timeout
    http-reuse safe
    server-template paai {replicas} tasks.paai:{port} maxconn 512 tcp-ut 5s
"""

_PAGE: Final = """\
frontend page-{port}
    bind :{port}
    http-request auth realm PAAI unless {{ http_auth(people) }}
    # The page behind has no use for the login, and must not log it.
    http-request del-header Authorization
    default_backend page-{port}

backend page-{port}
    timeout server 60s
    server {service} {service}:{target}

"""


def gateway(_environment: Environment) -> tuple[str, ...]:
    """The command of the gateway in front of paai. It passes the bearer token on and knows none."""
    return _command("gateway", _COMMON.format(alive=ALIVE_PORT) + _GATEWAY.format(port=ports.PAAI, replicas=MAX_REPLICAS))


def pages(environment: Environment) -> tuple[str, ...]:
    """The command of the gateway in front of the web pages, which asks for the login in PAAI_WEB_LOGIN_FILE.

    Raises:
        SettingError: there is no login: the pages have none of their own.
    """
    login = environment.login("PAAI_WEB_LOGIN_FILE")
    if login is None:
        raise SettingError("PAAI_WEB_LOGIN_FILE must be set: the pages behind it have no login of their own")
    people = f"userlist people\n    user {login.user} insecure-password {login.password}\n\n"
    every = "".join(_PAGE.format(port=port, service=name, target=target) for port, (name, target) in PAGES.items())
    return _command("pages", _COMMON.format(alive=ALIVE_PORT) + people + every)


def _command(name: str, configuration: str) -> tuple[str, ...]:
    path = RUN_DIR / f"{name}.cfg"
    path.touch(mode=0o600)
    path.write_text(configuration, "ascii")
    return (HAPROXY, "-W", "-db", "-f", str(path))
