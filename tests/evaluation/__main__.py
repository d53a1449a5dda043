"""`python -m tests.evaluation`: train, draw, measure, print."""

import argparse
import json
import secrets
import sys
import time
from pathlib import Path

from backend.predictor.models.bundle import Bundle, dump, load
from backend.predictor.training.run import Options, train
from backend.predictor.training.source import ArraySource
from tests.evaluation import live
from tests.evaluation.measure import Totals, measure
from tests.evaluation.report import figures, markdown
from tests.evaluation.streams import START_MS, Stream, drawn_plans

#: Of the history that is trained on.
TRAINING_SEED = 11
_KEY = b"evaluation"
_DOC = Path(__file__).parents[2] / "docs" / "prediction.md"
_BEGIN, _END = "<!-- evaluation: begin -->", "<!-- evaluation: end -->"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation", description="How well faults are found.")
    parser.add_argument("--seed", type=int, help="of what is drawn after training; by default another one each time")
    parser.add_argument("--streams", type=int, default=5, help="each with its own magnitudes (5)")
    parser.add_argument("--per-type", type=int, default=21, help="devices of each type in a stream (21)")
    parser.add_argument("--hours", type=float, default=3.0, help="length of a stream (3)")
    parser.add_argument("--model", type=Path, metavar="FILE", help="use this model, or store the trained one there")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/prediction.md")
    parser.add_argument("--only-ours", action="store_true", help="leave out the simple detectors")
    parser.add_argument(
        "--live", metavar="FILE", help="only the running system: what `python -m stack endpoints --json` prints; - is stdin"
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="of the running system with faults (10)")
    given = parser.parse_args()
    if given.live:
        return _live(given)
    bundle = _model(given.model)
    seed = given.seed if given.seed is not None else secrets.randbelow(2**31)
    _say(f"drawn with seed {seed}")
    totals = Totals()
    began = time.monotonic()
    for i, plan in enumerate(drawn_plans(seed, given.streams)):
        # Spread over the day: hearts sleep at night, and are easy then.
        start_ms = START_MS + i * 86_400_000 // given.streams
        stream = Stream(seed=seed + 1000 + i, per_type=given.per_type, hours=given.hours, plan=plan, start_ms=start_ms)
        measure(stream, bundle, totals, simple=not given.only_ours)
        so_far = figures(totals)
        f1 = ", ".join(f"{kind} {row['f1']:.3f}" for kind, row in so_far["kinds"].items())
        alarms = so_far["false_alarms_per_device_day"]
        took_s = time.monotonic() - began
        _say(f"stream {i + 1} of {given.streams}, {took_s:.0f} s: F1 {f1}; {alarms:.2f} false alarms a device-day")
    result = {"seed": seed, **figures(totals)}
    table = markdown(result)
    sys.stdout.write((json.dumps(result, indent=1) if given.json else table) + "\n")
    if given.write:
        text = _DOC.read_text(encoding="utf-8")
        head, rest = text.split(_BEGIN)
        tail = rest.split(_END)[1]
        _DOC.write_text(f"{head}{_BEGIN}\n\nSeed {seed}. {table}\n\n{_END}{tail}", encoding="utf-8")
    return 0


def _live(given: argparse.Namespace) -> int:
    text = sys.stdin.read() if given.live == "-" else Path(given.live).read_text(encoding="utf-8")
    seed = given.seed if given.seed is not None else secrets.randbelow(2**31)
    totals = Totals()
    live.run(json.loads(text), drawn_plans(seed, 1)[0], per_type=given.per_type, minutes=given.minutes, totals=totals, say=_say)
    result = {"seed": seed, **figures(totals)}
    sys.stdout.write((json.dumps(result, indent=1) if given.json else markdown(result)) + "\n")
    return 0


def _model(path: Path | None) -> Bundle:
    if path is not None and path.exists():
        return load(path.read_bytes(), key=_KEY)
    _say("makes a history to train on")
    # From night to afternoon.
    history = ArraySource(Stream(seed=TRAINING_SEED, per_type=8, hours=9.0, start_ms=START_MS + 5 * 3_600_000).series())
    outcome = train(history, Options(seed=1), report=lambda part, text: None, cancelled=lambda: False)
    _say(f"trained in {outcome.bundle.card['took_s']} s; to be promoted: {'yes' if outcome.promote else 'no'}")
    for sensor, why in outcome.bundle.card["refused"].items():
        _say(f"{sensor}: {why}")
    data = dump(outcome.bundle, key=_KEY)
    if path is not None:
        path.write_bytes(data)
    return load(data, key=_KEY)


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


if __name__ == "__main__":
    raise SystemExit(main())
