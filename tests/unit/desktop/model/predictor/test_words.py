"""What is said of models and trainings."""

from typing import Any

import msgspec
import pytest

from desktop.model.predictor.card import Card, Models, Version, shortcomings
from desktop.model.predictor.training import Scoring, Training
from desktop.model.predictor.words import moment, outcome, sentences, state_line, when
from tests.helpers import model_cards

NOW = moment("2026-11-24T13:00:00Z")


def version(name: str, **changes: Any) -> Version:
    return msgspec.convert(model_cards.version(name, **changes), Version)


def training(state: str, **changes: Any) -> Training:
    return msgspec.convert(model_cards.training("j", state, **changes), Training)


def said(models: Models, scoring: Scoring | None) -> tuple[str, str]:
    line = state_line(models, scoring, now=NOW, utc=True)
    return line.sign, line.text


def test_without_a_model_it_says_what_to_do() -> None:
    assert said(Models(), None) == ("stopped", "No model yet: the stream is not scored. Train one.")
    sign, text = said(Models([version("v1")]), None)
    assert (sign, "Promote one" in text) == ("stopped", True)


SERVING = Models([version("v3", promoted_at="2026-11-24T12:43:00.000Z")])


def test_a_promoted_model_scores() -> None:
    sign, text = said(SERVING, Scoring(at=NOW - 2, per_s=1848, lag=0, anomalies=2, model="v3"))
    assert sign == "running"
    assert text == "v3 is promoted since 12:43 · scores 1\u202f848 readings/s · lag 0 · 2 abnormal readings since the job began"


@pytest.mark.parametrize(
    ("scoring", "sign", "part"),
    [
        (None, "starting", "has not scored anything yet"),
        (Scoring(at=NOW - 90, model="v3"), "degraded", "nothing was scored for 1 min 30 s"),
        (Scoring(at=NOW - 1, model="v2"), "updating", "still with v2"),
        (Scoring(at=NOW - 1, model=""), "updating", "nothing yet"),
    ],
)
def test_what_is_not_as_it_should_be_is_said(scoring: Scoring | None, sign: str, part: str) -> None:
    found = said(SERVING, scoring)
    assert found[0] == sign
    assert part in found[1]


def test_shortcomings_name_the_figures() -> None:
    card = msgspec.convert(model_cards.card("v1", worse=("humidity",)), Card)
    (found,) = shortcomings(card)
    assert found.startswith("Humidity: its band fits no better than that of rolling median and MAD (0.310, 0.260)")
    assert "holds 81\u202f% of the readings instead of 90\u202f%" in found
    assert not card.beats_baselines
    assert shortcomings(msgspec.convert(model_cards.card("v1"), Card)) == []


def test_outcomes_are_honest() -> None:
    done = training("done", result={"version": "v3", "sensors": [], "refused": {"pressure": "It is constant."}})
    good = outcome(done, version("v3"))
    assert good.line.sign == "done"
    assert good.line.text.startswith(
        "v3 was published after 1 min 10 s. Its band and what it finds beat every simple forecast; promote it"
    )
    assert good.reasons == ("Pressure: It is constant.",)
    assert outcome(done, version("v3", promoted_at="2026-11-24T12:43:00Z")).line.text.endswith("; promoted.")
    worse = outcome(done, version("v3", worse=("humidity",)))
    assert worse.line.sign == "degraded"
    assert "not good enough to be promoted by itself" in worse.line.text
    assert worse.reasons[0].startswith("Humidity: ")
    assert "removed since" in outcome(done, None).line.text
    assert outcome(training("cancelled"), None).line.sign == "stopped"


def test_a_failure_says_each_sentence_once() -> None:
    message = "12 humidity readings are too few. Let the fleet run. 9 pressure readings are too few. Let the fleet run."
    failed = outcome(training("failed", message=message), None)
    assert failed.line.sign == "failed"
    assert failed.reasons == (
        "12 humidity readings are too few.",
        "9 pressure readings are too few.",
        "Let the fleet run.",
    )


def test_sentences_keep_decimals() -> None:
    assert sentences("They cover 4.0 minutes only; 9 are needed.") == ["They cover 4.0 minutes only; 9 are needed."]


def test_times() -> None:
    assert when(NOW, utc=True, now=NOW) == "13:00"
    assert when(NOW - 86_400, utc=True, now=NOW) == "2026-11-23 13:00"
    assert when(moment("nonsense"), utc=True, now=NOW) == "–"
