"""Labels of changing numbers, as wide as their widest text so that nothing moves; and long texts elided."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from desktop.model.plain_text import tool_tip
from desktop.views.widgets.roles import set_role


class Figure(QLabel):
    """A number in a fixed place.

    The width is that of `template` (the widest text expected) and only ever grows.
    """

    def __init__(self, template: str, *, role: str = "", right: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._template = template
        self.setTextFormat(Qt.TextFormat.PlainText)
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        self.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        if role:
            set_role(self, role)

    def setText(self, text: str) -> None:  # noqa: N802 - Qt's name
        if text == self.text():
            return
        if len(text) > len(self._template):
            self._template = text
            self.updateGeometry()
        super().setText(text)

    def sizeHint(self) -> QSize:  # noqa: N802
        hint = super().sizeHint()
        width = self.fontMetrics().horizontalAdvance(self._template)
        return QSize(max(width, hint.width()) + 1, hint.height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return self.sizeHint()


class Elided(QWidget):
    """One line of text, elided where there is no room; the whole in a tooltip."""

    def __init__(
        self,
        text: str = "",
        *,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle,
        role: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._mode = mode
        self._label = QLabel(self)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        if role:
            set_role(self._label, role)
        self._text = ""
        self._label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.set_text(text)

    def text(self) -> str:
        """The whole text."""
        return self._text

    def set_text(self, text: str) -> None:
        """Show `text`, as much as fits."""
        self._text = text
        self.setAccessibleName(text)
        self._fit()
        self.updateGeometry()

    def sizeHint(self) -> QSize:  # noqa: N802
        metrics = self._label.fontMetrics()
        return QSize(metrics.horizontalAdvance(self._text) + 2, metrics.height() + 2)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(24, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        self._label.resize(self.size())
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        # The font comes with the style sheet, after the first layout.
        if self._label.text() != self._elided():
            self._fit()
        QPainter(self).end()

    def _elided(self) -> str:
        return self._label.fontMetrics().elidedText(self._text, self._mode, max(self.width() - 1, 0))

    def _fit(self) -> None:
        shown = self._elided()
        self._label.setText(shown)
        self.setToolTip(tool_tip(self._text) if shown != self._text else "")
