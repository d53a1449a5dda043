"""Labels of the focus devices at the right end of their curves. No two overlap."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from desktop.model.palette import CAPTION_PX, Palette
from desktop.model.snapshot import Curve
from desktop.plots.axes import PlotFrame
from desktop.plots.curves import HIGHLIGHT_PX, LINE_PX, dash_of
from desktop.plots.layer import Layer, colour, pen, ratio_of

#: Room at the right of every chart while there are focus devices.
LABEL_ROOM_PX: Final = 154.0
_SAMPLE_PX: Final = 18.0
_ROW_PX: Final = 15.0


@dataclass(frozen=True, slots=True)
class EndLabel:
    """One label.

    Attributes:
        device_id: The whole id.
        text: As drawn, elided in the middle.
        anchor: Pixel row of the curve's end.
        box: Where it is drawn and clicked.
        index: Place in the legend, which gives the dash pattern.
    """

    device_id: str
    text: str
    anchor: float
    box: QRectF
    index: int


class EndLabelsItem(Layer):
    """Draws the labels beside the plot.

    Attributes:
        labels: As drawn, from top to bottom.
    """

    def __init__(self, palette: Palette, hue: str, font: QFont) -> None:
        super().__init__()
        self.labels: list[EndLabel] = []
        self._font = QFont(font)
        self._font.setPixelSize(CAPTION_PX)
        self._strong = QFont(self._font)
        self._strong.setBold(True)
        self._metrics = QFontMetricsF(self._strong)  # the wider one, which any of them may be written in
        self._elided: dict[str, str] = {}
        self._highlighted: str | None = None
        self.set_colours(palette, hue)

    def set_colours(self, palette: Palette, hue: str) -> None:
        """Draw in other colours."""
        self._text, self._hue = colour(palette.text), colour(hue)
        self.update()

    def set_highlighted(self, device_id: str | None) -> None:
        """Write one of them bold."""
        self._highlighted = device_id
        self.update()

    def set_data(self, curves: tuple[Curve, ...], order: tuple[str, ...], frame: PlotFrame) -> None:
        """Place one label a curve."""
        if not curves and not self.labels:
            return
        anchors = sorted((_end_row(c, frame), c.device_id) for c in curves)
        rows = spread([a for a, _ in anchors], _ROW_PX, frame.rect.top() + _ROW_PX / 2, frame.rect.bottom() - _ROW_PX / 2)
        left = frame.rect.right() + 6
        self.labels = [
            EndLabel(
                device_id,
                self._text_of(device_id),
                anchor,
                QRectF(left, row - _ROW_PX / 2, LABEL_ROOM_PX - 8, _ROW_PX),
                order.index(device_id) if device_id in order else 0,
            )
            for (anchor, device_id), row in zip(anchors, rows, strict=True)
        ]
        self.update()

    def label_at(self, point: QPointF) -> EndLabel | None:
        """The label under a pixel."""
        return next((each for each in self.labels if each.box.contains(point)), None)

    def _text_of(self, device_id: str) -> str:
        if device_id not in self._elided:
            room = LABEL_ROOM_PX - _SAMPLE_PX - 16
            self._elided[device_id] = self._metrics.elidedText(device_id, Qt.TextElideMode.ElideMiddle, room)
        return self._elided[device_id]

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        ratio = ratio_of(painter)
        for each in self.labels:
            row = round(each.box.center().y())
            strong = each.device_id == self._highlighted
            width = (HIGHLIGHT_PX if strong else LINE_PX) * ratio
            painter.setPen(pen(self._hue, width, tuple(d * ratio / width for d in dash_of(each.index))))
            painter.drawLine(QLineF(each.box.left(), row, each.box.left() + _SAMPLE_PX, row))
            painter.setPen(self._text)
            painter.setFont(self._strong if strong else self._font)
            painter.drawText(
                each.box.adjusted(_SAMPLE_PX + 5, 0, 0, 0),
                Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
                each.text,
            )


def spread(wanted: list[float], distance: float, top: float, bottom: float) -> list[float]:
    """Rows at least `distance` apart, each as near to the wanted one as possible, within top … bottom where they fit.

    Args:
        wanted: Ascending.
    """
    if not wanted:
        return []
    # Clusters that overlap are merged and centred on what their members want.
    clusters: list[tuple[float, int]] = []  # centre, members
    for row in wanted:
        centre, size = min(max(row, top), bottom), 1
        while clusters and clusters[-1][0] + clusters[-1][1] * distance / 2 > centre - size * distance / 2:
            other, members = clusters.pop()
            centre = (other * members + centre * size) / (members + size)
            size += members
            half = size * distance / 2
            centre = max(top - distance / 2 + half, min(bottom + distance / 2 - half, centre))
        clusters.append((centre, size))
    rows = []
    for centre, size in clusters:
        rows += [centre + (i - (size - 1) / 2) * distance for i in range(size)]
    return rows


def _end_row(curve: Curve, frame: PlotFrame) -> float:
    """Pixel row of the last reading that is visible."""
    upto = int(np.searchsorted(curve.t, frame.end, "right"))
    value = curve.value[:upto]
    finite = np.flatnonzero(np.isfinite(value))
    if not len(finite):
        return frame.rect.center().y()
    return frame.y(float(value[finite[-1]]))
