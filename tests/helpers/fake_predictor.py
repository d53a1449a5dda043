"""A predictor in memory: what it holds is set by the test."""

import threading
from collections.abc import Sequence
from typing import Any

import msgspec

from desktop.model.predictor.card import Models
from desktop.model.predictor.training import Scoring, Training
from desktop.qtmodels.prediction import Link
from desktop.services.errors import InvalidRequestError
from stack.target import Endpoints
from tests.helpers import model_cards


class FakePredictor:
    """Implements `desktop.qtmodels.prediction.PredictorApi`.

    Attributes:
        versions: Entries of the list, the newest first.
        trainings: The newest first.
        scoring: What the scoring job tells.
        down: Raised by every call, if set.
        refusal: Raised by the next call that changes something, if set.
        calls: Those, in order.
        looks: How often the trainings were asked for.
        gate: `train` and `promote` wait for it; set unless a test clears it.
    """

    def __init__(self) -> None:
        self.versions: list[dict[str, Any]] = []
        self.previous: str | None = None
        self.trainings: list[dict[str, Any]] = []
        self.scoring: Scoring | None = None
        self.down: Exception | None = None
        self.refusal: Exception | None = None
        self.calls: list[Any] = []
        self.looks = 0
        self.closed = 0
        self.gate = threading.Event()
        self.gate.set()

    def link(self, endpoints: Endpoints) -> Link:
        """As the page makes it."""
        return Link(api=self, scoring=lambda: self.scoring, close=self._close)

    def models(self) -> Models:
        self._check()
        promoted = next((v["version"] for v in self.versions if v["promoted"]), None)
        return msgspec.convert({"models": self.versions, "promoted": promoted, "previous": self.previous}, Models)

    def jobs(self) -> list[Training]:
        self.looks += 1
        self._check()
        return msgspec.convert(self.trainings, list[Training])

    def train(self, *, start: float | None = None, end: float | None = None, sensors: Sequence[str] = ()) -> str:
        self._change(("train", start, end, tuple(sensors)))
        self.trainings.insert(0, model_cards.training(f"job-{len(self.trainings) + 1}", "running"))
        return str(self.trainings[0]["job"])

    def cancel(self, job: str) -> Training:
        self._change(("cancel", job))
        self.trainings[0]["state"] = "cancelling"
        return msgspec.convert(self.trainings[0], Training)

    def promote(self, version: str) -> None:
        self._change(("promote", version))
        for row in self.versions:
            row["promoted"] = row["version"] == version
            row["promoted_at"] = "2026-11-24T12:43:00.000Z" if row["promoted"] else None

    def roll_back(self) -> str:
        self._change(("roll back",))
        return "v1"

    def delete(self, version: str) -> None:
        self._change(("delete", version))
        self.versions = [v for v in self.versions if v["version"] != version]

    def ends(self, state: str, **changes: Any) -> None:
        """The newest training ends so."""
        self.trainings[0] = model_cards.training(self.trainings[0]["job"], state, **changes)

    def publishes(self, version: str, **card: Any) -> None:
        """The newest training ends with a new version."""
        self.versions.insert(0, model_cards.version(version, **card))
        self.ends("done", result={"version": version, "sensors": [], "refused": {}})

    def _change(self, call: Any) -> None:
        self._check()
        self.gate.wait(10)
        self.calls.append(call)
        if self.refusal is not None:
            error, self.refusal = self.refusal, None
            raise error

    def _check(self) -> None:
        if self.down is not None:
            raise self.down

    def _close(self) -> None:
        self.closed += 1


def busy() -> InvalidRequestError:
    """Another training runs."""
    return InvalidRequestError("The predictor refused the request", status=409, why="The training abc is running.")
