"""Raw readings of the focus devices: full colour, told apart by their dash pattern and end label."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from desktop.model.snapshot import Curve
from desktop.plots.geometry import Vertices, curve_line, curve_points, same
from desktop.plots.layer import Layer, blend, colour, path_of, pen, point_array, ratio_of, stroke

#: In pixels; the first is solid. Repeats after the last: then only the end label tells.
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
LINE_PX: Final = 1.0
HIGHLIGHT_PX: Final = 2.0
#: The others, while one is drawn stronger.
_WEAK_ALPHA: Final = 0.45


def dash_of(index: int) -> tuple[float, ...]:
    """Dash pattern of the focus device at that place of the legend."""
    return DASHES[index % len(DASHES)]


@dataclass(slots=True)
class _Drawn:
    device_id: str
    line: Vertices
    path: QPainterPath
    dot_x: Any = field(default_factory=lambda: np.empty(0))
    dots: Any = None


class CurvesItem(Layer):
    """Draws the focus devices' curves.

    Attributes:
        drawn: One entry a curve, in the order of the legend; `line` holds the vertices.
        highlighted: Id of the device drawn stronger, or None.
    """

    def __init__(self, *, hue: str, surface: str) -> None:
        super().__init__()
        self.drawn: list[_Drawn] = []
        self.highlighted: str | None = None
        self._order: tuple[str, ...] = ()
        self.set_colours(hue=hue, surface=surface)

    def set_colours(self, *, hue: str, surface: str) -> None:
        """Draw in other colours."""
        self._hue, self._weak = colour(hue), blend(hue, surface, _WEAK_ALPHA)
        self.update()

    def set_highlighted(self, device_id: str | None) -> None:
        """Draw one device stronger and the others weaker."""
        self.highlighted = device_id
        self.update()

    def set_data(self, curves: tuple[Curve, ...], order: tuple[str, ...]) -> None:
        """Draw `curves`; `order` is the legend, from which the dash patterns come."""
        self._order = order
        seconds = self.seconds_per_pixel()
        known = {item.device_id: item for item in self.drawn}
        drawn = []
        for curve in curves:
            line, before = curve_line(curve), known.get(curve.device_id)
            path = before.path if before is not None and same(line, before.line) else path_of(line)
            x, y = curve_points(curve, seconds_per_pixel=seconds, spacing_px=DOT_SPACING_PX)
            dots = point_array(x, y) if len(x) else None
            drawn.append(_Drawn(curve.device_id, line, path, x, dots))
        self.drawn = drawn
        self.update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for item in self.drawn:
            tint, width = self._look(item.device_id)
            index = self._order.index(item.device_id) if item.device_id in self._order else 0
            stroke(painter, item.path, tint, width, dash_of(index))
        dot_pen = pen(self._hue, _DOT_PX * ratio_of(painter))
        dot_pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(dot_pen)
        for item in self.drawn:
            if item.dots is not None:
                painter.drawPoints(*item.dots.drawargs())

    def _look(self, device_id: str) -> tuple[QColor, float]:
        if self.highlighted is None or device_id == self.highlighted:
            return self._hue, LINE_PX if self.highlighted is None else HIGHLIGHT_PX
        return self._weak, LINE_PX
