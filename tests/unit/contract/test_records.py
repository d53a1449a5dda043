"""The record rule gives the conformance vectors' verdicts."""

import pytest

from backend.contract import times
from backend.contract.records import judge
from backend.contract.refusals import REASONS, Refused
from tests.conformance.vectors import RecordVector, records

VECTORS = records()


@pytest.mark.parametrize("vector", VECTORS, ids=[v.name for v in VECTORS])
def test_verdict(vector: RecordVector) -> None:
    verdict = judge(vector.value, arrival_ms=vector.arrival_ms)

    if isinstance(verdict, Refused):
        assert (verdict.code, vector.stored) == (vector.reason, None)
        return
    stored = {**verdict._asdict(), "timestamp": times.to_iso(verdict.t_ms)}
    del stored["t_ms"]
    assert (stored, vector.reason) == (vector.stored, "")


def test_there_are_vectors_for_every_reason() -> None:
    assert len(VECTORS) >= 200
    assert {v.reason for v in VECTORS} == {"", *REASONS}


def test_names_and_identities_are_unique() -> None:
    assert len({v.name for v in VECTORS}) == len(VECTORS)
    stored = [v.stored for v in VECTORS if v.stored is not None and v.live]
    assert len({(s["device_id"], s["sensor"], s["timestamp"]) for s in stored}) == len(stored)


def test_placeholders_follow_the_arrival() -> None:
    now_ms = times.from_iso("2026-11-24T05:30:00.000Z")
    vectors = records(now_ms)

    assert 200 < len(vectors) < len(VECTORS)
    for vector in vectors:
        verdict = judge(vector.value, arrival_ms=now_ms)
        assert (verdict.code if isinstance(verdict, Refused) else "") == vector.reason, vector.name
