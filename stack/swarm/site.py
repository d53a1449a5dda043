"""One deployment of the stack: on which engine, by which name, on which ports, and with which credentials."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from backend.contract.ports import Ports
from stack.errors import EngineUnreachableError, NotASwarmError
from stack.swarm import compose, hints, secrets
from stack.swarm.engine import Engine
from stack.swarm.secrets import Credentials
from stack.swarm.state import EngineInfo
from stack.swarm.store import CredentialStore

#: The overlay with several brokers, and the label that says on which node each of them belongs.
CLUSTER, BROKER_LABEL = "cluster", "paai.broker"
BROKERS = ("1", "2", "3")

#: On the command line instead of an overlay's name: the running stack may lose all that it has.
NO_OVERLAYS = "none"

#: The official image, and what stands in for it where it cannot be pulled.
OFFICIAL_MONGO, LITE_MONGO = "mongo:8.0", "paai-mongo-lite:latest"


@dataclass(frozen=True, slots=True)
class Site:
    """See the module.

    Attributes:
        ports: Published ones.
        folder: Where this user's own files of swarm deployments are.
        overlays: Names of overlays beside stack.yml.
        dropped: Names of overlays that a running stack may lose, or `NO_OVERLAYS` for all.
        consent: Whether the user has agreed to what such a deployment takes away.
    """

    engine: Engine
    ports: Ports
    folder: Path
    store: CredentialStore
    overlays: tuple[str, ...] = ()
    dropped: frozenset[str] = frozenset()
    consent: bool = False

    @property
    def stack(self) -> str:
        """``paai``, or ``paai-<offset>``: so two deployments on one swarm share nothing."""
        return stack_name(self.ports)

    @property
    def drops_all(self) -> bool:
        """Whether a running stack may lose every overlay."""
        return NO_OVERLAYS in self.dropped

    def drops(self, overlay: str) -> bool:
        """Whether a running stack may lose this overlay."""
        return self.drops_all or overlay in self.dropped

    @property
    def lock_file(self) -> Path:
        """One command at a time changes this deployment."""
        return self.folder / f"{self.stack}.lock"

    def full(self, service: str) -> str:
        """The service's name in the swarm."""
        return f"{self.stack}_{service}"

    def files(self) -> list[Path]:
        """stack.yml and the overlays."""
        return compose.files(self.overlays)

    @property
    def variables_file(self) -> Path:
        """What a deployment by hand needs to know: see `variables_text`. No secret is in it."""
        return self.folder / f"{self.stack}.env"

    def command(self, words: str) -> str:
        """What to type to have this very deployment do something."""
        return hints.command(self.stack, words, overlays=self.overlays)

    def keys(self, info: EngineInfo) -> list[str]:
        """Under which the credentials are kept."""
        identities = [("cluster", info.cluster_id), ("engine", info.engine_id)]
        return [f"{kind}-{_plain(identity)}-{self.stack}" for kind, identity in identities if identity]

    def credentials(self, info: EngineInfo | None = None) -> Credentials:
        """This user's copy; empty when nothing was deployed from here, or Docker cannot be asked."""
        try:
            return self.store.load(self.keys(info or self.engine.info()), renew=self.command("rotate all"))
        except (EngineUnreachableError, NotASwarmError):
            return Credentials()

    def mongo_image(self) -> tuple[str, str]:
        """Which image MongoDB is run from, and why."""
        if asked := os.environ.get("MONGO_IMAGE"):
            return asked, "MONGO_IMAGE says so."
        if self.engine.image(OFFICIAL_MONGO) is not None:
            return OFFICIAL_MONGO, ""
        if self.engine.image(LITE_MONGO) is not None:
            return (
                LITE_MONGO,
                f"The official image {OFFICIAL_MONGO} is not here; SecantusDB stands in (beta, for a first look and tests).",
            )
        return OFFICIAL_MONGO, "Not here yet."

    def variables(self, credentials: Credentials) -> dict[str, str]:
        """What stack.yml and the overlays take from the environment."""
        asked = {name: value for name, value in os.environ.items() if name.startswith(("PAAI_", "SPARK_"))}
        return {
            "PAAI_ADVERTISED_HOST": self.engine.host,
            **(self._of_brokers() if CLUSTER in self.overlays else {}),
            **asked,
            **compose.port_variables(self.files(), self.ports.offset),
            **credentials.variables(),
            "PAAI_STACK": self.stack,
            "MONGO_IMAGE": self.mongo_image()[0],
        }

    def variables_text(self, credentials: Credentials) -> str:
        """The variables with which `docker stack deploy` by hand does what the target would, as a shell reads them."""
        own = {name: value for name, value in self.variables(credentials).items() if os.environ.get(name) != value}
        return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(own.items()))

    def brokers(self) -> dict[str, str]:
        """Of the cluster: a broker's number → the address of the node that is labelled with it, as clients reach it."""
        return {
            number: self.engine.host if node.is_self else node.address
            for node in self.engine.nodes()
            if (number := node.labels.get(BROKER_LABEL)) is not None
        }

    def _of_brokers(self) -> dict[str, str]:
        return {
            "PAAI_BROKER_1_CONSTRAINT": f"node.labels.{BROKER_LABEL} == 1",
            # Not any manager: on another one volumes would be empty.
            "PAAI_DATA_CONSTRAINT": f"node.labels.{BROKER_LABEL} == 1",
            "PAAI_GENERATOR_CONSTRAINT": "node.platform.os == linux",
            **{f"PAAI_BROKER_{number}_HOST": host for number, host in self.brokers().items()},
        }

    def composition(self, credentials: Credentials | None = None) -> compose.Composition:
        """The files as they would be deployed."""
        return compose.read(self.files(), self.variables(credentials or _first_versions()))


def stack_name(ports: Ports) -> str:
    """See `Site.stack`."""
    return f"paai-{ports.offset}" if ports.offset else "paai"


def _first_versions() -> Credentials:
    return Credentials({name: secrets.Entry(1, "") for name in secrets.NAMES})


def _plain(identity: str) -> str:
    """An identity as part of a file's name."""
    return "".join(c if c.isalnum() else "-" for c in identity)[:48]
