"""Where the prediction job begins: at its checkpoint, or ten minutes before now where it has none or was away for longer.

The ten minutes warm the detectors up: their readings are scored and nothing of them is published. What lies between an old
checkpoint and that time is skipped and said: nobody needs to know now what was odd then, and nobody should have to decide it.
"""

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from backend.scoring.layout import SENSOR_NAMES
from spark.checkpoint import Position, write_json
from spark.predict_rows import Rows

Document = dict[str, Any]

WARM_UP_S: Final = 600.0
_FILE: Final = "begin.json"


@dataclass(frozen=True, slots=True)
class Begin:
    """Where a checkpoint began.

    Attributes:
        from_ms: With the first record that arrived at or after this time, epoch ms.
        publish_ms: What arrived before this time is scored and not published.
        skipped: Readings between the checkpoint of before and `from_ms`.
        why: What made it begin anew; empty where there was no checkpoint.
    """

    from_ms: int
    publish_ms: int
    skipped: int = 0
    why: str = ""

    def sentence(self) -> str:
        """What people should know of it, or empty."""
        if not self.why:
            return ""
        if not self.skipped:
            return f"Scoring began anew. {self.why}"
        were = "reading was" if self.skipped == 1 else "readings were"
        return f"{self.skipped:,} {were} not scored. {self.why}".replace(",", "\N{NARROW NO-BREAK SPACE}", 1)


def remembered(directory: Path) -> Begin | None:
    """Where the checkpoint in this directory began; None for one of a time before this file, or none."""
    try:
        found = json.loads((directory / _FILE).read_text(encoding="utf-8"))
        return Begin(int(found["from_ms"]), int(found["publish_ms"]), int(found["skipped"]), str(found["why"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def skipped(position: Position | None, at: Mapping[int, int]) -> int:
    """Readings that nobody will score when the job begins at these offsets, by partition; 0 where it can go on."""
    if position is None:
        return 0
    return sum(max(0, offset - position.done.get(partition, offset)) for partition, offset in at.items())


def begin_anew(directory: Path, *, now_ms: int, skipped: int = 0, why: str = "") -> Begin:
    """Forget checkpoint and state, and remember where the next one begins.

    Raises:
        OSError: the directory cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for path in directory.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    begin = Begin(now_ms - int(WARM_UP_S * 1000), now_ms, skipped, why)
    write_json(directory / _FILE, asdict(begin))
    return begin


def published(
    documents: Iterable[Document], *, publish_ms: int, first_arrival_ms: int, shards: Mapping[int, Rows]
) -> list[Document]:
    """The predictions of a batch without those of the warm-up.

    Args:
        publish_ms: See `Begin`.
        first_arrival_ms: When the batch's first record arrived.
        shards: The batch's own readings. Those of the past that arrived only now are published; a verdict that is revised now
            of a reading of the warm-up is not.
    """
    found = list(documents)
    if all(row["timestamp"] >= publish_ms for row in found):
        return found
    own: set[tuple[str, str, int]] = set()
    if first_arrival_ms >= publish_ms:
        for rows in shards.values():
            names = (SENSOR_NAMES[code] for code in rows.sensors.tolist())
            own.update(zip(rows.device_ids, names, rows.t_ms.tolist(), strict=True))
    return [
        row for row in found if row["timestamp"] >= publish_ms or (row["device_id"], row["sensor"], row["timestamp"]) in own
    ]
