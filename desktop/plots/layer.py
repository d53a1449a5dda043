"""The base of everything drawn in a chart, and the only place that knows how arrays become Qt paths.

A layer keeps the arrays it draws (`vertices`, `rects`, …) so that tests and exports see exactly what is on the screen.
"""

from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from pyqtgraph.Qt.internals import PrimitiveArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from desktop.plots.geometry import Rects, Vertices

#: Layers are clipped by their view box; one huge rectangle spares a geometry change each frame.
_EVERYWHERE: Final = QRectF(-1e12, -1e12, 2e12, 2e12)

#: pyqtgraph ships no types.
_array_to_path: Final[Any] = pg.arrayToQPath
_primitive_array: Final[Any] = PrimitiveArray


class Layer(pg.GraphicsObject):
    """One item of a chart; draws in data coordinates."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # pyqtgraph ships no types
        self.setFlag(self.GraphicsItemFlag.ItemUsesExtendedStyleOption, False)

    def boundingRect(self) -> QRectF:  # noqa: N802
        return _EVERYWHERE

    def update(self, *_: object) -> None:
        """Have the chart painted anew: all of it, with the next event loop.

        Not Qt's own, which asks which pixels the item covers: so huge a rectangle overflows there, and nothing is painted.
        """
        scene = self.scene()
        if scene is not None:
            for view in scene.views():
                view.viewport().update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        raise NotImplementedError

    def seconds_per_pixel(self) -> float:
        """Of the view it stands in."""
        view: Any = self.getViewBox()  # type: ignore[no-untyped-call]
        return float(view.viewPixelSize()[0]) if view is not None else 1.0


def path_of(vertices: Vertices) -> QPainterPath:
    """The path of `vertices`; no vertex may be NaN."""
    if not len(vertices.x):
        return QPainterPath()
    path: QPainterPath = _array_to_path(vertices.x, vertices.y, vertices.connect, finiteCheck=False)
    return path


def rect_array(rects: Rects) -> Any:
    """The rectangles as QPainter.drawRects takes them, without one Python object each."""
    array = _primitive_array(QRectF, 4)
    array.resize(len(rects.start))
    memory = array.ndarray()
    memory[:, 0], memory[:, 1] = rects.start, rects.low
    memory[:, 2], memory[:, 3] = rects.end - rects.start, rects.high - rects.low
    return array


def point_array(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> Any:
    """The points as QPainter.drawPoints takes them."""
    array = _primitive_array(QPointF, 2)
    array.resize(len(x))
    memory = array.ndarray()
    memory[:, 0], memory[:, 1] = x, y
    return array


def ratio_of(painter: QPainter) -> float:
    """Device pixels of one logical pixel, where `painter` paints."""
    device = painter.device()
    return device.devicePixelRatioF() if device is not None else 1.0


def stroke(painter: QPainter, path: QPainterPath, tint: QColor, width: float, dash: tuple[float, ...] = ()) -> None:
    """Draw `path` as a line, at any zoom and on any screen as wide as it says.

    Qt draws a cosmetic line of one device pixel fifteen times as fast as any wider one, so a wider one is drawn as several
    side by side.

    Args:
        painter: Where to; its transform may scale, but not turn.
        path: What to.
        tint: Opaque: the lines overlap.
        width: In logical pixels.
        dash: In logical pixels; empty for a solid line.
    """
    ratio = ratio_of(painter)
    painter.setPen(pen(tint, 1.0, tuple(d * ratio for d in dash)))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    lines = max(1, round(width * ratio))
    scale = painter.worldTransform()
    dx, dy = 1 / (scale.m11() * ratio), 1 / (scale.m22() * ratio)
    first = -((lines - 1) // 2)
    places = [(i, 0) for i in range(first, first + lines)] + [(0, i) for i in range(first, first + lines) if i]
    for right, down in places:
        if right or down:
            painter.translate(right * dx, down * dy)
        painter.drawPath(path)
        if right or down:
            painter.translate(-right * dx, -down * dy)


def colour(name: str, alpha: float = 1.0) -> QColor:
    """``#RRGGBB`` with an opacity of 0 … 1."""
    result = QColor(name)
    result.setAlphaF(alpha)
    return result


def blend(name: str, over: str, alpha: float) -> QColor:
    """What `name` with an opacity of `alpha` looks like over `over`, as an opaque colour."""
    top, bottom = QColor(name), QColor(over)
    channels = ((top.red(), bottom.red()), (top.green(), bottom.green()), (top.blue(), bottom.blue()))
    return QColor(*(round(a * alpha + b * (1 - alpha)) for a, b in channels))


def pen(tint: QColor, width: float = 1.0, dash: tuple[float, ...] = ()) -> QPen:
    """A pen as wide as it says in pixels, at any zoom; `dash` in multiples of `width`."""
    result = QPen(tint, width)
    result.setCosmetic(True)
    result.setJoinStyle(result.joinStyle().BevelJoin)
    result.setCapStyle(result.capStyle().FlatCap)
    if dash:
        result.setDashPattern(list(dash))
    return result
