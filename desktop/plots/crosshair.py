"""The line that crosses all charts at one time."""

from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from desktop.model.palette import Palette
from desktop.plots.axes import PlotFrame
from desktop.plots.layer import Layer, colour, pen


class CrosshairItem(Layer):
    """A vertical hairline at a time, in widget pixels; and a box while the user draws one.

    Attributes:
        at: The time, or None.
        box: The zoom box in pixels, or None.
    """

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self.at: float | None = None
        self.box: QRectF | None = None
        self._frame: PlotFrame | None = None
        self.set_palette(palette)

    def set_palette(self, palette: Palette) -> None:
        """Draw in other colours."""
        self._pen = pen(colour(palette.muted))
        self._box_pen, self._box_fill = pen(colour(palette.accent)), colour(palette.accent, 0.10)
        self.update()

    def set_frame(self, frame: PlotFrame) -> None:
        """Show other ranges or another size."""
        self._frame = frame

    def set_at(self, at: float | None) -> None:
        """Move, or hide with None."""
        if at != self.at:
            self.at = at
            self.update()

    def set_box(self, box: QRectF | None) -> None:
        """Draw the zoom box, or none."""
        self.box = box
        self.update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        if self.at is not None and self._frame is not None:
            x = round(self._frame.x(self.at))
            rect = self._frame.rect
            if rect.left() <= x <= rect.right():
                painter.setPen(self._pen)
                painter.drawLine(QLineF(x, rect.top(), x, rect.bottom()))
        if self.box is not None:
            painter.setPen(self._box_pen)
            painter.fillRect(self.box, self._box_fill)
            painter.drawRect(self.box)
