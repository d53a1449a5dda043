"""`python -m backend.predictor.score FILE.csv [--windows W.json] [--json]`: any series through the detector, causally."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np

from backend.contract.times import to_iso
from backend.predictor.errors import PredictorError
from backend.predictor.metrics.events import Span
from backend.predictor.metrics.vus import vus_pr
from backend.predictor.series.detect import Detected, detect, event
from backend.predictor.series.read import read_series, read_windows

#: Marked readings closer than so many intervals are one detection.
_JOIN: Final = 24.0
_DAY_MS: Final = 86_400_000.0


def main(arguments: list[str] | None = None) -> int:
    """Entry point. Exit status: 0 scored, 1 the files cannot be used, 2 arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m backend.predictor.score", description="Find what is odd in a series of timestamp,value."
    )
    parser.add_argument("file", type=Path, help="CSV with the columns timestamp and value")
    parser.add_argument("--windows", type=Path, metavar="W.json", help='labelled windows [["start","end"],…] to compare with')
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--scores", type=Path, metavar="OUT.csv", help="write timestamp,value,score,anomaly of every reading")
    given = parser.parse_args(arguments)
    try:
        windows = read_windows(given.windows) if given.windows else None
        result = detect(read_series(given.file))
        if given.scores:
            _write_scores(result, given.scores)
    except PredictorError as error:
        sys.stderr.write(f"score: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"score: {given.scores} cannot be written: {error.strerror or error}\n")
        return 1
    answer = summary(result, windows)
    sys.stdout.write((json.dumps(answer, indent=1) if given.json else _text(answer)) + "\n")
    return 0


def summary(result: Detected, windows: list[Span] | None) -> dict[str, Any]:
    """What was found, and how good that is where there are labelled windows.

    A detection that touches a window is right, however many of them do: windows are wide. Recall counts windows. The delay is
    from a window's begin to the first detection in it.
    """
    series = result.series
    together = groups(result)
    answer: dict[str, Any] = {
        "readings": len(series.values),
        "left_out": series.left_out,
        "refused": list(series.refused),
        "interval_s": series.interval_ms / 1000.0,
        "judged_from": event_time(result, result.begin),
        "note": result.note,
        "detections": [event(result, a, b) for a, b in together],
    }
    if windows is not None:
        answer |= measures(result, together, windows)
    return answer


def groups(result: Detected) -> list[tuple[int, int]]:
    """Detections: first and last place of marked readings that are close to each other."""
    series, places = result.series, np.flatnonzero(result.odd)
    cuts = np.flatnonzero(np.diff(series.t_ms[places]) > _JOIN * series.interval_ms) + 1
    return [(int(p[0]), int(p[-1])) for p in np.split(places, cuts)] if places.size else []


def measures(result: Detected, together: list[tuple[int, int]], windows: list[Span]) -> dict[str, Any]:
    """precision, recall, f1, vus_pr, delay_s, false_alarms_per_day."""
    t_ms = result.series.t_ms
    days = max(float(t_ms[-1] - t_ms[0]) / _DAY_MS, 1e-9)
    right = 0
    delays: dict[int, float] = {}
    for a, b in together:
        hit = [i for i, w in enumerate(windows) if t_ms[a] <= w.end and t_ms[b] >= w.begin]
        right += bool(hit)
        known = int(result.found_ms[a : b + 1].min())
        for i in hit:
            delays[i] = min(delays.get(i, float("inf")), max(0.0, (known - windows[i].begin) / 1000.0))
    precision, recall = right / max(len(together), 1), len(delays) / max(len(windows), 1)
    labels = np.zeros(len(t_ms), dtype=np.bool_)
    for window in windows:
        labels |= (t_ms >= window.begin) & (t_ms <= window.end)
    return {
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(2 * precision * recall / max(precision + recall, 1e-12), 4),
        "vus_pr": round(vus_pr(result.score, labels), 4) if labels.any() else None,
        "delay_s": float(np.median(list(delays.values()))) if delays else None,
        "false_alarms_per_day": round((len(together) - right) / days, 4),
    }


def event_time(result: Detected, place: int) -> str | None:
    """Time of the first reading that was judged."""
    return to_iso(int(result.series.t_ms[place])) if place < len(result.series.t_ms) else None


def _write_scores(result: Detected, path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("timestamp,value,score,anomaly\n")
        columns = (result.series.t_ms, result.series.values, result.score, result.odd)
        for t_ms, value, score, odd in zip(*(column.tolist() for column in columns), strict=True):
            file.write(f"{to_iso(t_ms)},{value!r},{score:.6f},{int(odd)}\n")


def _text(answer: dict[str, Any]) -> str:
    lines = [f"{answer['readings']:,} readings, one each {answer['interval_s']:g} s; judged from {answer['judged_from']}."]
    if answer["left_out"]:
        lines.append(f"{answer['left_out']:,} rows left out: without a value, with the time of another row, or refused.")
    lines += answer["refused"]
    if answer["note"]:
        lines.append(answer["note"])
    lines += [f"{d['start']}  {d['score']:.2f}  {d['reason']}" for d in answer["detections"]]
    lines.append(f"{len(answer['detections'])} detections.")
    if "f1" in answer:
        names = ("precision", "recall", "f1", "vus_pr", "delay_s", "false_alarms_per_day")
        lines.append(", ".join(f"{name} {answer[name]}" for name in names))
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
