"""The command `python -m backend.generator history`."""

import argparse
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from backend.common.answers import field_errors
from backend.contract.times import from_iso
from backend.generator import history
from backend.generator.errors import HistoryError
from backend.generator.faultplan import FaultPlan
from backend.generator.fleet import MAX_NUMBERED

_MAX_DAYS = 3660.0
_PROGRESS_S = 0.5


def main(arguments: list[str]) -> int:
    """Run the command. Returns the exit status: 0 done, 1 failed, 2 arguments that cannot be used, 130 interrupted."""
    parser = _parser()
    given = parser.parse_args(arguments)
    duration_ms, interval_ms = round(given.days * 86_400_000), round(given.interval_s * 1000)
    if duration_ms < interval_ms:
        parser.error(f"--days {given.days:g} is shorter than one interval of {given.interval_s:g} s")
    try:
        options = history.HistoryOptions(
            start_ms=given.start,
            duration_ms=duration_ms,
            interval_ms=interval_ms,
            devices=given.devices,
            seed=given.seed,
            faults=_read_faults(given.faults),
        )
        history.write_history(options, given.out, progress=_Progress())
    except HistoryError as error:
        sys.stderr.write(f"history: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nhistory: interrupted; nothing was written\n")
        return 130
    sys.stderr.write(f"\r{options.steps * options.devices:,} readings of {options.devices:,} devices are in {given.out}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m backend.generator", description="Without a command: serve. Settings: environment variables PAAI_*."
    )
    commands = parser.add_subparsers(required=True, metavar="history")
    command = commands.add_parser(
        "history",
        help="write labelled series into files",
        description="Write labelled series: the signals and faults of the live readings. Same arguments, same bytes.",
    )
    command.add_argument("--days", type=_number(0.0, _MAX_DAYS), required=True, help="length of the series")
    command.add_argument(
        "--devices", type=_whole(1, MAX_NUMBERED), required=True, help="how many; dealt out to the types in turn"
    )
    command.add_argument("--seed", type=_whole(0, 2**63 - 1), required=True, help="the same seed gives the same series")
    command.add_argument("--faults", type=Path, metavar="F.json", help="faults to inject: what PUT /api/v1/faults takes")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="directory to create")
    command.add_argument("--interval-s", type=_number(0.1, 3600.0), default=10.0, help="between two readings of a device (10)")
    command.add_argument("--start", type=_time, default="2026-01-01T00:00:00Z", help="first time (2026-01-01T00:00:00Z)")
    return parser


def _read_faults(path: Path | None) -> FaultPlan:
    if path is None:
        return FaultPlan()
    try:
        return FaultPlan.model_validate_json(path.read_bytes())
    except OSError as error:
        raise HistoryError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        reasons = [
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}" if e["loc"] else e["msg"] for e in field_errors(error.errors())
        ]
        raise HistoryError(f"{path} describes no faults: {'; '.join(reasons)}") from error


def _number(low: float, high: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not ((math.isfinite(value) and low < value <= high) or value == low > 0):
            raise argparse.ArgumentTypeError(f"{text} is not between {low:g} and {high:g}")
        return value

    return number


def _whole(low: int, high: int) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low} and {high}")
        return value

    return whole_number


def _time(text: str) -> int:
    try:
        return from_iso(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time like 2026-01-01T00:00:00Z") from None


class _Progress:
    """One line on stderr, rewritten now and then."""

    def __init__(self) -> None:
        self._next_s = 0.0
        self._started_s = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now_s = time.monotonic()
        if now_s >= self._next_s:
            self._next_s = now_s + _PROGRESS_S
            left_s = (now_s - self._started_s) * (total - done) / done
            sys.stderr.write(f"\r{100.0 * done / total:5.1f} %, {left_s:.0f} s left ")
            sys.stderr.flush()
