"""Commands to type, as the window and the terminal show them: for the very system in use, with the Python in use."""

import shlex
import sys
from pathlib import Path

from desktop.services.switched_target import SwitchedTarget
from stack.choose import arguments_of
from stack.target import Target


def command(target: Target, module: str, *words: str) -> str:
    """``.venv/bin/python -m stack down --port-offset 4000``.

    Args:
        target: The system that the command shall address.
        module: "stack" or "desktop".
        words: What follows it.
    """
    current = target.current if isinstance(target, SwitchedTarget) else target
    return shlex.join((_python(), "-m", module, *words, *arguments_of(current)))


def _python() -> str:
    """As short as it can be typed in this folder."""
    program = Path(sys.executable)
    return str(program.relative_to(Path.cwd())) if program.is_relative_to(Path.cwd()) else str(program)
