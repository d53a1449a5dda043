"""Verdicts in words and as documents."""

import numpy as np
import pytest

from backend.scoring.reasons import documents, reason, severity, silence_document
from backend.scoring.state import ShardState
from backend.scoring.verdicts import Kind, Silence, Verdicts

T_MS = 1_700_000_000_000


@pytest.mark.parametrize("kind", [k for k in Kind if k not in (Kind.NONE, Kind.DROPOUT)])
def test_every_kind_has_a_sentence_and_a_severity(kind: Kind) -> None:
    text = reason(kind, sensor=0, value=21.5, expected=20.0, amount=1.5, since_ms=T_MS - 5000, t_ms=T_MS)

    assert text.endswith(".")
    assert ": " in text
    assert severity(kind, 0.6) in ("info", "warning", "critical")


def test_a_large_spike_is_critical_and_says_how_large() -> None:
    text = reason(Kind.SPIKE, sensor=0, value=21.5, expected=20.0, amount=-3.25, since_ms=T_MS, t_ms=T_MS)

    assert text.startswith("Spike: 3.25 °C below")
    assert severity(Kind.SPIKE, 0.99) == "critical"
    assert severity(Kind.LATE, 0.99) == "info"


def verdicts(kind: Kind) -> tuple[ShardState, Verdicts]:
    state = ShardState()
    rows, _ = state.rows(["d"], [0])
    found = Verdicts.blank(rows, np.array([T_MS]), np.array([20.0]))
    found.kind[0], found.score[0], found.since_ms[0] = kind, 0.5 if kind else 0.1, T_MS if kind else 0
    return state, found


def test_a_duplicate_does_not_take_the_place_of_its_reading() -> None:
    ids = [
        documents(verdicts(kind)[1], verdicts(kind)[0], model="v1")[0]["_id"]
        for kind in (Kind.NONE, Kind.SPIKE, Kind.DUPLICATE)
    ]

    assert ids == [f"d/temperature/{T_MS}", f"d/temperature/{T_MS}", f"d/temperature/{T_MS}/duplicate"]


def test_what_is_not_known_is_null_and_no_nan() -> None:
    state, found = verdicts(Kind.NONE)

    row = documents(found, state, model="v1")[0]

    assert (row["expected"], row["lower"], row["upper"]) == (None, None, None)
    assert (row["anomaly"], row["reason"], row["since"]) == (False, "", None)


def test_a_silence_is_a_document_without_a_value() -> None:
    state, _ = verdicts(Kind.NONE)

    row = silence_document(Silence(0, T_MS + 5000, T_MS, 1.0), state, model="v1")

    assert (row["anomaly"], row["value"], row["timestamp"], row["since"]) == (True, None, T_MS + 5000, T_MS)
    assert "usually sends every 1 s" in row["reason"]
