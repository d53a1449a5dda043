"""What a model expected of the focus devices: a band behind everything and a dotted line in its middle."""

from typing import Final

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QPainter, QPainterPath
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from desktop.model.snapshot import Expected
from desktop.plots.geometry import Vertices, band_polygon, expected_line, same
from desktop.plots.layer import Layer, blend, colour, path_of, stroke

BAND_ALPHA: Final = 0.10
LINE_ALPHA: Final = 0.55
LINE_PX: Final = 1.0
#: In pixels.
DOTS: Final = (1.0, 3.0)

_EMPTY: Final = Vertices(np.empty(0), np.empty(0), np.empty(0, np.int32))


class BandItem(Layer):
    """Draws expected values. In text colour, not in the sensor's hue: it is no reading.

    Attributes:
        outlines, lines: Vertices of each device's band and expected value.
    """

    def __init__(self, *, text: str, surface: str) -> None:
        super().__init__()
        self.outlines: list[Vertices] = []
        self.lines: list[Vertices] = []
        self._paths: list[tuple[QPainterPath, QPainterPath]] = []
        self.set_colours(text=text, surface=surface)

    def set_colours(self, *, text: str, surface: str) -> None:
        """Draw in other colours."""
        self._brush = QBrush(colour(text, BAND_ALPHA))
        self._tint = blend(text, surface, LINE_ALPHA)
        self.update()

    def set_data(self, expected: tuple[Expected, ...]) -> None:
        """Draw these from now on."""
        if not expected and not self.lines:
            return
        outlines, lines = [band_polygon(e) for e in expected], [expected_line(e) for e in expected]
        if len(lines) == len(self.lines) and all(
            same(a, b) for a, b in zip((*outlines, *lines), (*self.outlines, *self.lines), strict=True)
        ):
            return
        self.outlines, self.lines = outlines, lines
        self._paths = [(path_of(o), path_of(line)) for o, line in zip(outlines, lines, strict=True)]
        self.update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for outline, line in self._paths:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._brush)
            painter.drawPath(outline)
            stroke(painter, line, self._tint, LINE_PX, DOTS)
