"""What stands in the top strip while the live page is shown: pause, span, back to live, find."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QPushButton, QToolButton, QWidget

from desktop.model.palette import GAP_SMALL, Palette
from desktop.plots.timewindow import SPANS
from desktop.views.icons import icon
from desktop.views.widgets.roles import set_role


class LiveControls(QWidget):
    """Pause, spans, find.

    Attributes:
        pause, back, search: The buttons.
        spans: One button a preset, by seconds.

    Signals:
        pause_toggled(): pause, or follow again.
        back_clicked(): back to live.
        span_chosen(float): seconds.
        find_clicked(): look for a device.
    """

    pause_toggled = Signal()
    back_clicked = Signal()
    span_chosen = Signal(float)
    find_clicked = Signal()

    def __init__(self, *, palette: Palette, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pause = QPushButton("Pause")
        self.pause.setToolTip("Stand still; data are still collected (Space)")
        self.pause.clicked.connect(self.pause_toggled)
        self.back = QPushButton("Back to live")
        self.back.setToolTip("Follow now again (End)")
        self.back.clicked.connect(self.back_clicked)
        policy = self.back.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # nothing beside it moves
        self.back.setSizePolicy(policy)
        self.search = QToolButton()
        self.search.setText("Find")
        self.search.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.search.setToolTip("Find a device and put it into focus (Ctrl+F)")
        self.search.clicked.connect(self.find_clicked)
        self.spans: dict[float, QToolButton] = {}
        self._group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_SMALL)
        layout.addWidget(self.back)
        layout.addWidget(self.pause)
        layout.addWidget(self._segments())
        layout.addWidget(self.search)
        self.pause.setFixedWidth(self.pause.sizeHint().width() + 28)
        self.apply_palette(palette)
        self.show_state(following=True, span_s=0.0)

    def _segments(self) -> QWidget:
        frame = set_role(QFrame(), "tag")
        frame.setAccessibleName("Time span")
        row = QHBoxLayout(frame)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(0)
        for span_s, text in SPANS:
            button = set_role(QToolButton(), "segment")
            button.setText(text)
            button.setCheckable(True)
            button.setToolTip(f"Show the last {text.replace(' m', ' min')}")
            button.clicked.connect(lambda _=False, s=span_s: self.span_chosen.emit(s))
            self._group.addButton(button)
            self.spans[span_s] = button
            row.addWidget(button)
        return frame

    def show_state(self, *, following: bool, span_s: float) -> None:
        """Show what holds; a span that is no preset checks none."""
        self._following = following
        self.back.setVisible(not following)
        self.pause.setText("Pause" if following else "Resume")
        self.pause.setIcon(icon("pause" if following else "play", self._palette.text))
        self._group.setExclusive(False)
        for preset, button in self.spans.items():
            button.setChecked(abs(preset - span_s) < 0.5)
        self._group.setExclusive(True)

    def apply_palette(self, palette: Palette) -> None:
        """The colours changed."""
        self._palette = palette
        self.search.setIcon(icon("search", palette.muted))
        self.pause.setIcon(icon("pause" if self.pause.text() == "Pause" else "play", palette.text))
