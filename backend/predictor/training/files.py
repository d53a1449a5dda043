"""History in files: what `python -m backend.generator history` writes, read as if it came from MongoDB."""

from pathlib import Path

import numpy as np
import pandas as pd

from backend.contract.devices import SENSORS
from backend.predictor.errors import TrainingError
from backend.predictor.training.source import ArraySource
from backend.scoring.layout import F64, I64

_COLUMNS = ["timestamp", "device_id", "value"]


def read_history(folder: Path, *, from_ms: int | None, to_ms: int | None) -> ArraySource:
    """The readings in ``<sensor>.csv`` of a directory; a sensor without a file has none.

    Args:
        folder: As the generator's command leaves it. Its labels of faults are not looked at.
        from_ms, to_ms: Time frame, epoch ms; None = open.

    Raises:
        TrainingError: there is no such directory, or a file of it holds something else.
    """
    found = {sensor: path for sensor in SENSORS if (path := folder / f"{sensor}.csv").is_file()}
    if not found:
        raise TrainingError(
            f"{folder} holds no history: none of {', '.join(f'{sensor}.csv' for sensor in SENSORS)} is there."
            " Make one: python -m backend.generator history --days 0.1 --devices 24 --seed 1 --interval-s 1 --out DIR"
        )
    return ArraySource({sensor: _read(path, from_ms, to_ms) for sensor, path in found.items()})


def _read(path: Path, from_ms: int | None, to_ms: int | None) -> dict[str, tuple[I64, F64]]:
    try:
        table = pd.read_csv(path, usecols=_COLUMNS, dtype={"timestamp": str, "device_id": str, "value": float})
        moments = pd.to_datetime(table["timestamp"], utc=True, format="ISO8601").to_numpy(dtype="datetime64[ms]")
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:  # pandas' and the decoder's errors are all of this kind
        raise TrainingError(f"{path} is no history of timestamp, device_id and value: {str(error)[:200]}.") from error
    table["t_ms"] = moments.astype(np.int64)
    if from_ms is not None:
        table = table[table["t_ms"] >= from_ms]
    if to_ms is not None:
        table = table[table["t_ms"] < to_ms]
    return {
        str(device): (rows["t_ms"].to_numpy(dtype=np.int64), rows["value"].to_numpy(dtype=np.float64))
        for device, rows in table.groupby("device_id", sort=False)
    }
