"""Rounds of every fuzz test, each from a seed of its own, until the time is up: ``python -m tests.fuzz --minutes 60``."""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime

from tests.fuzz.profile import KEPT

#: pytest's status for "no test was collected".
_NOTHING = 5


def main() -> int:
    """Entry point. Exit status: 0 no finding, 1 a finding (its seed is printed)."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=0.0, help="start new rounds for so long; 0 = one round")
    parser.add_argument("--examples", type=int, default=1000, help="for each test and operation")
    parser.add_argument("--seed", type=int, help="repeat the round of this seed")
    parser.add_argument("paths", nargs="*", default=["tests/fuzz"])
    given = parser.parse_args()
    end = time.monotonic() + given.minutes * 60
    rounds = 0
    while rounds == 0 or (time.monotonic() < end and given.seed is None):
        seed = random.SystemRandom().randrange(2**31) if given.seed is None else given.seed
        status = _run(seed, given.examples, given.paths)
        rounds += 1
        if status not in (0, _NOTHING):
            print(f"Finding in round {rounds}. Repeat it: python -m tests.fuzz --examples {given.examples} --seed {seed}")
            return 1
    print(f"No finding in {rounds} rounds.")
    return 0


def _run(seed: int, examples: int, paths: list[str]) -> int:
    """One round; its seed and outcome are kept in ``rounds.jsonl``."""
    begun, at = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    print(f"{at} seed {seed}, {examples} examples", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "-o", "faulthandler_timeout=3600", f"--hypothesis-seed={seed}", *paths]
    environment = os.environ | {"FUZZ_EXAMPLES": str(examples), "FUZZ_SEED": str(seed)}
    status = subprocess.run(command, env=environment, check=False).returncode
    KEPT.mkdir(parents=True, exist_ok=True)
    line = {"at": at, "seed": seed, "examples": examples, "seconds": round(time.monotonic() - begun), "status": status}
    with (KEPT / "rounds.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    return status


if __name__ == "__main__":
    raise SystemExit(main())
