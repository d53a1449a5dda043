"""The shards' state on disk, exact after a kill: a snapshot now and then, and a journal of the batches since.

Spark plans a batch before it is processed and commits it after; a batch that was not committed comes again with the same
records. So the state after batch n must be found when batch n + 1 comes, and that after batch n - 1 when batch n comes again.
A journal file holds a batch's readings; the state after batch n is the newest snapshot at or before n and the journals since,
scored again, which gives the same as the first time.

Files: ``snapshot-<batch>-<shard>.state``, ``journal-<batch>.npz``, and ``layout``, which says how devices are assigned to
shards. Each is written under another name, synced and renamed. Files of another layout are set aside: a device whose readings
go to another shard now would be reported silent in its old one.
"""

import io
import json
import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from backend.contract.shards import SHARD_LAYOUT
from backend.scoring.errors import StateError
from backend.scoring.state import ShardState
from spark.predict_rows import Rows

log = logging.getLogger("spark-predict")

#: Batches between two snapshots.
EVERY: Final = 30


class StateStore:
    """One directory; one process at a time.

    Args:
        directory: Beside Spark's checkpoint, on the same durable volume.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._check_layout()

    def record(self, batch: int, model: str, shards: Mapping[int, Rows]) -> None:
        """Keep a batch's readings before they are scored."""
        buffer = io.BytesIO()
        arrays: dict[str, np.typing.NDArray[np.generic]] = {}
        heads = {}
        for shard, rows in shards.items():
            heads[str(shard)] = rows.device_ids
            arrays[f"{shard}.sensors"], arrays[f"{shard}.t_ms"] = rows.sensors, rows.t_ms
            arrays[f"{shard}.values"] = rows.values
        head = np.frombuffer(json.dumps({"model": model, "ids": heads}).encode(), dtype=np.uint8)
        np.savez(buffer, allow_pickle=False, head=head, **arrays)
        self._write(f"journal-{batch}.npz", buffer.getvalue())

    def recorded(self, batch: int) -> tuple[str, dict[int, Rows]]:
        """The model's version and the readings of a batch.

        Raises:
            StateError: there are none.
        """
        try:
            content = (self._directory / f"journal-{batch}.npz").read_bytes()
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                head = json.loads(stored["head"].tobytes())
                shards = {
                    int(shard): Rows(list(ids), stored[f"{shard}.sensors"], stored[f"{shard}.t_ms"], stored[f"{shard}.values"])
                    for shard, ids in head["ids"].items()
                }
                if any(not len(r) == len(r.sensors) == len(r.t_ms) == len(r.values) for r in shards.values()):
                    raise ValueError("its columns differ in length")
                return str(head["model"]), shards
        except Exception as error:  # a damaged archive raises what it likes: of zip, zlib, struct, tokenize
            raise StateError(f"the readings of batch {batch} cannot be read: {error}") from error

    def snapshot(self, batch: int, shards: Mapping[int, ShardState]) -> None:
        """Keep the state after a batch, and let go of what is older."""
        for shard, state in shards.items():
            self._write(f"snapshot-{batch}-{shard}.state", state.to_bytes())
        self._write(f"snapshot-{batch}.json", json.dumps(sorted(shards)).encode())
        complete = self._snapshots()
        # Two snapshots stay: should the newest be damaged, the one before and its journals still lead there.
        if len(complete) < 2:
            return
        oldest = complete[-2]
        for path in self._directory.iterdir():
            number = _batch(path)
            if number is not None and (number < oldest or (path.name.startswith("journal") and number <= oldest)):
                path.unlink(missing_ok=True)

    def before(self, batch: int) -> tuple[int, dict[int, ShardState]]:
        """The newest snapshot from before a batch: its batch and the shards; -1 and nothing where there is none."""
        for number in reversed(self._snapshots()):
            if number >= batch:
                continue
            try:
                shards = json.loads((self._directory / f"snapshot-{number}.json").read_text(encoding="utf-8"))
                states = {
                    int(shard): ShardState.from_bytes((self._directory / f"snapshot-{number}-{shard}.state").read_bytes())
                    for shard in shards
                }
            except Exception:
                log.warning("snapshot %s of the state is damaged; the one before it is used", number, exc_info=True)
                continue  # the one before it and its journals lead to the same
            return number, states
        return -1, {}

    def journals(self, after: int, before: int) -> list[int]:
        """Batches that were recorded in between."""
        found = (_batch(p) for p in self._directory.glob("journal-*.npz"))
        return sorted(n for n in found if n is not None and after < n < before)

    def clear(self) -> None:
        """Forget everything: the state of before cannot be used."""
        for path in self._directory.iterdir():
            if _batch(path) is not None:
                path.unlink(missing_ok=True)

    def _check_layout(self) -> None:
        path = self._directory / "layout"
        try:
            if path.read_text(encoding="utf-8") == SHARD_LAYOUT:
                return
        except (OSError, UnicodeError):
            pass  # a new directory, or one of a time before this file
        stored = [path for path in self._directory.iterdir() if _batch(path) is not None]
        if stored:
            aside = self._directory / f"set-aside-{time.time_ns() // 1_000_000}"
            aside.mkdir()
            for file in stored:
                file.rename(aside / file.name)
            log.warning(
                "The stored state assigns devices to shards in another way than %r. It was moved to %s. Scoring begins anew.",
                SHARD_LAYOUT,
                aside,
            )
        self._write("layout", SHARD_LAYOUT.encode())

    def _snapshots(self) -> list[int]:
        found = (_batch(p) for p in self._directory.glob("snapshot-*.json"))
        return sorted(n for n in found if n is not None)

    def _write(self, name: str, data: bytes) -> None:
        temporary = self._directory / f".{name}.{os.getpid()}"
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._directory / name)


def _batch(path: Path) -> int | None:
    name, _, rest = path.name.partition("-")
    number = rest.partition(".")[0].partition("-")[0]
    return int(number) if name in ("snapshot", "journal") and number.isdecimal() else None
