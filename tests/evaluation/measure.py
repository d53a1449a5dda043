"""Streams one labelled stream through the scoring and the simple detectors, and adds what they found to the tallies."""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from backend.predictor.metrics.events import Span, Tally, grouped, touches
from backend.predictor.metrics.vus import vus_pr
from backend.predictor.models.bundle import Bundle
from backend.scoring.engine import Engine
from backend.scoring.layout import F64
from backend.scoring.verdicts import Kind, Verdicts
from tests.evaluation import baselines
from tests.evaluation.streams import Stream

F32 = np.typing.NDArray[np.float32]

KINDS = ("spike", "drift", "stuck", "dropout", "late", "duplicate")
#: Kinds that values show, for which simple detectors can be compared.
IN_VALUES = ("spike", "drift", "stuck", "dropout")
OURS = "this detector"
#: An event may still be hit so long after its end: a drift shows by its end.
TOLERANCE_MS = 15_000
_JOIN_MS = 6000


@dataclass
class Totals:
    """Over all streams.

    Attributes:
        tallies: By detector and kind.
        false_alarms: Detections that touch no event of any kind, by detector.
        vus: Volume under the surface of each stream, by detector and kind.
        device_days, readings: Of all streams.
        inside, judged: Good readings inside the band, and all good readings.
        seconds: Spent in scoring.
    """

    tallies: dict[tuple[str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))
    false_alarms: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    vus: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    device_days: float = 0.0
    readings: int = 0
    inside: int = 0
    judged: int = 0
    seconds: float = 0.0


@dataclass
class _Found:
    """What the scoring said of one stream; matrices have a row a device and a column a second."""

    spans: dict[tuple[int, str], dict[int, Span]]
    values: F64
    score: F32
    inside: F32


def _score(stream: Stream, bundle: Bundle, totals: Totals) -> _Found:
    engine = Engine(bundle.profiles, forecaster=bundle)
    rows, fresh = engine.state.rows(stream.ids, stream.sensors.tolist())
    shape = len(stream.ids), int(stream.hours * 3600)
    values, score, inside = np.full(shape, np.nan), np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
    spans: dict[tuple[int, str], dict[int, Span]] = defaultdict(dict)

    def enter(device: int, kind: str, since: int, first: int, last: int, found: int) -> None:
        old = spans[device, kind].get(since)
        if old is not None:
            first, last, found = min(first, old.begin), max(last, old.end), min(found, old.found_ms)
        spans[device, kind][since] = Span(first, last, found)

    def take(verdicts: Verdicts) -> None:
        for i in np.flatnonzero(verdicts.kind > 0).tolist():
            kind = Kind(int(verdicts.kind[i])).name.lower()
            t_ms = int(verdicts.t_ms[i])
            enter(int(verdicts.device[i]), kind, int(verdicts.since_ms[i]), t_ms, t_ms, int(verdicts.found_ms[i]))
        own = (verdicts.kind != Kind.LATE) & (verdicts.kind != Kind.DUPLICATE)
        d, s = verdicts.device[own], ((verdicts.t_ms[own] - stream.start_ms) // 1000).astype(np.intp)
        values[d, s], score[d, s] = verdicts.value[own], verdicts.score[own]
        hit = (verdicts.value >= verdicts.lower) & (verdicts.value <= verdicts.upper)
        inside[d, s] = np.where(np.isfinite(verdicts.lower), hit, np.nan)[own]

    for part in stream.parts():
        began = time.process_time()
        scored = engine.score_rows(rows[part.device], fresh, part.t_ms, part.values)
        totals.seconds += time.process_time() - began
        fresh = fresh[:0]
        totals.readings += len(part.t_ms)
        take(scored.verdicts)
        take(scored.revised)
        for silence in scored.silences:
            enter(silence.device, "dropout", silence.since_ms, silence.t_ms, silence.t_ms, silence.t_ms)
    return _Found(spans, values, score, inside)


def _truth(stream: Stream) -> dict[tuple[int, str], list[Span]]:
    """Events that leave a trace: a spike during a dropout or of a stuck sensor is in no reading."""
    newest = {(e.device_id, e.kind, e.start_ms): e for e in stream.events}
    truth: dict[tuple[int, str], list[Span]] = defaultdict(list)
    for event in newest.values():
        end = event.start_ms + 1 if event.kind in ("late", "duplicate") else event.end_ms
        truth[stream.index[event.device_id], event.kind].append(Span(event.start_ms, end, event.start_ms))
    for device in range(len(stream.ids)):
        hidden = truth[device, "stuck"] + truth[device, "dropout"]
        truth[device, "spike"] = [s for s in truth[device, "spike"] if not any(h.begin <= s.begin < h.end for h in hidden)]
    return truth


def measure(stream: Stream, bundle: Bundle, totals: Totals, *, simple: bool = True) -> None:
    """Add one stream to the totals.

    Args:
        stream: Labelled.
        bundle: The model.
        totals: Gets the counts.
        simple: Measure the simple detectors too.
    """
    found = _score(stream, bundle, totals)
    truth = _truth(stream)
    totals.device_days += stream.device_days
    every: dict[int, list[Span]] = {d: [s for k in KINDS for s in truth[d, k]] for d in range(len(stream.ids))}
    for device in range(len(stream.ids)):
        for kind in KINDS:
            tally = totals.tallies[OURS, kind]
            before = len(tally.left)
            tally.add(truth[device, kind], found.spans[device, kind].values(), tolerance_ms=TOLERANCE_MS)
            for left in tally.left[before:]:
                totals.false_alarms[OURS] += not touches(left, every[device], tolerance_ms=TOLERANCE_MS)
    touched = _marks(stream, every, tail_ms=TOLERANCE_MS)
    good = ~touched & np.isfinite(found.inside)
    totals.inside += int(np.nansum(found.inside[good]))
    totals.judged += int(np.count_nonzero(good))
    marks = {kind: _marks(stream, {d: truth[d, kind] for d in every}) for kind in ("spike", "drift", "stuck")}
    _volume(found.values, found.score, marks, OURS, totals)
    if simple:
        _simple(stream, found.values, truth, every, marks, totals)


def _simple(
    stream: Stream,
    values: F64,
    truth: dict[tuple[int, str], list[Span]],
    every: dict[int, list[Span]],
    marks: dict[str, np.typing.NDArray[np.bool_]],
    totals: Totals,
) -> None:
    all_scores = {name: np.full(values.shape, np.nan, np.float32) for name in baselines.NAMES}
    seconds = stream.start_ms + 1000 * np.arange(values.shape[1], dtype=np.int64)
    for device in range(len(values)):
        there = np.isfinite(values[device])
        t_ms = seconds[there]
        for name, (score, limit) in baselines.scores(values[device, there], seed=device).items():
            all_scores[name][device, there] = score
            spans = grouped(t_ms, score > limit, join_ms=_JOIN_MS)
            for kind in IN_VALUES:
                # It does not say which kind it means: what belongs to another kind is not held against it.
                others = [s for k in KINDS if k != kind for s in truth[device, k]]
                mine = [
                    s
                    for s in spans
                    if touches(s, truth[device, kind], tolerance_ms=TOLERANCE_MS)
                    or not touches(s, others, tolerance_ms=TOLERANCE_MS)
                ]
                totals.tallies[name, kind].add(truth[device, kind], mine, tolerance_ms=TOLERANCE_MS)
            totals.false_alarms[name] += sum(not touches(s, every[device], tolerance_ms=TOLERANCE_MS) for s in spans)
    for name, each in all_scores.items():
        _volume(values, each, marks, name, totals)


def _marks(stream: Stream, spans: dict[int, list[Span]], *, tail_ms: int = 0) -> np.typing.NDArray[np.bool_]:
    """Which seconds of which devices lie in the spans."""
    marks = np.zeros((len(stream.ids), int(stream.hours * 3600)), dtype=np.bool_)
    for device, some in spans.items():
        for span in some:
            a = (span.begin - stream.start_ms) // 1000
            b = -(-(span.end + tail_ms - stream.start_ms) // 1000)
            marks[device, max(a, 0) : b] = True
    return marks


def _volume(values: F64, score: F32, marks: dict[str, np.typing.NDArray[np.bool_]], name: str, totals: Totals) -> None:
    """VUS-PR for each kind, over the readings that no other kind touches."""
    for kind, mine in marks.items():
        others: Sequence[np.typing.NDArray[np.bool_]] = [m for k, m in marks.items() if k != kind]
        use = np.isfinite(values) & np.isfinite(score) & ~np.logical_or.reduce([*others, np.zeros_like(mine)])
        labels = mine[use]
        if labels.any():
            totals.vus[name, kind].append(vus_pr(score[use].astype(np.float64), labels, widest=40, widths=(0, 10, 20, 40)))
