"""What the page says while there is nothing to list, and below what it lists."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from desktop.model.figures import plural, thousands
from desktop.model.predictions.event import Event
from desktop.model.predictions.status import PredictionStatus, Stage
from desktop.views.widgets.state_panel import StatePanel

#: Keys of the pages that help.
MODEL: Final = "model"
SERVICES: Final = "services"
LIVE: Final = "live"


def say_state(
    panel: StatePanel,
    status: PredictionStatus,
    *,
    now: float,
    shown: Sequence[Event],
    fetched: bool,
    filtered: bool,
    flowing: bool,
    clear: Callable[[], None],
    go: Callable[[str], None],
) -> str:
    """Fill `panel`, which stands where nothing is listed, and return the line below the list.

    Args:
        panel: Is filled.
        status: Of the prediction.
        now: Seconds since the epoch.
        shown: What is listed.
        fetched: Whether it was asked for at all.
        filtered: Whether filters hide something.
        flowing: Whether readings come in.
        clear: Clears the filters.
        go: Goes to a page by its key.
    """
    stage = status.stage(now)
    if shown:
        open_ = sum(not e.acknowledged for e in shown)
        count = f"{plural(len(shown), 'anomaly', 'anomalies')}, {thousands(open_)} unacknowledged"
        return f"{count}  ·  {_foot(stage, status, flowing)}"
    if stage is Stage.UNREACHABLE:
        panel.show_error("The anomalies cannot be read", f"MongoDB does not answer: {status.trouble}.", "", None)
        panel.button.hide()
    elif stage is Stage.LOADING or not fetched or (not status.past_read and not filtered):
        panel.show_loading("Reading the anomalies of the last hours …")
    elif filtered:
        panel.show_empty("No matching anomalies", "Other filters may show some.", "Clear filters", clear)
    elif stage is Stage.NO_MODEL:
        panel.show_empty(
            "No model yet",
            "Training learns each sensor's normal behaviour from stored readings. "
            "Once a model is promoted, anomalies are listed here.",
            "Open the Model page",
            lambda: go(MODEL),
        )
    elif stage is Stage.NO_JOB and flowing:
        panel.show_empty(
            "Nothing is scored at the moment",
            f"Model {status.promoted} is promoted, but the prediction job has {_silent(status)}. It may still be starting.",
            "Open Services",
            lambda: go(SERVICES),
        )
    elif not flowing:
        panel.show_empty(
            "No anomalies",
            "No readings come in at the moment. Start some devices on the Live page.",
            "Open Live",
            lambda: go(LIVE),
        )
    else:
        panel.show_empty(
            "No anomalies",
            f"Model {status.promoted} scores every reading. Anomalies appear here within seconds.",
        )
    return "" if stage in (Stage.LOADING, Stage.UNREACHABLE) else _foot(stage, status, flowing)


def _foot(stage: Stage, status: PredictionStatus, flowing: bool) -> str:
    if stage is Stage.UNREACHABLE or status.trouble:
        return f"MongoDB does not answer: {status.trouble}"
    if stage is Stage.NO_MODEL:
        return "no model is promoted: readings are not scored"
    if stage is Stage.NO_JOB and flowing:
        return f"the prediction job has {_silent(status)}"
    if status.scoring and status.scoring != status.promoted:
        return f"the prediction job is loading model {status.promoted}"
    rate = f", {thousands(status.per_s)} readings/s" if flowing and status.per_s == status.per_s and status.per_s > 0 else ""
    behind = f", {thousands(status.lag)} behind" if status.lag > 0 and flowing else ""
    return f"model {status.promoted}{rate}{behind}" if stage is Stage.SCORING else f"model {status.promoted}"


def _silent(status: PredictionStatus) -> str:
    if status.told_at != status.told_at:
        return "not reported yet"
    return f"reported nothing since {datetime.fromtimestamp(status.told_at).astimezone():%H:%M:%S}"
