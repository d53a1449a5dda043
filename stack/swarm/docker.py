"""`engine.Engine` by Docker's client, driven with python-on-whales.

Its listing calls run the client once an object; here one call inspects all, since a stack has dozens of tasks and is looked at
every second. Each command is bounded by coreutils' `timeout`, which also keeps Ctrl+C from ending one half-way.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from python_on_whales import DockerClient
from python_on_whales.client_config import ClientNotFoundError
from python_on_whales.exceptions import DockerException
from python_on_whales.utils import run

from stack.errors import EngineError, EngineTimeoutError
from stack.swarm import parse, stream
from stack.swarm.secrets import parse_name
from stack.swarm.state import NAMESPACE_LABEL, EngineInfo, Image, Node, SecretInfo, StackState
from stack.swarm.trouble import no_docker, translate
from stack.tied import tied

CALL_TIMEOUT_S: Final = 20.0
#: The client sends every service by itself; a busy manager takes its time.
DEPLOY_TIMEOUT_S: Final = 120.0


class DockerEngine:
    """See `engine.Engine`.

    Args:
        context: Name of a Docker context; None takes what DOCKER_HOST, DOCKER_CONTEXT or `docker context use` say.
        host: Address of an engine, instead.
        timeout_s: Bound of an ordinary call.
    """

    def __init__(self, *, context: str | None = None, host: str | None = None, timeout_s: float = CALL_TIMEOUT_S) -> None:
        if shutil.which("docker") is None:
            raise no_docker()
        self._context, self._host, self._timeout_s = context, host, timeout_s
        self._address: str | None = None

    # Where it is

    @property
    def where(self) -> str:
        """See `Engine.where`."""
        if self._context:
            return f"Docker context {self._context}"
        return "Docker on this machine" if self.is_local else f"Docker on {self.host}"

    @property
    def address(self) -> str:
        """``unix:///var/run/docker.sock``."""
        if self._address is None:
            self._address = self._host or self._find_address()
        return self._address

    @property
    def is_local(self) -> bool:
        """See `Engine.is_local`."""
        return self.address.startswith(("unix:", "npipe:", "fd:"))

    @property
    def host(self) -> str:
        """See `Engine.host`."""
        return "127.0.0.1" if self.is_local else (urlsplit(self.address).hostname or "127.0.0.1")

    @property
    def command(self) -> tuple[str, ...]:
        """See `Engine.command`."""
        return tuple(self._command(None))

    def _find_address(self) -> str:
        if self._context is None and (from_environment := os.environ.get("DOCKER_HOST")):
            return from_environment
        found = self._json("read its contexts", "context", "inspect", *([self._context] if self._context else []))
        return str(found[0]["Endpoints"]["docker"]["Host"])

    # Reading

    def info(self) -> EngineInfo:
        """See `Engine.info`."""
        document = self._json("answer", "info", "--format", "{{json .}}")
        if errors := document.get("ServerErrors"):  # older clients report them here and succeed
            raise translate("answer", 1, " ".join(errors), timeout_s=self._timeout_s)
        return parse.info(document)

    def state(self, stack: str) -> StackState:
        """See `Engine.state`."""
        documents = self._services(stack)
        if not documents:
            return StackState()
        wanted = {document["ID"]: document["Spec"]["TaskTemplate"] for document in documents}
        listed = self._left("list tasks", "service", "ps", "--quiet", "--no-trunc", *wanted).split()
        tasks = json.loads(self._left("look at tasks", "inspect", "--type", "task", *listed) or "[]") if listed else []
        services = tuple(parse.service(document, stack) for document in documents)
        return StackState(services, tuple(parse.task(t, wanted.get(t["ServiceID"])) for t in tasks))

    def _services(self, stack: str | None) -> list[dict[str, Any]]:
        label = ["--filter", f"label={NAMESPACE_LABEL}={stack}"] if stack else []
        ids = self._run("list services", "service", "ls", "--quiet", *label).split()
        found: list[dict[str, Any]] = (
            json.loads(self._left("look at services", "service", "inspect", *ids) or "[]") if ids else []
        )
        return found

    def nodes(self) -> list[Node]:
        """See `Engine.nodes`."""
        ids = self._run("list nodes", "node", "ls", "--quiet").split()
        documents = self._json("look at nodes", "node", "inspect", *ids)
        me = self.info().node_id
        return [parse.node(document, self_id=me) for document in documents]

    def published_ports(self) -> dict[int, str]:
        """See `Engine.published_ports`."""
        return {port: str(d["Spec"]["Name"]) for d in self._services(None) for port in parse.published(d)}

    def networks(self, stack: str) -> list[str]:
        """See `Engine.networks`."""
        return self._names("networks", "network", "ls", stack, "{{.Name}}")

    def volumes(self, stack: str) -> list[str]:
        """See `Engine.volumes`."""
        return self._names("volumes", "volume", "ls", stack, "{{.Name}}")

    def containers(self, stack: str) -> list[str]:
        """See `Engine.containers`."""
        return self._names("containers", "ps", "--all", stack, "{{.Names}}")

    def _names(self, what: str, group: str, verb: str, stack: str, form: str) -> list[str]:
        label = f"label={NAMESPACE_LABEL}={stack}"
        return self._run(f"list {what}", group, verb, "--filter", label, "--format", form).split()

    def secrets(self, stack: str) -> list[SecretInfo]:
        """See `Engine.secrets`."""
        # By name and not by label: those that somebody made by hand have none.
        named = self._run("list secrets", "secret", "ls", "--filter", f"name={stack}_", "--format", "{{.Name}}").split()
        mine = [name for name in named if parse_name(name, stack) is not None]
        documents = json.loads(self._left("look at secrets", "secret", "inspect", *mine) or "[]") if mine else []
        return [SecretInfo(d["Spec"]["Name"], dict(d["Spec"].get("Labels") or {})) for d in documents]

    def image(self, reference: str) -> Image | None:
        """See `Engine.image`."""
        try:
            return parse.image(self._json("look at an image", "image", "inspect", reference, raw=True)[0])
        except DockerException:  # with `raw`: there is none
            return None

    def was_oom_killed(self, container_id: str) -> bool | None:
        """See `Engine.was_oom_killed`."""
        try:
            answer = self._run("look", "container", "inspect", "--format", "{{.State.OOMKilled}}", container_id, raw=True)
        except DockerException:
            return None
        return answer.strip() == "true"

    def check_outputs(self, container_ids: Sequence[str]) -> dict[str, str]:
        """See `Engine.check_outputs`."""
        form = "{{.Id}} {{json .State.Health}}"
        lines = self._left("look at health checks", "container", "inspect", "--format", form, *container_ids).splitlines()
        found = (line.partition(" ") for line in lines if line.strip())
        return {container: parse.check_output(health) for container, _, health in found}

    def memory(self, stack: str) -> dict[str, int]:
        """See `Engine.memory`."""
        ids = self._names("containers", "ps", "--no-trunc", stack, "{{.Names}}")
        if not ids:
            return {}
        used: dict[str, int] = {}
        form = "{{.Name}} {{.MemUsage}}"
        for line in self._run("measure memory", "stats", "--no-stream", "--format", form, *ids).splitlines():
            name, amount, *_ = line.split()
            service = name.removeprefix(f"{stack}_").split(".")[0]
            used[service] = used.get(service, 0) + stream.to_bytes(amount)
        return used

    # Changing

    def swarm_init(self, address: str) -> None:
        """See `Engine.swarm_init`."""
        with self._told("switch on swarm mode", CALL_TIMEOUT_S * 3):
            self._client(CALL_TIMEOUT_S * 3).swarm.init(advertise_address=address)

    def deploy(self, stack: str, files: Sequence[Path], variables: Mapping[str, str]) -> None:
        """See `Engine.deploy`."""
        named = [argument for file in files for argument in ("--compose-file", str(file))]
        self._run(
            "deploy the stack",
            *("stack", "deploy", "--prune", "--resolve-image", "never", *named, stack),
            variables=dict(variables),
            timeout_s=DEPLOY_TIMEOUT_S,
        )

    def remove_stack(self, stack: str) -> None:
        """See `Engine.remove_stack`."""
        with self._told("remove the stack", DEPLOY_TIMEOUT_S):
            self._client(DEPLOY_TIMEOUT_S).stack.remove(stack)

    def remove_service(self, full_name: str) -> None:
        """See `Engine.remove_service`."""
        self._run(f"remove {full_name}", "service", "rm", full_name)

    def scale(self, full_name: str, replicas: int) -> None:
        """See `Engine.scale`."""
        self._run(f"scale {full_name}", "service", "update", "--detach", "--replicas", str(replicas), full_name)

    def force_update(self, full_name: str) -> None:
        """See `Engine.force_update`."""
        self._run(f"restart {full_name}", "service", "update", "--detach", "--force", full_name)

    def remove_volume(self, name: str) -> None:
        """See `Engine.remove_volume`."""
        self._run(f"remove the volume {name}", "volume", "rm", name)

    def create_secret(self, name: str, value: str, labels: Mapping[str, str]) -> None:
        """See `Engine.create_secret`. By stdin: a command line can be read by everybody, a file may stay behind."""
        marks = [part for key, text in labels.items() for part in ("--label", f"{key}={text}")]
        self._run(f"keep the secret {name}", "secret", "create", *marks, name, "-", stdin=value)

    def remove_secret(self, name: str) -> None:
        """See `Engine.remove_secret`."""
        self._run(f"remove the secret {name}", "secret", "rm", name)

    def pull(self, reference: str, *, timeout_s: float) -> None:
        """See `Engine.pull`."""
        self._run(f"pull {reference}", "pull", "--quiet", reference, timeout_s=timeout_s)

    # Logs

    def logs(self, reference: str, *, lines: int) -> list[str]:
        """See `Engine.logs`."""
        command = ["service", "logs", "--timestamps", "--no-trunc", "--tail", str(lines), reference]
        with self._told("read a log", self._timeout_s):
            # The client writes what a container wrote to stderr on its own stderr.
            return stream.both(self._command(self._timeout_s) + command)

    def follow_logs(self, full_name: str, *, lines: int, stop: threading.Event) -> Iterator[str]:
        """See `Engine.follow_logs`."""
        command = ["service", "logs", "--timestamps", "--no-trunc", "--follow", "--tail", str(lines), full_name]
        with self._told("follow a log", self._timeout_s):
            yield from stream.follow(tied(self._command(None) + command), stop)

    # How

    def _client(self, timeout_s: float | None) -> DockerClient:
        bound = shutil.which("timeout") if timeout_s is not None else None
        call = [bound, "--kill-after=2", f"{timeout_s:.0f}", "docker"] if bound else ["docker"]
        return DockerClient(context=self._context, host=self._host, client_call=call, client_type="docker")

    def _command(self, timeout_s: float | None) -> list[str]:
        return [str(part) for part in self._client(timeout_s).client_config.docker_cmd]

    def _run(
        self,
        doing: str,
        *arguments: str,
        stdin: str | None = None,
        variables: dict[str, str] | None = None,
        timeout_s: float | None = None,
        raw: bool = False,
    ) -> str:
        """The command's output.

        Args:
            doing: For people, should it fail: "Docker could not …".
            raw: Leave python-on-whales' own exceptions of "there is no such …" as they are.
        """
        bound = timeout_s or self._timeout_s
        with self._told(doing, bound, raw=raw):
            return str(
                run(
                    self._command(bound) + list(arguments),
                    input=(stdin or "").encode(),  # never the terminal's
                    env=variables or {},
                )
            )

    def _left(self, doing: str, *arguments: str) -> str:
        """The output about those of several objects that are still there: the swarm forgets tasks at any time."""
        try:
            return self._run(doing, *arguments, raw=True)
        except DockerException as error:  # with `raw`: some are gone
            return error.stdout or ""

    def _json(self, doing: str, *arguments: str, raw: bool = False) -> Any:
        """The command's output, which is JSON."""
        answer = self._run(doing, *arguments, raw=raw)
        try:
            return json.loads(answer)
        except ValueError as error:
            raise EngineError(
                f"Docker's answer is not understood ({doing})",
                why=f"It begins with {answer[:80]!r}.",
                remedy="See `docker version`.",
            ) from error

    @contextlib.contextmanager
    def _told(self, doing: str, timeout_s: float, *, raw: bool = False) -> Iterator[None]:
        """What python-on-whales raises, in the words of `stack.errors`."""
        try:
            yield
        except ClientNotFoundError:
            raise no_docker() from None
        except DockerException as error:
            if raw and _is_missing(error):
                raise
            # Not `from error`: its text repeats everything that the client printed.
            raise translate(doing, error.return_code, error.stderr or "", timeout_s=timeout_s) from None
        except subprocess.TimeoutExpired as error:
            raise EngineTimeoutError(f"Docker did not {doing} within {timeout_s:.0f} s") from error


def _is_missing(error: DockerException) -> bool:
    words = (error.stderr or "").lower()
    return "no such" in words or re.search(r"(task|service|secret) \S+ not found", words) is not None
