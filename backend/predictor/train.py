"""`python -m backend.predictor.train`: train on the history in MongoDB, publish, and promote where the model is good enough.

Progress goes to stderr, one line of JSON each with ``--json``; the result to stdout. Exit status: 0 published, 1 no model, 2
arguments, 130 cancelled (SIGINT, SIGTERM).
"""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from pymongo import MongoClient

from backend.common.settings import load_settings
from backend.contract.devices import SENSORS
from backend.contract.documents import DECODING, LeftOut
from backend.contract.timestamps import parse_time
from backend.predictor.errors import CancelledError, PredictorError
from backend.predictor.registry import Registry
from backend.predictor.settings import PredictorSettings
from backend.predictor.training.run import Options, train
from backend.predictor.training.source import MongoSource, Source

EXIT_NO_MODEL, EXIT_CANCELLED = 1, 130


def main(arguments: list[str] | None = None) -> int:
    """Entry point."""
    given = _parser().parse_args(arguments)
    settings = load_settings(PredictorSettings, service="predictor")
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    options = Options(
        from_ms=given.from_, to_ms=given.to, sensors=given.sensors or SENSORS, seed=given.seed, max_readings=given.max_readings
    )
    report = _Report(as_json=given.json)
    milliseconds = int(settings.mongo_timeout_s * 1000)
    client: MongoClient[dict[str, Any]] = MongoClient(
        settings.mongo_address,
        serverSelectionTimeoutMS=milliseconds,
        socketTimeoutMS=600_000,  # it reads much, and may have to wait for the first of it
        appname="predictor-training",
        **DECODING,
    )
    try:
        registry = Registry(client, key=settings.seal_key)
        left_out = LeftOut(lambda sentence: sys.stderr.write(f"{sentence}\n"))
        source: Source = MongoSource(client, from_ms=options.from_ms, to_ms=options.to_ms, left_out=left_out)
        if given.history is not None:
            from backend.predictor.training.files import read_history  # pandas, which the service's image does without

            source = read_history(given.history, from_ms=options.from_ms, to_ms=options.to_ms)
        try:
            outcome = train(source, options, report=report, cancelled=stop.is_set)
        finally:
            left_out.report()
        report(1.0, "stores the model")
        version = registry.publish(outcome.bundle)
        promoted = given.promote == "always" or (given.promote == "if-better" and outcome.promote)
        if promoted:
            registry.promote(version)
    except CancelledError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CANCELLED
    except PredictorError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_NO_MODEL
    finally:
        client.close()
    refused = outcome.bundle.card["refused"]
    result = {"version": version, "promoted": promoted, "sensors": sorted(outcome.bundle.profiles), "refused": refused}
    result["left_out"] = left_out.total()
    if given.json:
        sys.stdout.write(json.dumps(result) + "\n")
    else:
        sys.stdout.write(f"{version} for {', '.join(result['sensors'])}; {'promoted' if promoted else 'not promoted'}.\n")
        for sensor, why in refused.items():
            sys.stdout.write(f"Not for {sensor}: {why}\n")
    return 0


class _Report:
    """Progress on stderr."""

    def __init__(self, *, as_json: bool) -> None:
        self._json, self._last = as_json, ("", -1)

    def __call__(self, part: float, text: str) -> None:
        state = text, int(part * 100)
        if state == self._last:
            return
        self._last = state
        if self._json:
            sys.stderr.write(json.dumps({"progress": round(part, 4), "message": text}) + "\n")
        else:
            sys.stderr.write(f"{100 * part:3.0f} % {text}\n")
        sys.stderr.flush()


def _time(text: str) -> int:
    try:
        return parse_time(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} {error}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m backend.predictor.train", description="Train on the history in MongoDB and publish the model."
    )
    parser.add_argument("--from", dest="from_", type=_time, help="first moment (ISO 8601 or epoch seconds); default: all")
    parser.add_argument("--to", type=_time, help="moment after the last; default: now")
    parser.add_argument(
        "--history", type=Path, metavar="DIR", help="train on files of `python -m backend.generator history` instead"
    )
    parser.add_argument("--sensors", nargs="+", choices=SENSORS, help="only these")
    parser.add_argument("--seed", type=int, default=0, help="the same history and seed give the same model (0)")
    parser.add_argument("--max-readings", type=int, default=240_000, help="per sensor at most (240000)")
    parser.add_argument(
        "--promote",
        choices=("if-better", "always", "never"),
        default="if-better",
        help="promote it when it beats rolling median and MAD (the default), always, or never",
    )
    parser.add_argument("--json", action="store_true", help="progress and result as JSON")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
