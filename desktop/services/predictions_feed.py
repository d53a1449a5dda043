"""Predictions from their topic: record values → what the window keeps. All are decoded, few are looked at closely."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from backend.contract import documents
from backend.contract.devices import SENSORS
from backend.contract.documents import DamagedError, Document, LeftOut
from backend.contract.limits import MAX_DEVICE_ID_CHARS
from backend.contract.names import TOPIC_PREDICTIONS
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
#: So are kinds and versions.
_MAX_KIND: Final = 40


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


_decoder = msgspec.json.Decoder(WirePrediction)


def decode_predictions(values: Sequence[bytes | None], *, live: bool, interest: Interest) -> PredictionBatch:
    """Decode record values.

    Args:
        values: As Kafka gave them; None for a record without a value.
        live: See `PredictionBatch`.
        interest: Decides what is kept.
    """
    messages, malformed = decode_all(values, _decoder)
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
        if m.sensor in SENSORS and BAD_TIME not in (at, since) and _is_whole(m)
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
        kind=(m.kind[:_MAX_KIND] or "odd") if m.anomaly else "",
        grade=Grade.of(m.severity) if m.anomaly else Grade.NONE,
        since_ms=since_ms if m.anomaly else 0,
        model=m.model[:_MAX_KIND],
    )


def _number(value: float | None) -> float:
    return NAN if value is None else value


def _is_whole(m: WirePrediction) -> bool:
    numbers = (n for n in (m.value, m.expected, m.lower, m.upper) if n is not None)
    return 0 < len(m.device_id) <= MAX_DEVICE_ID_CHARS and 0 <= m.score <= 1 and all(map(documents.is_number, numbers))


def stored_prediction(row: Document) -> Prediction:
    """Return a document of the collection `predictions`.

    Raises:
        DamagedError: a field is missing or of the wrong type.
    """
    anomaly = documents.flag(row, "anomaly")
    score = documents.optional_number(row, "score") or 0.0
    if not 0 <= score <= 1:
        raise DamagedError("score is not between 0 and 1")
    since = documents.time_ms(row, "since") if anomaly and row.get("since") is not None else 0
    return Prediction(
        id=documents.text(row, "_id"),
        device_id=documents.device_id(row),
        sensor=documents.text(row, "sensor"),
        t_ms=documents.time_ms(row, "timestamp"),
        value=_number(documents.optional_number(row, "value")),
        expected=_number(documents.optional_number(row, "expected")),
        lower=_number(documents.optional_number(row, "lower")),
        upper=_number(documents.optional_number(row, "upper")),
        score=score,
        anomaly=anomaly,
        reason=documents.optional_text(row, "reason")[:_MAX_TEXT],
        kind=(documents.optional_text(row, "kind")[:_MAX_KIND] or "odd") if anomaly else "",
        grade=Grade.of(documents.optional_text(row, "severity")) if anomaly else Grade.NONE,
        since_ms=since,
        model=documents.optional_text(row, "model")[:_MAX_KIND],
    )


class PredictionSink:
    """Fills a store; `decode` and the rest are for a `KafkaFeed` of the topic, on its thread.

    Attributes:
        malformed: Records that were no predictions, since the start.
    """

    def __init__(
        self, store: PredictionStore, *, heard: Callable[[], None] = lambda: None, left_out: LeftOut | None = None
    ) -> None:
        self._store, self._heard, self._left_out = store, heard, left_out or LeftOut()
        self.malformed = 0

    def decode(self, messages: Sequence[Any], /, *, received: float, live: bool) -> PredictionBatch:
        """See `decode_predictions`."""
        return decode_predictions([m.value() for m in messages], live=live, interest=self._store.interest)

    def ingest(self, batch: PredictionBatch, /) -> None:
        """Take a batch in."""
        if batch.malformed:
            self.malformed += batch.malformed
            self._left_out.add_records(TOPIC_PREDICTIONS, batch.malformed, "not a prediction")
            self._left_out.report()
        if batch.predictions:
            self._store.ingest(batch.predictions, news=batch.live)
        self._heard()

    def note_lag(self, records: int) -> None:
        """The status tells how far the job is; how far this window is shows in the charts."""
