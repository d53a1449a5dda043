"""What people are told to type: the command line of the very deployment that the hint is about."""

import shlex
from collections.abc import Sequence


def command(stack: str, words: str, *, overlays: Sequence[str] = ()) -> str:
    """``python -m stack up --port-offset 4000``.

    Args:
        stack: Its name, which tells the offset: ``paai-4000``.
        words: Of the command: "logs paai".
        overlays: Names of those beside stack.yml.
    """
    offset = stack.partition("-")[2]
    return shlex.join(
        [
            *("python", "-m", "stack", *words.split()),
            *(["--port-offset", offset] if offset else []),
            *(word for overlay in overlays for word in ("--overlay", overlay)),
        ]
    )
