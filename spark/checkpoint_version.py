"""Where the aggregates job begins, and checkpoints of earlier plans of its query.

Spark cannot continue a query from the checkpoint of another plan. Which plan a checkpoint is of says a file beside Spark's own.
A checkpoint of another plan is set aside, and the job begins at its offsets less the windows that were still open; what was
written before is not overwritten by windows that are no longer whole.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from backend.contract import limits
from spark.checkpoint import (
    DamagedCheckpointError,
    Position,
    TopicRange,
    read_committed_watermark,
    read_position,
    write_json,
)

#: Raised with every change of the query that Spark's checkpoint does not survive, WindowShard.FORMAT among them.
VERSION: Final = 2
_FILE: Final = "paai-version.json"
_ASIDE: Final = "set-aside"
#: How long before its timestamp a record may have come; older topics have their producers' stamps, and clocks differ.
_AHEAD_MS: Final = limits.MAX_RECORD_AHEAD_MS
_SLACK_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Start:
    """Where a job without a checkpoint begins.

    Attributes:
        offsets: By partition; empty: at the topic's beginning.
        whole_from_ms: The first window of which all readings are read; earlier ones replace none that is stored.
    """

    offsets: Mapping[int, int]
    whole_from_ms: int


class Topic(Protocol):
    """What is asked of Kafka, and raises `spark.checkpoint.TopicUnavailableError`."""

    def offsets_at(self, arrival_ms: int) -> dict[int, int]:
        """First offset that arrived then or later, by partition; a partition without one is left out."""
        ...

    def first_arrivals(self, topic: TopicRange) -> dict[int, int]:
        """Arrival of the first record, in ms, of each partition that has one."""
        ...


#: Before every window.
ALWAYS: Final = limits.FIRST_TIME_MS - 86_400_000


def prepare(
    directory: Path, topic: TopicRange, kafka: Topic, *, name: str, window_s: int, has_windows: Callable[[], bool]
) -> tuple[Start, str]:
    """Return where the job begins if it has no checkpoint, and a sentence about what was set aside; only while no query runs.

    May be called again after a crash in the middle.

    Args:
        topic: As it is now.
        name: Of the topic.
        has_windows: Whether there are windows that must not be overwritten.

    Raises:
        DamagedCheckpointError: The earlier checkpoint cannot be read.
        TopicUnavailableError.
    """
    known = _read(directory)
    if known.get("version") != VERSION:
        position = read_position(directory, name)
        if position is not None:
            start = _after(directory, position, topic, kafka, window_ms=1000 * window_s)
        else:
            start = _anew(topic, kafka, window_ms=1000 * window_s) if has_windows() else Start({}, ALWAYS)
        # Version 1 had no such file.
        aside = f"{_ASIDE}/version-{known.get('version', 1)}-{int(time.time())}" if position is not None else ""
        known = {"version": VERSION, "start": asdict(start), "moving_to": aside}
        _write(directory, known)
    said = ""
    if known["moving_to"]:
        _set_aside(directory, directory / known["moving_to"])
        said = f"The checkpoint of an earlier version was moved to {known['moving_to']}: the job begins at its offsets."
        known["moving_to"] = ""
        _write(directory, known)
    start = known["start"]
    return Start({int(p): int(o) for p, o in start["offsets"].items()}, int(start["whole_from_ms"])), said


def _after(directory: Path, position: Position, topic: TopicRange, kafka: Topic, *, window_ms: int) -> Start:
    """Where an earlier checkpoint stood, less the open windows."""
    watermark_ms = read_committed_watermark(directory)
    if not position.done or watermark_ms is None:
        return Start({}, ALWAYS)
    whole_from_ms = watermark_ms // window_ms * window_ms
    found = kafka.offsets_at(whole_from_ms - _AHEAD_MS - _SLACK_MS)
    offsets = {p: min(done, found.get(p, done)) for p, done in position.done.items()}
    if any(offset < topic.begin.get(p, 0) for p, offset in offsets.items()):
        offsets = {p: max(offset, topic.begin.get(p, 0)) for p, offset in offsets.items()}
        whole_from_ms = max(whole_from_ms, _anew(topic, kafka, window_ms=window_ms).whole_from_ms)
    return Start(offsets, whole_from_ms)


def _anew(topic: TopicRange, kafka: Topic, *, window_ms: int) -> Start:
    """From the topic's beginning, which may be after that of the readings: they aged out, or the topic was made anew."""
    arrivals = kafka.first_arrivals(topic)
    aged = [arrivals.get(p, int(time.time() * 1000)) for p, begin in topic.begin.items() if begin > 0]
    first_ms = max([*aged, min(arrivals.values(), default=int(time.time() * 1000))])
    return Start({}, -(-(first_ms + _AHEAD_MS) // window_ms) * window_ms)


def _set_aside(directory: Path, aside: Path) -> None:
    aside.mkdir(parents=True, exist_ok=True)
    for path in sorted(directory.iterdir()):
        if path.name not in (_ASIDE, _FILE):
            path.replace(aside / path.name)


def _read(directory: Path) -> dict[str, Any]:
    try:
        found = json.loads((directory / _FILE).read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError:
        found = None
    if not isinstance(found, dict) or not {"version", "start", "moving_to"} <= found.keys():
        raise DamagedCheckpointError(f"The file {_FILE} of the checkpoint is damaged.")
    return found


def _write(directory: Path, content: Mapping[str, Any]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    write_json(directory / _FILE, content)
