"""`python -m tests.evaluation.series`: the detector on made up series, beside simple ones with their usual thresholds."""

import argparse
import sys
from dataclasses import replace

import numpy as np

from backend.predictor.metrics.events import Span
from backend.predictor.metrics.vus import vus_pr
from backend.predictor.score import groups, measures
from backend.predictor.series.detect import Detected, detect
from tests.evaluation.baselines import scores
from tests.evaluation.series.made import MAKERS, Made

_SIMPLE = ("rolling median/MAD", "last difference", "random")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.series", description="The detector on other series.")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    names = ("this detector", *_SIMPLE)
    sys.stdout.write("| series | " + " | ".join(f"{name}: F1, VUS-PR, false" for name in names) + " |\n")
    sys.stdout.write("| --- |" + " ---: |" * len(names) + "\n")
    for maker in MAKERS:
        made = maker(np.random.default_rng(given.seed))
        cells = [cell(found, made) for found in every(made)]
        sys.stdout.write(f"| {made.name} | {' | '.join(cells)} |\n")
        sys.stdout.flush()
    return 0


def every(made: Made) -> list[Detected]:
    """What this detector and the simple ones find, after the same probation."""
    ours = detect(made.series)
    result = [ours]
    simple = scores(made.series.values, seed=1)
    for name in _SIMPLE:
        score, limit = simple[name]
        odd = (score > limit) & (np.arange(len(score)) >= ours.begin)
        result.append(replace(ours, score=np.where(np.isfinite(score), score, 0.0), kind=odd.astype(np.int8),
                              found_ms=made.series.t_ms))  # fmt: skip
    return result


def cell(found: Detected, made: Made) -> str:
    """F1, VUS-PR and number of false detections."""
    times = made.series.t_ms
    windows = [Span(int(times[a]), int(times[b])) for a, b in made.windows]
    together = groups(found)
    wrong = sum(not any(times[a] <= w.end and times[b] >= w.begin for w in windows) for a, b in together)
    if not windows:
        return f"{wrong} false"
    labels = np.zeros(len(times), dtype=np.bool_)
    for a, b in made.windows:
        labels[a : b + 1] = True
    judged = measures(found, together, windows)
    return f"{judged['f1']:.2f}, {vus_pr(found.score, labels):.2f}, {wrong}"


if __name__ == "__main__":
    raise SystemExit(main())
