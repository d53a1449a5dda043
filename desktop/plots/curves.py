"""Raw readings of the focus devices: full colour, told apart by their dash pattern and end label."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from desktop.model.snapshot import Curve
from desktop.plots.geometry import Vertices, curve_line, curve_points
from desktop.plots.layer import Layer, colour, path_of, pen, point_array

#: In multiples of the pen's width; the first is solid. Repeats after the last: then only the end label tells.
DASHES: Final[tuple[tuple[float, ...], ...]] = (
    (),
    (6, 3),
    (2, 2),
    (8, 3, 2, 3),
    (12, 4),
    (4, 2, 1, 2),
    (1, 3),
    (10, 2, 2, 2, 2, 2),
)
#: Readings are marked by dots where they stand at least this far apart.
DOT_SPACING_PX: Final = 7.0
_DOT_PX: Final = 4.0


def dash_of(index: int) -> tuple[float, ...]:
    """Dash pattern of the focus device at that place of the legend."""
    return DASHES[index % len(DASHES)]


@dataclass(slots=True)
class _Drawn:
    curve: Curve
    line: Vertices
    path: QPainterPath
    pen: QPen
    dot_x: Any = field(default_factory=lambda: np.empty(0))
    dots: Any = None


class CurvesItem(Layer):
    """Draws the focus devices' curves.

    Attributes:
        drawn: One entry a curve, in the order of the legend; `line` holds the vertices.
        highlighted: Id of the device drawn stronger, or None.
    """

    def __init__(self, hue: str) -> None:
        super().__init__()
        self.drawn: list[_Drawn] = []
        self.highlighted: str | None = None
        self._order: tuple[str, ...] = ()
        self._hue = hue
        self._dot_pen = QPen()
        self.set_hue(hue)

    def set_hue(self, hue: str) -> None:
        """Draw in another colour."""
        self._hue = hue
        self._dot_pen = pen(colour(hue), _DOT_PX)
        self._dot_pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        for item in self.drawn:
            item.pen = self._pen(item.curve.device_id)
        self.update()

    def set_highlighted(self, device_id: str | None) -> None:
        """Draw one device stronger and the others weaker."""
        self.highlighted = device_id
        self.set_hue(self._hue)

    def set_data(self, curves: tuple[Curve, ...], order: tuple[str, ...]) -> None:
        """Draw `curves`; `order` is the legend, from which the dash patterns come."""
        self._order = order
        seconds = self.seconds_per_pixel()
        drawn = []
        for curve in curves:
            line = curve_line(curve)
            x, y = curve_points(curve, seconds_per_pixel=seconds, spacing_px=DOT_SPACING_PX)
            dots = point_array(x, y) if len(x) else None
            drawn.append(_Drawn(curve, line, path_of(line), self._pen(curve.device_id), x, dots))
        self.drawn = drawn
        self.update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for item in self.drawn:
            painter.setPen(item.pen)
            painter.drawPath(item.path)
        painter.setPen(self._dot_pen)
        for item in self.drawn:
            if item.dots is not None:
                painter.drawPoints(*item.dots.drawargs())

    def _pen(self, device_id: str) -> QPen:
        index = self._order.index(device_id) if device_id in self._order else 0
        if self.highlighted is None:
            return pen(colour(self._hue), 1.0, dash_of(index))
        if device_id == self.highlighted:
            # Dashes are in multiples of the width.
            return pen(colour(self._hue), 2.0, tuple(d / 2 for d in dash_of(index)))
        return pen(colour(self._hue, 0.45), 1.0, dash_of(index))
