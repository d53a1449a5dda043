"""Predictions from their topic: record values → what the window keeps. All are decoded, few are looked at closely."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from backend.contract import times
from backend.contract.devices import SENSORS
from backend.contract.limits import MAX_DEVICE_ID_CHARS
from backend.contract.record_columns import BAD_TIME, parse_wire_times
from desktop.model.predictions.record import NAN, Grade, Prediction
from desktop.model.predictions.store import Interest, PredictionStore
from desktop.services.decode import decode_all

#: MongoDB has the past; from the topic comes what is not there yet.
SPAN_S: Final = 60.0
#: Bound of that in records.
MAX_BACKFILL: Final = 200_000
#: A reason is a sentence; whatever is longer is cut.
_MAX_TEXT: Final = 500


class WirePrediction(msgspec.Struct, gc=False, frozen=True):
    """One record of the topic; fields that it lacks are as for what is not odd."""

    id: str = msgspec.field(name="_id")
    device_id: str
    sensor: str
    timestamp: str
    anomaly: bool
    value: float | None = None
    expected: float | None = None
    lower: float | None = None
    upper: float | None = None
    score: float = 0.0
    reason: str = ""
    kind: str = ""
    severity: str = ""
    since: str | None = None
    model: str = ""


@dataclass(frozen=True, slots=True)
class PredictionBatch:
    """What came of some records.

    Attributes:
        predictions: Those that the window has an interest in, ascending in time.
        records: How many there were.
        malformed: How many of them were no predictions.
        live: Whether they came after what was there at the start.
    """

    predictions: list[Prediction]
    records: int
    malformed: int
    live: bool


_one = msgspec.json.Decoder(WirePrediction)
_many = msgspec.json.Decoder(list[WirePrediction])


def decode_predictions(values: Sequence[bytes | None], *, live: bool, interest: Interest) -> PredictionBatch:
    """Decode record values.

    Args:
        values: As Kafka gave them; None for a record without a value.
        live: See `PredictionBatch`.
        interest: Decides what is kept.
    """
    messages, malformed = decode_all(values, many=_many, one=_one)
    focus, odd, silent = interest.focus, interest.odd, interest.silent
    # A job that catches up publishes a silence and its end at once.
    begun = {(m.device_id, m.sensor) for m in messages if m.anomaly and m.value is None}
    chosen = [
        m
        for m in messages
        if m.anomaly
        or m.device_id in focus
        or m.id in odd
        or (m.device_id, m.sensor) in silent
        or (m.device_id, m.sensor) in begun
    ]
    t_ms = parse_wire_times([m.timestamp for m in chosen]).tolist()
    since_ms = parse_wire_times([m.since if m.since is not None else m.timestamp for m in chosen]).tolist()
    kept = [
        _prediction(m, at, since if m.since is not None else 0)
        for m, at, since in zip(chosen, t_ms, since_ms, strict=True)
        if m.sensor in SENSORS and BAD_TIME not in (at, since) and 0 < len(m.device_id) <= MAX_DEVICE_ID_CHARS
    ]
    # The record of a silence may stand behind those of the readings that ended it. Revisions keep their order.
    kept.sort(key=lambda p: p.t_ms)
    return PredictionBatch(kept, len(values), malformed + len(chosen) - len(kept), live)


def _prediction(m: WirePrediction, t_ms: int, since_ms: int) -> Prediction:
    return Prediction(
        id=m.id,
        device_id=m.device_id,
        sensor=m.sensor,
        t_ms=t_ms,
        value=_number(m.value),
        expected=_number(m.expected),
        lower=_number(m.lower),
        upper=_number(m.upper),
        score=m.score,
        anomaly=m.anomaly,
        reason=m.reason[:_MAX_TEXT],
        kind=(m.kind or "odd") if m.anomaly else "",
        grade=Grade.of(m.severity) if m.anomaly else Grade.NONE,
        since_ms=since_ms if m.anomaly else 0,
        model=m.model,
    )


def _number(value: float | None) -> float:
    return NAN if value is None else value


def stored_prediction(row: Mapping[str, Any]) -> Prediction | None:
    """A document of the collection `predictions`; None for what is none."""
    try:
        since = row.get("since")
        anomaly = bool(row["anomaly"])
        return Prediction(
            id=str(row["_id"]),
            device_id=str(row["device_id"]),
            sensor=str(row["sensor"]),
            t_ms=times.from_datetime(row["timestamp"]),
            value=_stored_number(row.get("value")),
            expected=_stored_number(row.get("expected")),
            lower=_stored_number(row.get("lower")),
            upper=_stored_number(row.get("upper")),
            score=_stored_number(row.get("score", 0.0)),
            anomaly=anomaly,
            reason=str(row.get("reason", ""))[:_MAX_TEXT],
            kind=str(row.get("kind") or "odd") if anomaly else "",
            grade=Grade.of(str(row.get("severity", ""))) if anomaly else Grade.NONE,
            since_ms=times.from_datetime(since) if anomaly and since is not None else 0,
            model=str(row.get("model", "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None


def _stored_number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else NAN


class PredictionSink:
    """Fills a store; `decode` and the rest are for a `KafkaFeed` of the topic, on its thread.

    Attributes:
        malformed: Records that were no predictions, since the start.
    """

    def __init__(self, store: PredictionStore, *, heard: Callable[[], None] = lambda: None) -> None:
        self._store, self._heard = store, heard
        self.malformed = 0

    def decode(self, messages: Sequence[Any], /, *, received: float, live: bool) -> PredictionBatch:
        """See `decode_predictions`."""
        return decode_predictions([m.value() for m in messages], live=live, interest=self._store.interest)

    def ingest(self, batch: PredictionBatch, /) -> None:
        """Take a batch in."""
        self.malformed += batch.malformed
        if batch.predictions:
            self._store.ingest(batch.predictions, news=batch.live)
        self._heard()

    def note_lag(self, records: int) -> None:
        """The status tells how far the job is; how far this window is shows in the charts."""
