"""The tail of a service's log: filter by text or regular expression, pause, copy, follow."""

from collections import deque

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QTextOption
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from desktop.model.figures import plural
from desktop.model.palette import GAP_SMALL, GRID
from desktop.qtmodels.logs import KEEP, LogTail, matcher
from desktop.qtmodels.services import title_of
from desktop.qtmodels.theme import ThemeController
from desktop.views.widgets.menu_button import IconButton
from desktop.views.widgets.roles import label, set_role
from stack.target import LogLine

#: A longer line is cut on screen; the whole of it is in the service's own log file.
LINE_CHARS = 600


class LogView(QWidget):
    """Shows one `LogTail`. Signals: closed(): the close button was pressed (if there is one)."""

    closed = Signal()

    def __init__(
        self, *, tail: LogTail, theme: ThemeController, closable: bool = False, title: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._tail = tail
        self._pattern = matcher("", regex=False)
        self._waiting: deque[LogLine] = deque(maxlen=KEEP)
        self._fixed_title = title
        self.title = label(title or "Log", "strong")
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter")
        self.filter.setAccessibleName("Show only lines that contain this")
        self.filter.setMaximumWidth(260)
        self.regex = QCheckBox("Regex")
        self.note = label("", "caption")
        self.pause = IconButton(theme=theme, name="pause", words="Pause; lines are still collected", checkable=True)
        self.follow = IconButton(theme=theme, name="follow", words="Go to the end and follow")
        self.copy = IconButton(theme=theme, name="copy", words="Copy what is shown")
        self.text = set_role(QPlainTextEdit(), "log")
        self.text.setReadOnly(True)
        self.text.setMaximumBlockCount(KEEP)
        self.text.setUndoRedoEnabled(False)
        self.text.document().setDocumentMargin(GAP_SMALL)
        self.text.setWordWrapMode(QTextOption.WrapMode.NoWrap)
        self.text.setPlaceholderText("Nothing was written yet.")
        self.text.setAccessibleName("Log")
        self.text.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        bar = QHBoxLayout()
        bar.setContentsMargins(GAP_SMALL * 2, GRID, GAP_SMALL, GRID)
        bar.setSpacing(GAP_SMALL)
        bar.addWidget(self.title)
        bar.addWidget(self.note, 1)
        for widget in (self.filter, self.regex, self.pause, self.follow, self.copy):
            bar.addWidget(widget)
        if closable:
            close = IconButton(theme=theme, name="close", words="Close the log")
            close.clicked.connect(self.closed)
            bar.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.text, 1)
        tail.appended.connect(self._append)
        tail.restarted.connect(self._restart)
        tail.failed.connect(self.note.setText)
        self.filter.textChanged.connect(lambda _: self._refilter())
        self.regex.toggled.connect(lambda _: self._refilter())
        self.pause.toggled.connect(self._paused)
        self.follow.clicked.connect(self._to_end)
        self.copy.clicked.connect(self._copy)

    def _restart(self) -> None:
        self._waiting.clear()
        self.text.clear()
        self.note.setText("")
        if not self._fixed_title:
            self.title.setText(f"Log of {title_of(self._tail.service)}" if self._tail.service else "Log")

    def _append(self, lines: list[LogLine]) -> None:
        if self.pause.isChecked():
            self._waiting.extend(lines)
            self.note.setText(f"paused · {plural(len(self._waiting), 'new line')}")
            return
        shown = [text for text in map(self._line, lines) if self._pattern.search(text)]
        if not shown:
            return
        bar = self.text.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 2
        self.text.appendPlainText("\n".join(shown))
        if at_end:
            bar.setValue(bar.maximum())

    def _line(self, line: LogLine) -> str:
        # Control characters (colours, bells) are for terminals.
        text = "".join(c if c.isprintable() or c == "\t" else "·" for c in line.text)
        if len(text) > LINE_CHARS:
            text = text[:LINE_CHARS] + " …"
        return f"{line.replica} │ {text}" if self._replicated else text

    @property
    def _replicated(self) -> bool:
        return any(line.replica for line in self._tail.lines)

    def _refilter(self) -> None:
        try:
            self._pattern = matcher(self.filter.text(), regex=self.regex.isChecked())
        except ValueError as error:
            self.note.setText(str(error))
            return
        self.note.setText("")
        self.text.setPlainText("\n".join(t for t in map(self._line, self._tail.lines) if self._pattern.search(t)))
        self._waiting.clear()
        self._to_end()

    def _paused(self, on: bool) -> None:
        self.pause.set_icon("play" if on else "pause", "Go on" if on else "Pause; lines are still collected")
        if not on:
            lines = list(self._waiting)
            self._waiting.clear()
            self.note.setText("")
            self._append(lines)

    def _to_end(self) -> None:
        bar = self.text.verticalScrollBar()
        bar.setValue(bar.maximum())

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())
        self.note.setText(f"{plural(self.text.blockCount(), 'line')} copied")
