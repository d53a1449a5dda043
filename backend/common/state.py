"""The state file of a service without HTTP: ``{"ok": bool, "message": str, "at": epoch seconds}``, replaced atomically."""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: An older state file means that the service hangs or is gone.
MAX_AGE_S = 30.0
_MAX_MESSAGE = 1_000


@dataclass(frozen=True, slots=True)
class State:
    """What a state file says."""

    ok: bool
    message: str
    at: float


def write_state(path: Path, *, ok: bool, message: str, at: float | None = None, **more: Any) -> None:
    """Replace the state file. A reader sees the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"ok": ok, "message": message, "at": time.time() if at is None else at, **more}
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(content), encoding="utf-8")
    temporary.replace(path)


def read_state(path: Path, *, now: float | None = None) -> State:
    """What the file says; not ok when it is missing, cannot be read or is too old."""
    now = time.time() if now is None else now
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        state = State(content["ok"] is True, str(content["message"])[:_MAX_MESSAGE], float(content["at"]))
    except FileNotFoundError:
        return State(False, "it has not reported yet", 0.0)
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        return State(False, f"its state file cannot be read: {str(error)[:_MAX_MESSAGE]}", 0.0)
    # Also one from the future: its writer has not reported since the clock was set back, or it is damaged.
    if not abs(now - state.at) <= MAX_AGE_S:
        return State(False, f"it has not reported for {now - state.at:.0f} s", state.at)
    return state
