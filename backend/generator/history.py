"""Labelled series in files, made by the same signals and faults as the live readings. Same arguments, same bytes.

The directory that is written holds
- ``<sensor>.csv`` for each sensor: ``timestamp,device_id,value,fault`` in the order of arrival; `fault` names the kinds of
  fault that touch the reading, joined by ``+``, empty for a good one. A late reading stands where it arrives, a duplicate
  twice.
- ``events.csv``: ``n,device_id,sensor,kind,start,end,magnitude``, the ground truth as `GET /api/v1/faults/log` tells it;
  readings with start ≤ timestamp < end are touched. A dropout is seen here only.
- ``meta.json``: the arguments and the devices.

Times are ISO 8601 UTC with milliseconds. Memory does not grow with the length.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from typing import Final, TextIO

import numpy as np

from backend.contract.devices import DEVICE_TYPES
from backend.contract.times import to_iso
from backend.generator.errors import HistoryError
from backend.generator.faultlog import FaultLog
from backend.generator.faultplan import FaultPlan
from backend.generator.faults import EVENT_KINDS, Faults, FaultState, Measured
from backend.generator.fleet import TAGS, Member, of_type
from backend.generator.signals import Signals

READING_HEADER: Final = "timestamp,device_id,value,fault\n"
EVENT_HEADER: Final = "n,device_id,sensor,kind,start,end,magnitude\n"

#: Called with how many of how many steps are done.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class HistoryOptions:
    """What to write.

    Attributes:
        start_ms: Time of the first readings, epoch ms.
        duration_ms: Length of the series.
        interval_ms: Between two readings of a device.
        devices: How many, dealt out to the types in turn.
        seed: Of signals and faults; the plan's seed is added to it.
        faults: Injected.
    """

    start_ms: int
    duration_ms: int
    interval_ms: int
    devices: int
    seed: int
    faults: FaultPlan

    @property
    def steps(self) -> int:
        """Readings of one device."""
        return self.duration_ms // self.interval_ms

    def members(self) -> list[Member]:
        """The devices, with the ids of the live fleet."""
        types = [of_type(tag, (self.devices + len(TAGS) - 1 - i) // len(TAGS)) for i, tag in enumerate(TAGS)]
        return [types[i % len(TAGS)][i // len(TAGS)] for i in range(self.devices)]


def write_history(options: HistoryOptions, out: Path, *, progress: Progress) -> None:
    """Write the series into the directory `out`, which appears when it is complete.

    Raises:
        HistoryError: `out` holds something already, or cannot be written.
    """
    if out.is_dir():
        if any(out.iterdir()):
            raise HistoryError(f"{out} is not empty. Name a new directory, or remove what it holds.")
    elif out.exists():
        raise HistoryError(f"{out} is a file. Name a new directory.")
    temporary: Path | None = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        temporary.chmod(0o755)
        _write(options, temporary, progress)
        temporary.replace(out)
    except OSError as error:
        raise HistoryError(f"{error.filename or out} cannot be written: {error.strerror or error}") from error
    finally:
        if temporary is not None and temporary.exists():
            shutil.rmtree(temporary, ignore_errors=True)


def _write(options: HistoryOptions, directory: Path, progress: Progress) -> None:
    members = options.members()
    ids = [m.device_id for m in members]
    sensors = [DEVICE_TYPES[m.kind].sensor for m in members]
    signals = Signals.build(options.seed, ids, [m.kind for m in members])
    log = FaultLog(max_events=10_000_000)  # emptied after every step
    faults = Faults(log=log, plan=options.faults)
    faults.state = FaultState.build(len(members))
    rows = np.arange(len(members))
    with ExitStack() as files:

        def create(name: str, header: str) -> TextIO:
            file = files.enter_context((directory / name).open("w", encoding="utf-8", newline=""))
            file.write(header)
            return file

        outputs = {sensor: create(f"{sensor}.csv", READING_HEADER) for sensor in dict.fromkeys(sensors)}
        events = create("events.csv", EVENT_HEADER)
        writer = _Writer(ids, [outputs[sensor] for sensor in sensors])
        for step in range(options.steps):
            at_ms = options.start_ms + step * options.interval_ms
            sensed = signals.sample(rows, at_ms)
            writer.write(at_ms, faults.apply(signals, rows, ids, sensed, at_ms, options.interval_ms))
            for event in log.drain():
                start, end = to_iso(event.start_ms), to_iso(event.end_ms)
                events.write(f"{event.n},{event.device_id},{event.sensor},{event.kind},{start},{end},{event.magnitude!r}\n")
            progress(step + 1, options.steps)
        writer.write_rest()
    meta = {
        "start": to_iso(options.start_ms),
        "end": to_iso(options.start_ms + options.steps * options.interval_ms),
        "interval_s": options.interval_ms / 1000.0,
        "seed": options.seed,
        "faults": options.faults.model_dump(exclude_none=True),
        "devices": [
            {"device_id": m.device_id, "tag": TAGS[m.kind], "sensor": sensor, "noise": round(noise, 6)}
            for m, sensor, noise in zip(members, sensors, signals.noise.tolist(), strict=True)
        ],
    }
    (directory / "meta.json").write_text(json.dumps(meta, indent=1) + "\n", encoding="utf-8")


class _Writer:
    """Writes readings in the order of arrival: late ones and copies wait in a heap of at most their own number."""

    def __init__(self, ids: Sequence[str], files: Sequence[TextIO]) -> None:
        self._ids, self._files = ids, files
        self._waiting: list[tuple[int, int, TextIO, str]] = []
        self._order = count()

    def write(self, at_ms: int, measured: Measured) -> None:
        """Write what arrives up to this moment."""
        self._release(at_ms)
        iso = to_iso(at_ms)
        values, sent = measured.values.tolist(), measured.sent.tolist()
        late, copies = measured.late_ms.tolist(), measured.copy_ms.tolist()
        faulty = (measured.active.any(axis=1) | (measured.late_ms > 0) | (measured.copy_ms > 0)).tolist()
        for i, (device_id, file, value) in enumerate(zip(self._ids, self._files, values, strict=True)):
            if not faulty[i]:
                file.write(f"{iso},{device_id},{value!r},\n")
            elif sent[i]:
                kinds: list[str] = [kind for kind, on in zip(EVENT_KINDS, measured.active[i], strict=True) if on]
                kinds += ["late"] * bool(late[i]) + ["duplicate"] * bool(copies[i])
                line = f"{iso},{device_id},{value!r},{'+'.join(kinds)}\n"
                if late[i]:
                    heappush(self._waiting, (late[i], next(self._order), file, line))
                else:
                    file.write(line)
                if copies[i]:
                    heappush(self._waiting, (copies[i], next(self._order), file, line))

    def write_rest(self) -> None:
        """Write what would have arrived after the end."""
        while self._waiting:
            _, _, file, line = heappop(self._waiting)
            file.write(line)

    def _release(self, now_ms: int) -> None:
        while self._waiting and self._waiting[0][0] <= now_ms:
            _, _, file, line = heappop(self._waiting)
            file.write(line)
