"""How many examples, from which seed, and where failing ones are kept: the same for hypothesis and schemathesis."""

import os
from pathlib import Path

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "100"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
#: Failing examples, and the seed of each round; `make clean` leaves it.
KEPT = Path(os.environ.get("FUZZ_DIR", ".fuzz"))
DATABASE = KEPT / "examples"
