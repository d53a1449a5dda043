"""Waiting for a promoted model: cheap, honest, and over as soon as there is one."""

import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from pymongo.errors import PyMongoError

from backend.predictor import promotion
from spark import standby


class Said:
    """What the state file was told."""

    def __init__(self) -> None:
        self.lines: list[tuple[bool, str]] = []

    def __call__(self, ok: bool, message: str) -> None:
        self.lines.append((ok, message))


def answers(*found: str | PyMongoError | None) -> Callable[[], str | None]:
    left = iter(found)

    def promoted() -> str | None:
        answer = next(left)
        if isinstance(answer, PyMongoError):
            raise answer
        return answer

    return promoted


def test_it_is_well_without_a_model_and_says_so() -> None:
    said = Said()

    found = standby.wait_for_model(answers(None, None, "v3"), say=said, stop=threading.Event(), poll_s=0)

    assert found == "v3"
    assert said.lines == [(True, "No model promoted")] * 2


def test_a_database_that_is_away_is_named_and_waited_for() -> None:
    said = Said()

    found = standby.wait_for_model(answers(PyMongoError("no server\nat all"), "v1"), say=said, stop=threading.Event(), poll_s=0)

    assert found == "v1"
    assert said.lines == [(False, "waits for MongoDB: no server")]


def test_it_ends_when_it_is_asked_to() -> None:
    stop = threading.Event()

    def promoted() -> None:
        stop.set()

    assert standby.wait_for_model(promoted, say=Said(), stop=stop, poll_s=600) is None


@pytest.mark.parametrize(
    ("document", "version", "damaged"),
    [
        (None, None, False),
        ({}, None, False),
        ({"_id": "promoted", "version": "v7"}, "v7", False),
        ({"_id": "promoted", "version": 7}, None, True),
        ({"_id": "promoted", "version": "latest"}, None, True),
        ({"_id": "promoted"}, None, True),
    ],
)
def test_only_the_name_of_a_model_is_a_promotion(
    document: dict[str, object] | None, version: str | None, damaged: bool
) -> None:
    found = promotion.from_document(document)
    assert (found.version, found.damaged) == (version, damaged)


def test_waiting_loads_neither_the_models_nor_spark() -> None:
    """Its memory is what those who have no model pay."""
    heavy = ("numpy", "sklearn", "pandas", "pyarrow", "pyspark")
    script = f"import sys, spark.standby; print([m for m in {heavy!r} if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert answer.stdout.strip() == "[]"
