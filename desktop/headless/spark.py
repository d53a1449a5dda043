"""A sparkline of block characters."""

import numpy as np

from desktop.model.snapshot import FloatArray

_BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: FloatArray, width: int) -> str:
    """At most `width` characters, the newest at the right; a gap is a space, a flat line is in the middle."""
    if not len(values) or width < 1:
        return ""
    if len(values) > width:
        # The mean of each group of neighbours, groups counted from the newest.
        size = -(-len(values) // width)
        padded = np.concatenate((np.full(-len(values) % size, np.nan), values)).reshape(-1, size)
        count = (~np.isnan(padded)).sum(axis=1)
        values = np.where(count > 0, np.nansum(padded, axis=1) / np.maximum(count, 1), np.nan)
    known = values[~np.isnan(values)]
    if not len(known):
        return " " * len(values)
    low, high = float(known.min()), float(known.max())
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    flat = len(_BLOCKS) // 2
    return "".join(" " if np.isnan(v) else _BLOCKS[flat if scale == 0 else round((v - low) * scale)] for v in values.tolist())
