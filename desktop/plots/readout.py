"""What the crosshair reads, in a small panel: both sources in the same columns, so that they can be compared."""

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPixmap
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from desktop.model.figures import UNKNOWN, thousands
from desktop.model.palette import CAPTION_PX, RADIUS_SMALL, Palette
from desktop.plots.axes import PlotFrame
from desktop.plots.figures import elide_middle, value_text
from desktop.plots.layer import Layer, colour, pen, ratio_of
from desktop.plots.lookup import Readout, WindowAt
from desktop.plots.ticks import time_text

_ROW_PX: Final = 15.0
_LEAST_ROW_PX: Final = 12.0
_PAD_PX: Final = 7.0
_COLUMN_GAP_PX: Final = 12.0
#: More focus devices than this would cover the chart.
_MAX_FOCUS: Final = 4


@dataclass(frozen=True, slots=True)
class Table:
    """The panel's text: a head and rows of the same number of cells; the first column is left-aligned."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def table_of(readout: Readout, sensor: str, *, utc: bool) -> Table:
    """The texts of `readout`."""
    blank = (UNKNOWN,) * 4
    raw, window = readout.raw, readout.window
    rows = [
        (
            "raw readings",
            *(_three(sensor, raw.low, raw.mean, raw.high) if raw else blank),
            thousands(raw.count) if raw else UNKNOWN,
        ),
        (
            _window_name(window, utc=utc),
            *(_three(sensor, window.low, window.avg, window.high) if window else blank),
            thousands(window.count) if window else UNKNOWN,
        ),
    ]
    for focus in readout.focus[:_MAX_FOCUS]:
        name = elide_middle(focus.device_id, 20)
        rows.append((f"{name} · raw", "", value_text(sensor, focus.value, more=1), "", ""))
        if focus.window is not None:
            w = focus.window
            rows.append(("", *_three(sensor, w.low, w.avg, w.high), thousands(w.count)))
    if len(readout.focus) > _MAX_FOCUS:
        rows.append((f"and {len(readout.focus) - _MAX_FOCUS} more", "", "", "", ""))
    return Table((time_text(readout.at, utc=utc, decimals=1), "min", "mean", "max", "count"), tuple(rows))


def _three(sensor: str, low: float, mean: float, high: float) -> tuple[str, str, str]:
    return value_text(sensor, low, more=1), value_text(sensor, mean, more=1), value_text(sensor, high, more=1)


def _window_name(window: WindowAt | None, *, utc: bool) -> str:
    if window is None:
        return "Spark"
    start, end = time_text(window.start, utc=utc), time_text(window.end, utc=utc)
    return f"{'open' if window.provisional else 'Spark'} {start[3:]}–{end[6:]}"


class ReadoutItem(Layer):
    """Draws the panel, at the end of the plot that is far from the crosshair.

    Attributes:
        table: As drawn, or None.
    """

    def __init__(self, palette: Palette, font: QFont) -> None:
        super().__init__()
        self.table: Table | None = None
        self._frame: PlotFrame | None = None
        self._at = 0.0
        self._font = QFont(font)
        self._font.setPixelSize(CAPTION_PX)
        self._metrics = QFontMetricsF(self._font)
        self._widths: list[float] = []
        self._picture: QPixmap | None = None
        self._picture_of: tuple[Table, QSize, float, float] | None = None
        self.set_palette(palette)

    def set_palette(self, palette: Palette) -> None:
        """Draw in other colours."""
        self._fill, self._line = colour(palette.surface, 0.94), pen(colour(palette.line))
        self._text, self._muted = colour(palette.text), colour(palette.muted)
        self._picture = None
        self.update()

    def show_table(self, table: Table | None, at: float, frame: PlotFrame) -> None:
        """Draw `table` at the crosshair's time, or nothing."""
        if table is None and self.table is None:
            return
        if table is not None and table != self.table:
            cells = (table.head, *table.rows)
            widths = [max(self._metrics.horizontalAdvance(row[i]) for row in cells) for i in range(len(table.head))]
            # The panel never gets narrower under the crosshair: its columns would jump.
            same = len(self._widths) == len(widths) and self.table is not None
            self._widths = [max(a, b) for a, b in zip(widths, self._widths, strict=True)] if same else widths
        self.table, self._frame, self._at = table, frame, at
        self.update()

    def set_frame(self, frame: PlotFrame) -> None:
        """Show other ranges or another size."""
        self._frame = frame

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        table, frame = self.table, self._frame
        if table is None or frame is None or not frame.start <= self._at <= frame.end:
            return
        width = sum(self._widths) + _COLUMN_GAP_PX * (len(self._widths) - 1) + 2 * _PAD_PX
        rows = len(table.rows) + 1
        # A low chart gets closer rows rather than a panel over its time labels.
        pitch = min(_ROW_PX, max(_LEAST_ROW_PX, (frame.rect.height() - 8 - 2 * _PAD_PX + 2) / rows))
        size = QSize(round(width) + 1, round(pitch * rows + 2 * _PAD_PX - 2) + 1)
        # At the far end of the plot: what lies under the crosshair stays in sight.
        left = frame.rect.left() + 8 if frame.x(self._at) > frame.rect.center().x() else frame.rect.right() - 8 - width
        ratio = ratio_of(painter)
        key = (table, size, pitch, ratio)
        if self._picture is None or key != self._picture_of:
            # Kept: text is the dearest thing in a chart, and at a time in the past it seldom changes.
            self._picture, self._picture_of = self._paint_panel(table, size, pitch, ratio), key
        painter.drawPixmap(QPointF(round(left), round(frame.rect.top() + 4)), self._picture)

    def _paint_panel(self, table: Table, size: QSize, pitch: float, ratio: float) -> QPixmap:
        picture = QPixmap(size * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(self._line)
        painter.setBrush(self._fill)
        painter.drawRoundedRect(QRectF(0.5, 0.5, size.width() - 1, size.height() - 1), RADIUS_SMALL, RADIUS_SMALL)
        painter.setFont(self._font)
        y = _PAD_PX - 1
        for number, row in enumerate((table.head, *table.rows)):
            x = _PAD_PX
            for column, cell in enumerate(row):
                quiet = (number == 0 and column > 0) or (number > 0 and column in (0, 4))
                painter.setPen(self._muted if quiet else self._text)
                align = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
                painter.drawText(QRectF(x, y, self._widths[column], pitch), align | Qt.AlignmentFlag.AlignVCenter, cell)
                x += self._widths[column] + _COLUMN_GAP_PX
            y += pitch
        painter.end()
        return picture
