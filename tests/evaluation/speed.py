"""`python -m tests.evaluation.speed FILE`: CPU time of scoring beside the bare model call, on the same batches, alternately."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from backend.predictor.models.bundle import Bundle, load
from backend.scoring.engine import Engine
from backend.scoring.layout import SENSOR_NAMES
from tests.evaluation.streams import Stream

#: Batches before anything is measured: windows fill.
_WARM, _MEASURED = 30, 120


def measure(bundle: Bundle, *, per_type: int) -> dict[str, Any]:
    """Batches of one reading of each device.

    Returns:
        Readings per second of CPU, whole and bare (median batch), and their ratio.
    """
    stream = Stream(seed=3, per_type=per_type, hours=(_WARM + _MEASURED) / 3600)
    engine, twin = Engine(bundle.profiles, forecaster=bundle), Engine(bundle.profiles, explain=True)
    rows, fresh = engine.state.rows(stream.ids, stream.sensors.tolist())
    twin.state.rows(stream.ids, stream.sensors.tolist())
    whole, bare = [], []
    for number, part in enumerate(stream.parts(seconds=1)):
        began = time.process_time()
        engine.score_rows(rows[part.device], fresh, part.t_ms, part.values)
        middle = time.process_time()
        seen = twin.score_rows(rows[part.device], fresh, part.t_ms, part.values).features
        assert seen is not None
        features, codes = np.nan_to_num(seen), stream.sensors[part.device]
        before = time.process_time()
        for code in np.unique(codes).tolist():
            bundle.predict(SENSOR_NAMES[code], features[codes == code])
        if number >= _WARM:
            whole.append(middle - began)
            bare.append(time.process_time() - before)
        fresh = fresh[:0]
    n = len(stream.ids)
    seconds, model_s = float(np.median(whole)), float(np.median(bare))
    return {
        "devices": n,
        "readings_per_s": round(n / seconds),
        "bare_model_per_s": round(n / model_s),
        "ratio": round(model_s / seconds, 3),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.speed")
    parser.add_argument("model", type=Path, help="as `python -m tests.evaluation --model FILE` stores it")
    parser.add_argument("--per-type", type=int, nargs="+", default=[250, 1000], help="devices of each type (250 1000)")
    given = parser.parse_args()
    bundle = load(given.model.read_bytes(), key=b"evaluation")
    for per_type in given.per_type:
        sys.stdout.write(json.dumps(measure(bundle, per_type=per_type)) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
