"""``python -m tests.benchmarks [--write] [whole] [stages] [ingest] [sink] [feed]``.

Without a name all of them, and what they found goes into docs/benchmarks.md; with names only where ``--write`` is given.
"""

import sys
from collections.abc import Callable

from tests.benchmarks import feed, ingest, sink, stages, whole
from tests.benchmarks.report import Row, write
from tests.benchmarks.system import BenchSystem, bench_system


def _on_system(run: Callable[[BenchSystem], list[Row]]) -> Callable[[], list[Row]]:
    """Give a benchmark a running system."""

    def with_system() -> list[Row]:
        with bench_system() as system:
            return run(system)

    return with_system


# `feed` last: what it puts into the topic would keep the sink busy for minutes.
ALL = {
    "whole": _on_system(whole.run),
    "stages": _on_system(stages.run),
    "ingest": _on_system(ingest.run),
    "sink": sink.run,
    "feed": _on_system(feed.run),
}


def main(names: list[str]) -> None:
    """Run the benchmarks of these names."""
    keep = "--write" in names or not names
    names = [name for name in names if name != "--write"]
    unknown = set(names) - ALL.keys()
    if unknown:
        raise SystemExit(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(ALL)}")
    for name in names or ALL:
        rows = ALL[name]()
        for row in rows:
            print(
                f"{row.what}: {row.ours} / {row.reference} = {row.ratio} (wanted {row.wanted})",
                *row.notes,
                sep="\n    ",
                flush=True,
            )
        if keep:
            write({name: rows})


if __name__ == "__main__":
    main(sys.argv[1:])
