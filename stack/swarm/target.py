"""`stack.target.Target` on a Docker swarm."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager

from stack import catalogue, lock
from stack.errors import NotRunningError, StackError, UnknownServiceError
from stack.swarm import endpoints, logs, preflight
from stack.swarm.build import build
from stack.swarm.down import Down
from stack.swarm.operations import reset_job, restart_service, scale_service
from stack.swarm.rotate import Rotation
from stack.swarm.site import Site
from stack.swarm.status import StatusReader, history
from stack.swarm.up import Up
from stack.target import Check, Endpoints, HistoryEntry, LogLine, Plan, PlanItem, ServiceStatus, Step


class SwarmTarget:
    """See `stack.target.Target`. Any thread may call; commands that change something exclude one another by a file lock."""

    def __init__(self, site: Site, *, reason: str = "Asked for.") -> None:
        """
        Args:
            reason: Why this target was chosen, for people.
        """
        self._site, self._reason = site, reason
        self._status = StatusReader(site)

    @property
    def name(self) -> str:
        """Always "swarm"."""
        return "swarm"

    @property
    def site(self) -> Site:
        """Where and how it deploys."""
        return self._site

    def plan(self) -> Plan:
        """See `Target.plan`."""
        image, why = self._site.mongo_image()
        composition = self._site.composition()
        items = []
        for service in catalogue.services_of("swarm"):
            if service.name not in composition.images:
                continue
            number = composition.replicas.get(service.name, 1)
            how = "one on each node" if number is None else f"{number} {'replica' if number == 1 else 'replicas'}"
            if service.name == "mongodb":
                how = image
            port = next((port for port, name in composition.ports.items() if name == service.name), None)
            items.append(PlanItem(service.name, service.role, how, why if service.name == "mongodb" else "", port))
        return Plan("swarm", self._site.engine.where, self._reason, tuple(items))

    def preflight(self) -> list[Check]:
        """See `Target.preflight`."""
        return preflight.run_checks(self._site)

    def fix(self, action: str, *, cancel: threading.Event | None = None) -> Iterator[Step]:
        """See `Target.fix`."""
        if action == preflight.SWARM_INIT:
            yield from preflight.switch_on(self._site)
        elif action == preflight.BUILD:
            yield from self.build(cancel=cancel)
        else:
            raise UnknownServiceError(f"There is nothing to do by the name {action!r}.")

    def build(self, *, base: str | None = None, cancel: threading.Event | None = None) -> Iterator[Step]:
        """Build the images and make the credentials, so that `up` starts at once and `docker stack deploy` works by hand."""
        with self._locked("build"):
            yield from build(self._site, base=base, cancel=cancel)

    def up(self, *, cancel: threading.Event | None = None) -> Iterator[Step]:
        """See `Target.up`."""
        with self._locked("up"):
            yield from Up(self._site, preflight=self.preflight, cancel=cancel).run()

    def status(self) -> list[ServiceStatus]:
        """See `Target.status`."""
        return self._status.read()

    def logs(self, service: str, *, lines: int = 200, follow: threading.Event | None = None) -> Iterator[LogLine]:
        """See `Target.logs`."""
        self._known(service)
        engine, stack = self._site.engine, self._site.stack
        try:
            if follow is None:
                yield from logs.read(engine, stack, service, lines=lines)
            else:
                yield from logs.follow(engine, stack, service, lines=lines, stop=follow)
        except NotRunningError as error:
            raise NotRunningError(error.what, remedy=f"Type: {self._site.command('up')}") from None

    def scale(self, service: str, replicas: int) -> Iterator[Step]:
        """See `Target.scale`."""
        with self._locked("scale"):
            yield from scale_service(self._site, service, replicas)

    def restart(self, service: str) -> Iterator[Step]:
        """See `Target.restart`."""
        with self._locked("restart"):
            yield from restart_service(self._site, service)

    def reset(self, service: str) -> Iterator[Step]:
        """Start a Spark job anew without its checkpoint: the way out when its topic was wiped."""
        with self._locked("reset"):
            yield from reset_job(self._site, service)

    def rotate(self, what: str) -> Iterator[Step]:
        """New credentials without downtime.

        Args:
            what: "token", "admin", "mongo", "kafka", "web", "root" or "all".
        """
        with self._locked("rotate"):
            yield from Rotation(self._site, what).run()

    def history(self, service: str) -> list[HistoryEntry]:
        """See `Target.history`."""
        self._known(service)
        return history(self._site, service)

    def down(self, *, purge: bool = False) -> Iterator[Step]:
        """See `Target.down`."""
        with self._locked("down"):
            yield from Down(self._site, purge=purge).run()

    def endpoints(self) -> Endpoints:
        """See `Target.endpoints`."""
        return endpoints.of(self._site, self._site.credentials())

    def is_up(self) -> bool:
        """See `Target.is_up`."""
        return bool(self._site.engine.state(self._site.stack).services)

    def _known(self, service: str) -> None:
        if service not in catalogue.BY_NAME and self._site.engine.state(self._site.stack).find(service) is None:
            catalogue.find(service, "swarm")

    def _locked(self, doing: str) -> AbstractContextManager[None]:
        try:
            self._site.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        except OSError as error:
            raise StackError(
                f"{self._site.folder} cannot be made", why=f"{error.strerror}.", remedy="Name another folder with --data-dir."
            ) from error
        return lock.held(self._site.lock_file, doing, whose=f"stack {self._site.stack}")
