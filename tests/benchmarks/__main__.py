"""``python -m tests.benchmarks [--write] [whole] [ingest] [feed]``.

Without a name all of them, and what they found goes into docs/benchmarks.md; with names only where ``--write`` is given.
"""

import sys

from tests.benchmarks import feed, ingest, whole
from tests.benchmarks.report import write
from tests.benchmarks.system import bench_system

# `feed` last: what it puts into the topic would keep the sink busy for minutes.
ALL = {"whole": whole.run, "ingest": ingest.run, "feed": feed.run}


def main(names: list[str]) -> None:
    """Run the benchmarks of these names."""
    keep = "--write" in names or not names
    names = [name for name in names if name != "--write"]
    unknown = set(names) - ALL.keys()
    if unknown:
        raise SystemExit(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(ALL)}")
    for name in names or ALL:
        with bench_system() as system:
            rows = ALL[name](system)
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
