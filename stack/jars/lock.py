"""Resolves ivy.xml anew and writes jars.lock: `python -m stack.jars.lock`. For developers, after a change of ivy.xml."""

import sys
import tempfile
from pathlib import Path

from stack.errors import StackError
from stack.jars import lockfile
from stack.jars.lockfile import Lock
from stack.jars.resolver import run_with_retries


def make_lock(work: Path) -> Lock:
    """Resolve into `work` and describe what came. Raises as `resolve` does."""
    out = work / "out"
    run_with_retries(
        cache=work / "cache",
        out=out,
        expected=150,
        checksums=True,
        on_progress=lambda done, total, text: print(f"{text}", file=sys.stderr),  # noqa: T201
        cancel=None,
    )
    return Lock(lockfile.sha256_of(lockfile.IVY_XML), lockfile.scan(out))


def main() -> int:
    """Returns the exit code."""
    try:
        with tempfile.TemporaryDirectory() as work:
            lock = make_lock(Path(work))
    except StackError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    lockfile.LOCK_FILE.write_text(lockfile.render(lock), encoding="utf-8")
    print(f"{len(lock.files)} files, {sum(file.size for file in lock.files) / 1e6:.0f} MB", file=sys.stderr)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
