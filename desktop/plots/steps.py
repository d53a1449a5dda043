"""The aggregates: one step a window over exactly [start, end), with a band from its minimum to its maximum."""

from typing import Any, Final

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QPainter, QPainterPath
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from desktop.model.snapshot import Steps
from desktop.plots.geometry import Rects, Vertices, same, step_bands, step_bars, step_line
from desktop.plots.layer import Layer, blend, colour, path_of, pen, ratio_of, rect_array, stroke

STEP_PX: Final = 2.0
BAND_ALPHA: Final = 0.18
#: Minimum and maximum of a window are also lines: a band over the envelope's fill alone would hide where it ends.
EDGE_ALPHA: Final = 0.55
EDGE_PX: Final = 1.0
#: Of an open window, in multiples of the width.
DASH: Final = (2.5, 2.0)

_NO_LINE: Final = Vertices(np.empty(0), np.empty(0), np.empty(0, np.int32))
_NO_RECTS: Final = Rects(np.empty(0), np.empty(0), np.empty(0), np.empty(0))


class StepsItem(Layer):
    """Draws one `Steps`.

    Attributes:
        line, open_line: Vertices of the averages: windows from MongoDB, and provisional ones (dashed).
        bands: Rectangles of the windows from MongoDB.
    """

    def __init__(self, *, hue: str, text: str, surface: str, strength: float = 1.0) -> None:
        super().__init__()
        self.line, self.open_line, self.bands = _NO_LINE, _NO_LINE, _NO_RECTS
        self._steps: Steps | None = None
        self._open_path, self._edges = QPainterPath(), QPainterPath()
        self._rects: Any = None
        self._strength = strength
        self._with_band = True
        self.set_colours(hue=hue, text=text, surface=surface)

    def set_colours(self, *, hue: str, text: str, surface: str) -> None:
        """Draw in other colours."""
        self._hue, self._text, self._surface = hue, text, surface
        self._tint = blend(text, surface, self._strength)
        self._edge = blend(hue, surface, EDGE_ALPHA * self._strength)
        self._brush = QBrush(colour(hue, BAND_ALPHA * self._strength))
        self.update()

    def set_strength(self, strength: float, *, band: bool) -> None:
        """1 = full; less where focus devices stand in front. `band`: whether min–max is drawn."""
        if (strength, band) != (self._strength, self._with_band):
            self._strength, self._with_band = strength, band
            self.set_colours(hue=self._hue, text=self._text, surface=self._surface)

    def set_data(self, steps: Steps) -> None:
        """Draw `steps` from now on."""
        if steps is self._steps:
            return
        self._steps = steps
        line, bands = step_line(steps, provisional=False), step_bands(steps, provisional=False)
        if not (same(line, self.line) and same(bands, self.bands)):
            self.line, self.bands = line, bands
            self._rects, self._edges = rect_array(bands), path_of(_edges(bands))
        self.open_line = step_line(steps, provisional=True)
        self._open_path = path_of(self.open_line)
        self.update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        ratio, scale = ratio_of(painter), painter.worldTransform()
        painter.setPen(Qt.PenStyle.NoPen)
        if self._with_band and self._rects is not None and len(self.bands.start):
            painter.setBrush(self._brush)
            painter.drawRects(*self._rects.drawargs())
            stroke(painter, self._edges, self._edge, EDGE_PX)
        if len(self.line.x):
            # Filled rectangles: a line of two pixels would cost several times as much.
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._tint)
            bars = step_bars(self.line, thick_t=STEP_PX / abs(scale.m11()), thick_value=STEP_PX / abs(scale.m22()))
            rects = rect_array(bars)  # owns the memory that drawargs() points into
            painter.drawRects(*rects.drawargs())
        if len(self.open_line.x):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(pen(self._tint, STEP_PX * ratio, DASH))
            painter.drawPath(self._open_path)


def _edges(bands: Rects) -> Vertices:
    n = len(bands.start)
    x = np.tile(np.stack([bands.start, bands.end], axis=1).ravel(), 2)
    y = np.concatenate((np.repeat(bands.high, 2), np.repeat(bands.low, 2)))
    connect = np.zeros(4 * n, np.int32)
    connect[0::2] = 1
    return Vertices(x, y, connect)
