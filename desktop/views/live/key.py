"""The strip below the charts: what the lines mean, and which clock the time axis shows."""

from PySide6.QtCore import QLineF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from desktop.model.palette import GAP_LARGE, GAP_SMALL, Palette
from desktop.plots.envelope import FILL_ALPHA, LINE_ALPHA
from desktop.plots.layer import colour, pen
from desktop.plots.steps import BAND_ALPHA, DASH, EDGE_ALPHA, STEP_PX
from desktop.views.widgets.roles import label, set_role

#: Signs and their words, long and short, in the order in which they stand.
SIGNS = (
    ("raw", "raw readings: mean, min–max", "raw: mean, min–max"),
    ("window", "10 s windows from MongoDB: average, min–max", "10 s windows: average, min–max"),
    ("open", "open window, from raw", "open window"),
)
#: Below this width the short words stand.
SHORT_BELOW_PX = 860


class Sign(QWidget):
    """A small sample of a line, drawn as the charts draw it."""

    def __init__(self, kind: str, *, palette: Palette, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind, self._palette = kind, palette
        self.setFixedSize(QSize(26, 14))

    def set_palette(self, palette: Palette) -> None:
        self._palette = palette
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        ratio = self.devicePixelRatioF()
        hue, text = self._palette.sensors["pressure"], self._palette.text
        area = QRectF(1, 2, 24, 10)
        middle = QLineF(1, 7, 25, 7)
        if self._kind == "raw":
            painter.fillRect(area, colour(hue, FILL_ALPHA * 1.5))
            painter.setPen(pen(colour(hue, LINE_ALPHA), ratio))
            painter.drawLine(middle)
        elif self._kind == "window":
            painter.fillRect(area, colour(hue, BAND_ALPHA + FILL_ALPHA))
            painter.setPen(pen(colour(hue, EDGE_ALPHA), ratio))
            painter.drawLine(QLineF(1, 2, 25, 2))
            painter.drawLine(QLineF(1, 12, 25, 12))
            painter.setPen(pen(colour(text), STEP_PX * ratio))
            painter.drawLine(middle)
        else:
            painter.setPen(pen(colour(text), STEP_PX * ratio, DASH))
            painter.drawLine(middle)
        painter.end()


class ChartKey(QWidget):
    """Signs at the left, the clock at the right.

    Attributes:
        clock: Switches between local time and UTC.

    Signals:
        clock_clicked(): the user wants the other clock.
    """

    clock_clicked = Signal()

    def __init__(self, *, palette: Palette, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._signs = [Sign(kind, palette=palette) for kind, _, _ in SIGNS]
        self.clock = set_role(QPushButton(), "link")
        self.clock.setToolTip("Switch between local time and UTC")
        self.clock.setCursor(Qt.CursorShape.PointingHandCursor)
        self.clock.clicked.connect(self.clock_clicked)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, 0, GAP_SMALL, 2)
        layout.setSpacing(6)
        self._words = [label(short, "caption") for _, _, short in SIGNS]
        for sign, words in zip(self._signs, self._words, strict=True):
            layout.addWidget(sign)
            layout.addWidget(words)
            layout.addSpacing(GAP_SMALL)
        layout.addStretch(1)
        layout.addWidget(self.clock)

    def set_clock(self, text: str) -> None:
        """Which clock is shown."""
        self.clock.setText(text)
        self.clock.setAccessibleName(f"Times are in {text}. Switch.")

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        for words, (_, long, short) in zip(self._words, SIGNS, strict=True):
            words.setText(short if self.width() < SHORT_BELOW_PX else long)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        # The long words must not keep the window from getting narrower.
        return QSize(0, super().minimumSizeHint().height())

    def apply_palette(self, palette: Palette) -> None:
        """The colours changed."""
        for sign in self._signs:
            sign.set_palette(palette)
