"""The wire as one JSON document: schemas of readings and DeviceMessage, and every name.

``python -m backend.contract.schema`` writes it, ``--check`` says whether the committed file still is what the code says.
"""

import argparse
import inspect
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from backend.contract import limits, names, ports
from backend.contract.devices import DEVICE_TYPES
from backend.contract.messages import DeviceMessage
from backend.contract.readings import Reading

PATH: Final = Path(__file__).with_name("schema.json")


def _constants(module: Any) -> dict[str, Any]:
    return {name: getattr(module, name) for name in sorted(vars(module)) if name.isupper()}


def build() -> dict[str, Any]:
    """The document."""
    (reference,), definitions = msgspec.json.schema_components([DeviceMessage])
    assert reference == {"$ref": "#/$defs/DeviceMessage"}  # noqa: S101
    message = definitions["DeviceMessage"]
    # The interpreter takes the indentation of docstrings away from 3.13 on.
    message["description"] = inspect.cleandoc(message["description"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "reading": TypeAdapter(Reading).json_schema(),
        "device_message": message,
        "device_types": [asdict(device) for device in DEVICE_TYPES],
        "names": _constants(names),
        "ports": _constants(ports),
        "limits": _constants(limits),
    }


def render() -> str:
    """The text of the committed file."""
    return json.dumps(build(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m backend.contract.schema", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the committed file is up to date")
    if not parser.parse_args(arguments).check:
        PATH.write_text(render(), encoding="utf-8")
        return 0
    if PATH.is_file() and PATH.read_text(encoding="utf-8") == render():
        return 0
    sys.stderr.write("backend/contract/schema.json is out of date: run python -m backend.contract.schema\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
