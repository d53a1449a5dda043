"""Axes and grid of one chart, painted in its widget's pixels. Their room is reserved: a longer label never shifts the plot."""

from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QStaticText
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from desktop.model.palette import CAPTION_PX, Palette
from desktop.plots.layer import Layer, blend, colour, pen
from desktop.plots.ticks import NO_TICKS, Ticks, time_ticks, value_ticks

#: Spacing of the labels along their axis, in pixels.
_TIME_GAP_PX = 36.0
#: Value labels: about six to an axis, but never closer or further apart than this.
_VALUE_SPACING_PX = (22.0, 46.0)
#: Least margin at the right of a plot.
RIGHT_ROOM_PX = 16.0
_TEXTS_KEPT = 200


@dataclass(frozen=True, slots=True)
class PlotFrame:
    """Where the plot lies in its widget and what it shows.

    Attributes:
        rect: The plot's area in pixels.
        start, end: Visible times.
        low, high: Visible values.
    """

    rect: QRectF
    start: float
    end: float
    low: float
    high: float

    def x(self, t: float) -> float:
        """Pixel of a time."""
        return self.rect.left() + (t - self.start) / (self.end - self.start) * self.rect.width()

    def y(self, value: float) -> float:
        """Pixel of a value."""
        return self.rect.bottom() - (value - self.low) / (self.high - self.low) * self.rect.height()

    def time_at(self, x: float) -> float:
        """Time of a pixel."""
        return self.start + (x - self.rect.left()) / self.rect.width() * (self.end - self.start)

    def value_at(self, y: float) -> float:
        """Value of a pixel."""
        return self.low + (self.rect.bottom() - y) / self.rect.height() * (self.high - self.low)


class AxesItem(Layer):
    """Grid, value labels at the left, time labels below.

    Attributes:
        times, values: The ticks drawn.
        utc: Whether times are labelled in UTC instead of local time.
        show_times: Whether this chart carries the time labels.
        show_values: Whether the value axis has ticks and grid lines.
    """

    def __init__(self, palette: Palette, font: QFont) -> None:
        super().__init__()
        self.utc = False
        self.show_times = True
        self.show_values = True
        self.times: Ticks | None = None
        self.values: Ticks | None = None
        self._frame: PlotFrame | None = None
        self._font = QFont(font)
        self._font.setPixelSize(CAPTION_PX)
        self._metrics = QFontMetricsF(self._font)
        self._texts: dict[str, tuple[QStaticText, float]] = {}
        self._label_px = self._metrics.horizontalAdvance("00:00:00") + _TIME_GAP_PX
        self.set_palette(palette)

    def set_palette(self, palette: Palette) -> None:
        """Draw in other colours."""
        # Opaque: blending every grid pixel costs more than drawing it.
        self._grid_pen = pen(blend(palette.line, palette.surface, 0.75))
        self._text_pen = pen(colour(palette.muted))
        self.update()

    def set_frame(self, frame: PlotFrame) -> None:
        """Show other ranges or another size."""
        old = self._frame
        self._frame = frame
        if (
            old is None
            or (old.start, old.end, old.rect.width()) != (frame.start, frame.end, frame.rect.width())
            or self.times is None
        ):
            self.times = time_ticks(frame.start, frame.end, frame.rect.width(), label_px=self._label_px, utc=self.utc)
        if old is None or (old.low, old.high, old.rect.height()) != (frame.low, frame.high, frame.rect.height()):
            height = frame.rect.height()
            spacing = min(max(height / 6, _VALUE_SPACING_PX[0]), _VALUE_SPACING_PX[1])
            self.values = value_ticks(frame.low, frame.high, height, label_px=spacing)
        self.update()

    def set_utc(self, utc: bool) -> None:
        """Label times in UTC, or in local time."""
        self.utc = utc
        self.times = None
        if self._frame is not None:
            self.set_frame(self._frame)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        frame = self._frame
        if frame is None or self.times is None or self.values is None:
            return
        rect = frame.rect
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(self._grid_pen)
        xs = [round(frame.x(v)) for v in self.times.values.tolist()]
        values = self.values if self.show_values else NO_TICKS
        ys = [round(frame.y(v)) for v in values.values.tolist()]
        lines = [QLineF(x, rect.top(), x, rect.bottom()) for x in xs]
        lines += [QLineF(rect.left(), y, rect.right(), y) for y in ys]
        painter.drawLines(lines)
        painter.setPen(self._text_pen)
        painter.setFont(self._font)
        half = self._metrics.height() / 2
        for y, label in zip(ys, values.labels, strict=True):
            # A label that would stick out above or below gives way instead of being cut.
            if rect.top() + half * 0.4 <= y <= rect.bottom() + 1:
                text, width = self._text(label)
                painter.drawStaticText(QPointF(rect.left() - 8 - width, y - half), text)
        if not self.show_times:
            return
        for x, label in zip(xs, self.times.labels, strict=True):
            text, width = self._text(label)
            left = x - width / 2
            if left >= rect.left() - 24 and left + width <= rect.right() + RIGHT_ROOM_PX - 2:
                painter.drawStaticText(QPointF(left, rect.bottom() + 5), text)

    def _text(self, label: str) -> tuple[QStaticText, float]:
        """The laid-out label and its width; laying out is the dear part, and labels come back every frame."""
        known = self._texts.get(label)
        if known is None:
            if len(self._texts) > _TEXTS_KEPT:
                self._texts.clear()
            text = QStaticText(label)
            text.setTextFormat(Qt.TextFormat.PlainText)
            text.prepare(font=self._font)
            known = self._texts[label] = (text, self._metrics.horizontalAdvance(label))
        return known
