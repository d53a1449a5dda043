"""What survives a restart: the wanted fleet and the faults, in one small file that is replaced as a whole."""

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backend.contract.devices import MAX_FLEET_PER_TYPE
from backend.generator.errors import StateError
from backend.generator.faultplan import FaultPlan
from backend.generator.fleet import MAX_INTERVAL_S, MAX_NUMBERED, MIN_INTERVAL_S, TAGS, Fleet

FILE_NAME: Final = "generator.json"

_log = logging.getLogger(__name__)


class _FleetRecord(BaseModel):
    model_config = ConfigDict(extra="forbid")

    counts: dict[Literal["Thermostat", "Barometer", "Hygrometer", "HeartRateMeter"], Annotated[int, Field(ge=0)]]
    numbered: Annotated[int, Field(ge=0, le=MAX_NUMBERED)]
    numbered_tags: list[Literal["Thermostat", "Barometer", "Hygrometer", "HeartRateMeter"]]
    interval_ms: Annotated[int, Field(ge=int(MIN_INTERVAL_S * 1000), le=int(MAX_INTERVAL_S * 1000))]
    running: bool


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    fleet: _FleetRecord
    faults: FaultPlan


class StateStore:
    """Keeps the state in a directory.

    Args:
        directory: Where; None keeps nothing.
    """

    def __init__(self, directory: Path | None) -> None:
        self._path = directory / FILE_NAME if directory else None

    def load(self) -> tuple[Fleet, FaultPlan]:
        """The saved state, or an empty fleet without faults. A file that cannot be used is put aside, said in the log."""
        if self._path is None:
            return Fleet(), FaultPlan()
        try:
            record = _Record.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return Fleet(), FaultPlan()
        except OSError as error:
            _log.error("the saved fleet %s cannot be read (%s); starting without devices", self._path, error.strerror)
            return Fleet(), FaultPlan()
        except ValidationError as error:
            aside = self._path.with_suffix(".bad")
            with suppress(OSError):
                self._path.replace(aside)
            reason = error.errors(include_url=False, include_input=False)[0]["msg"]
            _log.error("the saved fleet is unusable (%s), now %s; starting without devices", reason, aside)
            return Fleet(), FaultPlan()
        saved = record.fleet
        counts = {tag: min(saved.counts.get(tag, 0), MAX_FLEET_PER_TYPE) for tag in TAGS}  # type: ignore[call-overload]
        fleet = Fleet(counts, saved.numbered, frozenset(saved.numbered_tags), saved.interval_ms, saved.running)
        return fleet, record.faults

    def save(self, fleet: Fleet, faults: FaultPlan) -> None:
        """Replace the file. Blocks for the disk.

        Raises:
            StateError: it cannot be written; the old one is as it was.
        """
        if self._path is None:
            return
        saved = _FleetRecord.model_validate(
            {
                "counts": dict(fleet.counts),
                "numbered": fleet.numbered,
                "numbered_tags": sorted(fleet.numbered_tags),
                "interval_ms": fleet.interval_ms,
                "running": fleet.running,
            }
        )
        temporary = self._path.with_suffix(f".{os.getpid()}.tmp")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("w", encoding="utf-8") as file:
                file.write(_Record(fleet=saved, faults=faults).model_dump_json(indent=2))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            raise StateError(self._path, error.strerror or str(error)) from error
