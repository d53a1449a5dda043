"""Small JSON files that several processes read and write: whole or not at all."""

import json
import os
from pathlib import Path
from typing import Any, TypeGuard


def read(path: Path) -> dict[str, Any]:
    """The object in the file; empty where there is none or it is damaged (it is rewritten then)."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def counts(path: Path) -> dict[str, int]:
    """The numbers in the file, by name; what is no number is left out."""
    return {name: value for name, value in read(path).items() if is_count(value)}


def strings(value: object) -> tuple[str, ...]:
    """The texts of a list from a file; empty where it is no list."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def is_count(value: object) -> TypeGuard[int]:
    """Whether a value from a file is a number from 0 that a counter can hold; JSON's true is none."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def write(path: Path, value: dict[str, Any]) -> None:
    """Replace the file at once: a reader sees the old or the new content.

    Raises:
        OSError: it cannot be written; the old content stays.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(json.dumps(value) + "\n", "utf-8")
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
