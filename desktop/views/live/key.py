"""The strip below the charts: what the lines mean, and which clock the time axis shows."""

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from desktop.model.palette import GAP_LARGE, GAP_SMALL, Palette
from desktop.plots.band import BAND_ALPHA as EXPECTED_ALPHA
from desktop.plots.band import DOTS
from desktop.plots.band import LINE_ALPHA as EXPECTED_LINE_ALPHA
from desktop.plots.envelope import FILL_ALPHA, LINE_ALPHA
from desktop.plots.layer import colour, pen
from desktop.plots.steps import BAND_ALPHA, DASH, EDGE_ALPHA, STEP_PX
from desktop.views.widgets.roles import label, set_role

#: Signs and their words, from the longest to the shortest, in the order in which they stand.
SIGNS = (
    ("raw", "raw readings: mean, min–max", "raw: mean, min–max", "raw"),
    ("window", "windows from MongoDB: average, min–max", "windows: average, min–max", "windows"),
    ("open", "open window, from raw", "open window", "open window"),
    ("expected", "expected, 90 % band", "expected", "expected"),
    ("odd", "anomaly", "anomaly", "anomaly"),
)
#: These stand there once a model has said something.
OF_MODEL = frozenset({"expected", "odd"})
_SIGN_PX = 26
_SPACING_PX = 6


class Sign(QWidget):
    """A small sample of a line, drawn as the charts draw it."""

    def __init__(self, kind: str, *, palette: Palette, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind, self._palette = kind, palette
        self.setFixedSize(QSize(_SIGN_PX, 14))

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
        elif self._kind == "expected":
            painter.fillRect(area, colour(text, EXPECTED_ALPHA))
            painter.setPen(pen(colour(text, EXPECTED_LINE_ALPHA), ratio, DOTS))
            painter.drawLine(middle)
        elif self._kind == "odd":
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(text), 1.0))
            painter.setBrush(QColor(self._palette.warn))
            painter.drawPolygon(QPolygonF([QPointF(13, 12), QPointF(8.5, 3), QPointF(17.5, 3)]))
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
        self._signs = [Sign(kind, palette=palette) for kind, *_ in SIGNS]
        self._of_model = False
        self.clock = set_role(QPushButton(), "link")
        self.clock.setToolTip("Switch between local time and UTC")
        self.clock.setCursor(Qt.CursorShape.PointingHandCursor)
        self.clock.clicked.connect(self.clock_clicked)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, 0, GAP_SMALL, 2)
        layout.setSpacing(_SPACING_PX)
        self._words = [label(texts[-1], "caption") for _, *texts in SIGNS]
        for sign, words in zip(self._signs, self._words, strict=True):
            layout.addWidget(sign)
            layout.addWidget(words)
            layout.addSpacing(GAP_SMALL)
        layout.addStretch(1)
        layout.addWidget(self.clock)
        self._show_of_model()

    def note_model(self) -> None:
        """A model has said something: explain how that is drawn."""
        if not self._of_model:
            self._of_model = True
            self._show_of_model()

    def _show_of_model(self) -> None:
        for sign, words, (kind, *_) in zip(self._signs, self._words, SIGNS, strict=True):
            for widget in (sign, words):
                widget.setVisible(self._of_model or kind not in OF_MODEL)
        self._fit_words()

    def set_clock(self, text: str) -> None:
        """Which clock is shown."""
        self.clock.setText(text)
        self.clock.setAccessibleName(f"{text}. Switch.")
        self._fit_words()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._fit_words()

    def _fit_words(self) -> None:
        """Use the longest words that fit."""
        shown = [i for i, (kind, *_) in enumerate(SIGNS) if self._of_model or kind not in OF_MODEL]
        room = self.width() - GAP_LARGE - GAP_SMALL - self.clock.sizeHint().width()
        advance = self._words[0].fontMetrics().horizontalAdvance
        for texts in list(zip(*SIGNS, strict=True))[1:]:
            needed = sum(_SIGN_PX + advance(texts[i]) + GAP_SMALL + 3 * _SPACING_PX for i in shown)
            if needed <= room:
                break
        for words, text in zip(self._words, texts, strict=True):
            words.setText(text)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        # The long words must not keep the window from getting narrower.
        return QSize(0, super().minimumSizeHint().height())

    def apply_palette(self, palette: Palette) -> None:
        """The colours changed."""
        for sign in self._signs:
            sign.set_palette(palette)
