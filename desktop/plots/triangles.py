"""Odd readings: filled triangles with an outline, pointing at the reading from above; never colour alone."""

from typing import Final

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from desktop.model.palette import Palette
from desktop.model.snapshot import NO_MARKS, Marks
from desktop.plots.axes import PlotFrame
from desktop.plots.layer import Layer

#: Width and height of a triangle, by grade: info, warning, critical.
SIZES: Final = {1: 7.0, 2: 9.0, 3: 11.0}
#: Between the tip and the reading.
_GAP_PX: Final = 2.0
#: Closer ones to the left of another are left out, unless they are more urgent: a heap of triangles hides the curve.
_SPACING_PX: Final = 3.0
_HIT_PX: Final = 9.0


class TrianglesItem(Layer):
    """Drawn in the widget's pixels, beside the plot's layers, so that they keep their shape at any zoom.

    Attributes:
        drawn: Indices into the marks of what is drawn, ascending in time.
    """

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self.drawn: list[int] = []
        self._marks = NO_MARKS
        self._frame: PlotFrame | None = None
        self._tips: list[QPointF] = []
        self.set_palette(palette)

    def set_palette(self, palette: Palette) -> None:
        """Draw in other colours."""
        self._fills = {1: QColor(palette.idle), 2: QColor(palette.warn), 3: QColor(palette.bad)}
        self._outline = QPen(QColor(palette.text), 1.0)
        self._outline.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        self.update()

    def set_data(self, marks: Marks, frame: PlotFrame) -> None:
        """Draw these from now on."""
        if not len(marks.t) and not self.drawn:
            self._marks, self._frame = marks, frame
            return
        self._marks, self._frame = marks, frame
        self._place()
        self.update()

    def mark_at(self, point: QPointF) -> int | None:
        """Index of the mark whose triangle is under a pixel; the most urgent of several."""
        near = [
            i
            for i, tip in zip(self.drawn, self._tips, strict=True)
            if abs(point.x() - tip.x()) <= _HIT_PX / 2 + 1 and -1 <= tip.y() - point.y() <= SIZES[3] + 2
        ]
        return max(near, key=lambda i: int(self._marks.grade[i]), default=None)

    def _place(self) -> None:
        frame, marks = self._frame, self._marks
        self.drawn, self._tips = [], []
        if frame is None:
            return
        inside = np.flatnonzero((marks.t >= frame.start) & (marks.t <= frame.end))
        last: dict[int, float] = {}  # by row of pixels, where the one before stands
        for i in inside.tolist():
            x = frame.x(float(marks.t[i]))
            value = float(marks.value[i])
            # A silence has no value: its triangle stands on the plot's lower edge.
            y = frame.rect.bottom() if value != value else min(max(frame.y(value), frame.rect.top()), frame.rect.bottom())
            tip = QPointF(x, max(y - _GAP_PX, frame.rect.top() + SIZES[3]))
            row = round(tip.y() / SIZES[3])
            if x - last.get(row, -1e9) < _SPACING_PX and marks.grade[i] <= marks.grade[self.drawn[-1]]:
                continue
            last[row] = x
            self.drawn.append(i)
            self._tips.append(tip)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if not self.drawn:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(self._outline)
        for i, tip in zip(self.drawn, self._tips, strict=True):
            grade = int(self._marks.grade[i])
            size = SIZES.get(grade, SIZES[2])
            painter.setBrush(self._fills.get(grade, self._fills[2]))
            corners = [tip, QPointF(tip.x() - size / 2, tip.y() - size), QPointF(tip.x() + size / 2, tip.y() - size)]
            painter.drawPolygon(QPolygonF(corners))
