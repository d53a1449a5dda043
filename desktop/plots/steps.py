"""The 10-second aggregates: one step a window over exactly [start, end), with a band from its minimum to its maximum."""

from typing import Any, Final

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QPainter, QPainterPath
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from desktop.model.snapshot import Steps
from desktop.plots.geometry import Rects, Vertices, step_bands, step_line
from desktop.plots.layer import Layer, colour, path_of, pen, rect_array

STEP_PX: Final = 2.0
BAND_ALPHA: Final = 0.18
#: Minimum and maximum of a window are also lines: a band over the envelope's fill alone would hide where it ends.
EDGE_ALPHA: Final = 0.45
_DASH: Final = (2.5, 2.0)

_NO_LINE: Final = Vertices(np.empty(0), np.empty(0), np.empty(0, np.int32))
_NO_RECTS: Final = Rects(np.empty(0), np.empty(0), np.empty(0), np.empty(0))


class StepsItem(Layer):
    """Draws one `Steps`.

    Attributes:
        line, open_line: Vertices of the averages: windows from MongoDB, and provisional ones (dashed).
        bands: Rectangles of the windows from MongoDB.
    """

    def __init__(self, *, hue: str, text: str, strength: float = 1.0) -> None:
        super().__init__()
        self.line, self.open_line, self.bands = _NO_LINE, _NO_LINE, _NO_RECTS
        self._steps: Steps | None = None
        self._path, self._open_path, self._edges = QPainterPath(), QPainterPath(), QPainterPath()
        self._rects: Any = None
        self._strength = strength
        self._with_band = True
        self.set_colours(hue=hue, text=text)

    def set_colours(self, *, hue: str, text: str) -> None:
        """Draw in other colours."""
        self._hue, self._text = hue, text
        self._pen = pen(colour(text, self._strength), STEP_PX)
        self._open_pen = pen(colour(text, self._strength), STEP_PX, _DASH)
        self._edge_pen = pen(colour(hue, EDGE_ALPHA * self._strength))
        self._brush = QBrush(colour(hue, BAND_ALPHA * self._strength))
        self.update()

    def set_strength(self, strength: float, *, band: bool) -> None:
        """1 = full; less where focus devices stand in front. `band`: whether min–max is drawn."""
        if (strength, band) != (self._strength, self._with_band):
            self._strength, self._with_band = strength, band
            self.set_colours(hue=self._hue, text=self._text)

    def set_data(self, steps: Steps) -> None:
        """Draw `steps` from now on."""
        if steps is self._steps:
            return
        self._steps = steps
        self.line, self.open_line = step_line(steps, provisional=False), step_line(steps, provisional=True)
        self.bands = step_bands(steps, provisional=False)
        self._path, self._open_path = path_of(self.line), path_of(self.open_line)
        self._rects = rect_array(self.bands)
        self._edges = path_of(_edges(self.bands))
        self.update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        if self._with_band and self._rects is not None and len(self.bands.start):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._brush)
            painter.drawRects(*self._rects.drawargs())
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(self._edge_pen)
            painter.drawPath(self._edges)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(self._pen)
        painter.drawPath(self._path)
        painter.setPen(self._open_pen)
        painter.drawPath(self._open_path)


def _edges(bands: Rects) -> Vertices:
    n = len(bands.start)
    x = np.tile(np.stack([bands.start, bands.end], axis=1).ravel(), 2)
    y = np.concatenate((np.repeat(bands.high, 2), np.repeat(bands.low, 2)))
    connect = np.zeros(4 * n, np.int32)
    connect[0::2] = 1
    return Vertices(x, y, connect)
