"""What is said of models and trainings: sentences for people."""

import math
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from backend.contract.times import from_iso
from desktop.model.figures import elapsed, plural, thousands
from desktop.model.predictor.card import Models, Version, sensor_label, shortcomings
from desktop.model.predictor.training import Scoring, Training

#: The scoring job writes with each batch; older than this, and nothing is scored now.
STALE_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence and the sign that goes with it: a key of `views.widgets.signs.WORDS`."""

    sign: str
    text: str


def moment(text: str | None) -> float:
    """Seconds since the epoch of an ISO 8601 time; NaN where there is none."""
    try:
        return from_iso(text) / 1000 if text else math.nan
    except ValueError:
        return math.nan


def when(seconds: float, *, utc: bool, now: float) -> str:
    """``13:41`` for today, ``2026-11-23 13:41`` otherwise; a dash where it is not known."""
    if not math.isfinite(seconds):
        return "–"
    zone = UTC if utc else None
    at, today = (datetime.fromtimestamp(s, UTC).astimezone(zone) for s in (seconds, now))
    return f"{at:%H:%M}" if at.date() == today.date() else f"{at:%Y-%m-%d %H:%M}"


def span(start: str, end: str, *, utc: bool, now: float) -> str:
    """``11:40 – 12:40``: a day that both lie in is said once."""
    first, last = (when(moment(text), utc=utc, now=now) for text in (start, end))
    return f"{first} – {last[-5:] if last[:-5] == first[:-5] else last}"


def state_line(models: Models, scoring: Scoring | None, *, now: float, utc: bool = False) -> Line:
    """How prediction stands, in one sentence."""
    serving = models.serving
    if serving is None:
        if models.models:
            return Line("stopped", "No model is promoted: the stream is not scored. Promote one below.")
        return Line("stopped", "No model yet: the stream is not scored. Train one.")
    since = moment(serving.promoted_at)
    head = f"{serving.version} is promoted" + (f" since {when(since, utc=utc, now=now)}" if math.isfinite(since) else "")
    if scoring is None:
        return Line("starting", f"{head}; the scoring job has not scored anything yet.")
    if now - scoring.at > STALE_S:
        return Line("degraded", f"{head}; nothing was scored for {elapsed(now - scoring.at)}. See the Services page.")
    if scoring.model != serving.version:
        with_ = f"still with {scoring.model}" if scoring.model else "nothing yet"
        return Line("updating", f"{head}; the scoring job takes it in between two batches, and scores {with_}.")
    lag = f"lag {thousands(scoring.lag)}" if scoring.lag >= 0 else "lag unknown"
    odd = plural(scoring.anomalies, "abnormal reading")
    return Line("running", f"{head} · scores {thousands(scoring.per_s)} readings/s · {lag} · {odd} since the job began")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a training ended.

    Attributes:
        line: Sign and headline.
        reasons: A sentence each; empty where there is nothing to explain.
    """

    line: Line
    reasons: tuple[str, ...] = ()


def outcome(training: Training, version: Version | None) -> Outcome:
    """What a training that has ended gave.

    Args:
        training: It.
        version: What it published, where it is still there.
    """
    took = moment(training.ended) - moment(training.started)
    after = f" after {elapsed(took)}" if math.isfinite(took) else ""
    if training.state == "cancelled":
        return Outcome(Line("stopped", f"The training was cancelled{after}; nothing was stored."))
    if training.state != "done":
        return Outcome(Line("failed", "The training gave no model."), tuple(sentences(training.message)))
    result = training.result
    refused = tuple(f"{sensor_label(s)}: {why}" for s, why in result.refused.items()) if result else ()
    if version is None:
        name = result.version if result else ""
        return Outcome(Line("done", f"The training published {name}{after}; it was removed since."), refused)
    what = f"{version.version} was published{after}"
    if not version.card.beats_baselines:
        then = "promoted all the same" if version.promoted else "not good enough to be promoted by itself"
        text = f"{what}. It beats the naive forecasts; {then}."
        return Outcome(Line("degraded", text), (*shortcomings(version.card), *refused))
    then = "promoted" if version.promoted else "promote it to score the stream"
    return Outcome(Line("done", f"{what}. Its band and what it finds beat every simple forecast; {then}."), refused)


def sentences(text: str) -> list[str]:
    """The sentences of a message, each once; what is said several times, the remedy, comes last."""
    parts = [part.strip() for part in text.replace("\n", " ").split(". ") if part.strip()]
    counts = Counter(part if part.endswith((".", "!", "?")) else part + "." for part in parts)
    return sorted(counts, key=lambda sentence: counts[sentence] > 1)
