"""The key that model files are sealed with: made once, kept as long as the models that it seals."""

import os
import secrets
from pathlib import Path

from stack.errors import PreflightError


def provide(path: Path) -> None:
    """Make the file with a key of 256 random bits, readable by this user only, unless it is there.

    Raises:
        PreflightError: it can be neither made nor read.
    """
    try:
        if path.exists() and path.read_text("utf-8").strip():
            path.chmod(0o600)
            return
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.unlink(missing_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(secrets.token_hex(32) + "\n")
        temporary.replace(path)
    except (OSError, UnicodeError) as error:
        raise PreflightError(
            f"The key of the prediction models in {path} cannot be used",
            why=f"{error.strerror if isinstance(error, OSError) and error.strerror else error}.",
            remedy="Make it a file that you may read. Without it a new key is made, and models of before must be trained anew.",
        ) from error
