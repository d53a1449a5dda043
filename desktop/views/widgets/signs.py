"""Signs of states: shape, colour and word together, never colour alone."""

import math
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.model.palette import Palette
from desktop.qtmodels.theme import ThemeController

#: State → word for people.
WORDS: Final[dict[str, str]] = {
    "running": "running",
    "starting": "starting",
    "updating": "updating",
    "rolled back": "rolled back",
    "degraded": "degraded",
    "stopped": "stopped",
    "failed": "failed",
    "pending": "waiting",
    "done": "done",
}


def colour_of(state: str, palette: Palette) -> str:
    """The colour that goes with `state`."""
    return {
        "running": palette.ok,
        "done": palette.ok,
        "starting": palette.warn,
        "updating": palette.accent,
        "rolled back": palette.warn,
        "degraded": palette.warn,
        "failed": palette.bad,
    }.get(state, palette.idle)


def paint_sign(painter: QPainter, rect: QRectF, state: str, palette: Palette, turn: float = 0.0) -> None:
    """● running, ◐ starting or updating, ▲ degraded or rolled back, ■ stopped, ✕ failed, ✓ done, ○ waiting.

    Args:
        painter: Where to.
        rect: A square.
        state: A key of `WORDS`.
        palette: Colours.
        turn: Degrees by which ◐ is turned: it moves while something is under way.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = QColor(colour_of(state, palette))
    pen = QPen(colour, max(1.4, rect.width() / 7))
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    inner = rect.adjusted(1, 1, -1, -1)
    if state == "running":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(inner)
    elif state in ("starting", "updating"):
        painter.setPen(pen)
        painter.drawEllipse(inner)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawPie(inner, round((90 - turn) * 16), 180 * 16)
    elif state in ("degraded", "rolled back"):
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawPolygon(QPolygonF([QPointF(inner.center().x(), inner.top()), inner.bottomRight(), inner.bottomLeft()]))
    elif state == "failed":
        painter.setPen(pen)
        painter.drawLine(inner.topLeft(), inner.bottomRight())
        painter.drawLine(inner.topRight(), inner.bottomLeft())
    elif state == "done":
        painter.setPen(pen)
        path = QPainterPath(QPointF(inner.left(), inner.center().y() + 0.5))
        path.lineTo(inner.left() + inner.width() * 0.38, inner.bottom() - 0.5)
        path.lineTo(inner.right(), inner.top() + 1)
        painter.drawPath(path)
    elif state == "pending":
        pen.setWidthF(1.4)
        painter.setPen(pen)
        painter.drawEllipse(inner)
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(inner.adjusted(0.5, 0.5, -0.5, -0.5), 1.5, 1.5)
    painter.restore()


class StateSign(QWidget):
    """One sign. The word beside it is the owner's; this one carries it for screen readers."""

    def __init__(
        self, *, theme: ThemeController, state: str = "stopped", size: int = 12, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._state = ""
        self._turn = 0.0
        self._size = size
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)
        self.set_state(state)

    @property
    def state(self) -> str:
        """A key of `WORDS`."""
        return self._state

    def set_state(self, state: str) -> None:
        """Show `state`."""
        if state != self._state:
            self._state = state
            self.setAccessibleName(WORDS.get(state, state))
            self.setToolTip(WORDS.get(state, state))
            self.update()

    def set_turn(self, seconds: float) -> None:
        """Turn ◐ with time: one turn in two seconds."""
        if self._state in ("starting", "updating"):
            self._turn = math.fmod(seconds * 180, 360)
            self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(self._size, self._size)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        paint_sign(painter, QRectF(0, 0, self.width(), self.height()), self._state, self._theme.palette, self._turn)
        painter.end()
