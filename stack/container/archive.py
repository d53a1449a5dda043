"""Class data archives of the JVMs: what one has loaded and checked, kept in the image, so that its start costs half as much.

Recorded once while the image is built (see `record`). An archive that does not fit (another Java) is ignored by the JVM.
"""

import os
from pathlib import Path
from typing import Final

FOLDER: Final = Path("/opt/paai/cds")
#: Set while the image is built.
RECORDING: Final = "PAAI_RECORD_ARCHIVES"


def flags(role: str) -> tuple[str, ...]:
    """For the JVM of that role: use its archive, record it, or nothing."""
    file = FOLDER / f"{role}.jsa"
    quiet = "-Xlog:cds*=error"  # it tells of every class that cannot be archived
    if os.environ.get(RECORDING):
        return (f"-XX:ArchiveClassesAtExit={file}", quiet)
    return (f"-XX:SharedArchiveFile={file}", quiet) if file.exists() else ()


def applied(role: str, command: tuple[str, ...]) -> tuple[str, ...]:
    """The command of a JVM with its flags."""
    program, *rest = command
    return (program, *flags(role), *rest)
