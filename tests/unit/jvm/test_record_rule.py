"""The Java record rule gives the verdicts of the conformance vectors."""

from collections.abc import Iterator

import pytest

from backend.contract.records import RULE, TopicReading
from backend.contract.times import to_iso
from tests.conformance import vectors
from tests.helpers.java_rule import JavaRule

# The first run resolves and compiles.
pytestmark = pytest.mark.timeout(900)

VECTORS = vectors.records()


@pytest.fixture(scope="module")
def java_rule(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JavaRule]:
    with JavaRule(tmp_path_factory.mktemp("java")) as rule:
        yield rule


def test_every_vector_has_its_verdict_and_the_python_rule_agrees(java_rule: JavaRule) -> None:
    found = java_rule.judge([(vector.value, vector.arrival_ms) for vector in VECTORS])
    assert len(found) == len(VECTORS) > 200
    for vector, verdict in zip(VECTORS, found, strict=True):
        if isinstance(verdict, TopicReading):
            device_id, sensor, t_ms, value = verdict
            fields = {"device_id": device_id, "sensor": sensor, "timestamp": to_iso(t_ms), "value": value}
            assert fields == vector.stored, vector.name
        else:
            assert verdict.code == vector.reason, vector.name
        assert verdict == RULE.judge(vector.value, arrival_ms=vector.arrival_ms), vector.name
