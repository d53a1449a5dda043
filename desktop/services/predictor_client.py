"""The predictor's HTTP interface: models and trainings."""

from collections.abc import Sequence
from typing import Any

import httpx
import msgspec

from backend.contract import times
from desktop.model.predictor.card import Models, Version
from desktop.model.predictor.training import Training
from desktop.services.errors import UnauthorisedError
from desktop.services.http import HttpClient


class _Jobs(msgspec.Struct):
    jobs: list[Training]


class _Started(msgspec.Struct):
    job: str


class _Promoted(msgspec.Struct):
    promoted: str


class PredictorClient:
    """Blocking calls, at most `timeout_s` each. Times are seconds since the epoch; None = earliest, or now.

    Args:
        base_url: ``http://127.0.0.1:8001``.
        token: The admin token where there is one, else the token of all services.
        timeout_s: Bound of a call; a model that is promoted is read and checked first.
        transport: Another transport, for tests.

    Raises (all calls): ServiceError.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        timeout_s: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = HttpClient(name="The predictor", base_url=base_url, token=token, timeout_s=timeout_s, transport=transport)

    def models(self) -> Models:
        """Every version with its card, the newest first."""
        return self._http.decode(self._ask("GET", "/api/v1/models"), Models)

    def model(self, version: str) -> Version:
        """One version with its card."""
        return self._http.decode(self._ask("GET", f"/api/v1/models/{version}"), Version)

    def train(self, *, start: float | None = None, end: float | None = None, sensors: Sequence[str] = ()) -> str:
        """Begin a training on start ≤ t < end; no sensors = all. Returns the name of its job."""
        body: dict[str, Any] = {}
        if start is not None:
            body["from"] = times.to_iso(round(start * 1000))
        if end is not None:
            body["to"] = times.to_iso(round(end * 1000))
        if sensors:
            body["sensors"] = list(sensors)
        return self._http.decode(self._ask("POST", "/api/v1/models", body), _Started).job

    def jobs(self) -> list[Training]:
        """The trainings since the predictor's start, the newest first."""
        return self._http.decode(self._ask("GET", "/api/v1/jobs"), _Jobs).jobs

    def job(self, job: str) -> Training:
        """How a training stands."""
        return self._http.decode(self._ask("GET", f"/api/v1/jobs/{job}"), Training)

    def cancel(self, job: str) -> Training:
        """Ask a training to end."""
        return self._http.decode(self._ask("DELETE", f"/api/v1/jobs/{job}"), Training)

    def promote(self, version: str) -> None:
        """Score the stream with this version from now on."""
        self._ask("POST", f"/api/v1/models/{version}/promote")

    def roll_back(self) -> str:
        """Promote the version again that was promoted before this one, and name it."""
        return self._http.decode(self._ask("POST", "/api/v1/models/rollback"), _Promoted).promoted

    def delete(self, version: str) -> None:
        """Remove a version that is not promoted."""
        self._ask("DELETE", f"/api/v1/models/{version}")

    def close(self) -> None:
        """Drop the connections."""
        self._http.close()

    def _ask(self, method: str, path: str, body: Any = None) -> bytes:
        try:
            return self._http.request(method, path, body=body)
        except UnauthorisedError as error:
            if error.status != 403:
                raise
            raise UnauthorisedError(
                "The predictor lets only its admin token change models",
                status=error.status,
                why=error.why,
                remedy="Whoever deployed the system has it: open the window as that user, or deploy from here.",
            ) from error
