"""`connector.Connect` over Connect's REST interface."""

from dataclasses import dataclass
from typing import Any, Protocol

import httpx


class ConnectUnavailableError(Exception):
    """Connect did not answer, is rebalancing, or refused; the message says which."""


@dataclass(frozen=True, slots=True)
class ConnectorStatus:
    """How a connector and its tasks stand.

    Attributes:
        state: RUNNING, FAILED, PAUSED, STOPPED, UNASSIGNED, RESTARTING.
        tasks: State of each task, by id.
        trace: The first line of a failure that people can use, or empty.
    """

    state: str
    tasks: dict[int, str]
    trace: str = ""

    @property
    def failed(self) -> bool:
        """Whether the connector or one of its tasks FAILED."""
        return self.state == "FAILED" or "FAILED" in self.tasks.values()

    @property
    def running(self) -> bool:
        """Whether the connector and at least one task run, and none does anything else."""
        return self.state == "RUNNING" and bool(self.tasks) and set(self.tasks.values()) == {"RUNNING"}


class Connect(Protocol):
    """The few things that the keeper asks of Connect. Each call is bounded and raises `ConnectUnavailableError` only."""

    def config(self, name: str) -> dict[str, str] | None:
        """The connector's configuration, or None where there is no such connector."""
        ...

    def put_config(self, name: str, config: dict[str, str]) -> None:
        """Create the connector or change it."""
        ...

    def status(self, name: str) -> ConnectorStatus | None:
        """How it stands, or None while Connect does not know yet."""
        ...

    def restart(self, name: str, *, only_failed: bool) -> None:
        """Restart the connector and its tasks."""
        ...

    def resume(self, name: str) -> None:
        """Resume a paused or stopped connector."""
        ...

    def stop(self, name: str) -> None:
        """Stop it: its tasks end, its configuration stays."""
        ...

    def forget_offsets(self, name: str) -> None:
        """Forget what a STOPPED connector has committed, so that it starts over."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


def reason(trace: str) -> str:
    """The innermost cause of a Java stack trace, in one line of at most 200 characters."""
    causes = [line for line in trace.splitlines() if line.strip() and not line.startswith(("\t", "    at", "  "))]
    line = causes[-1].removeprefix("Caused by: ") if causes else ""
    kind, _, text = line.partition(": ")
    return (text or kind)[:200]


class HttpConnect:
    """Blocking client; every failure is a `ConnectUnavailableError`."""

    def __init__(self, *, url: str, timeout_s: float, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(base_url=url, timeout=timeout_s, transport=transport, trust_env=False)

    def _call(self, method: str, path: str, *, missing_is_none: bool = False, **options: Any) -> Any:
        try:
            answer = self._http.request(method, path, **options)
            if answer.status_code == httpx.codes.NOT_FOUND and missing_is_none:
                return None
            if answer.status_code == httpx.codes.CONFLICT:
                raise ConnectUnavailableError("it is rebalancing")
            if answer.is_error:
                raise ConnectUnavailableError(_message(answer))
            return answer.json() if answer.content else {}
        except httpx.TimeoutException as error:
            raise ConnectUnavailableError("no answer in time") from error
        except httpx.HTTPError as error:
            raise ConnectUnavailableError(str(error) or type(error).__name__) from error
        except ValueError as error:
            raise ConnectUnavailableError("it answered something that is not JSON") from error

    def config(self, name: str) -> dict[str, str] | None:
        answer = self._call("GET", f"/connectors/{name}/config", missing_is_none=True)
        return None if answer is None else {str(k): str(v) for k, v in answer.items()}

    def put_config(self, name: str, config: dict[str, str]) -> None:
        self._call("PUT", f"/connectors/{name}/config", json=config)

    def status(self, name: str) -> ConnectorStatus | None:
        answer = self._call("GET", f"/connectors/{name}/status", missing_is_none=True)
        if answer is None:
            return None
        tasks = {int(task["id"]): str(task["state"]) for task in answer["tasks"]}
        traces = [part.get("trace", "") for part in (answer["connector"], *answer["tasks"])]
        return ConnectorStatus(str(answer["connector"]["state"]), tasks, next((reason(t) for t in traces if t), ""))

    def restart(self, name: str, *, only_failed: bool) -> None:
        query = {"includeTasks": "true", "onlyFailed": str(only_failed).lower()}
        self._call("POST", f"/connectors/{name}/restart", params=query)

    def resume(self, name: str) -> None:
        self._call("PUT", f"/connectors/{name}/resume")

    def stop(self, name: str) -> None:
        self._call("PUT", f"/connectors/{name}/stop")

    def forget_offsets(self, name: str) -> None:
        self._call("DELETE", f"/connectors/{name}/offsets")

    def close(self) -> None:
        self._http.close()


def _message(answer: httpx.Response) -> str:
    try:
        text = str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        text = answer.text
    return f"HTTP {answer.status_code}: {text.splitlines()[0][:300] if text else ''}"
