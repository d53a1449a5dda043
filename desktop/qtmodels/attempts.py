"""What became of each attempt to run a service's replicas, as the target remembers it."""

from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from desktop.model.notifications import describe
from desktop.model.plain_text import tool_tip
from desktop.qtmodels.tasks import RunTask
from desktop.services.switched_target import pinned
from stack.target import HistoryEntry, Target

Index = QModelIndex | QPersistentModelIndex
_NOWHERE: Final = QModelIndex()

_COLUMNS: Final[tuple[tuple[str, Callable[[HistoryEntry], str]], ...]] = (
    ("When", lambda e: f"{e.at.astimezone():%Y-%m-%d %H:%M:%S}"),
    ("Replica", lambda e: str(e.replica)),
    ("Node", lambda e: e.node),
    ("State", lambda e: e.state),
    ("Message", lambda e: e.message),
    ("Image", lambda e: e.image.split("@")[0]),
)


class Attempts(QAbstractTableModel):
    """Newest first. Lives on the GUI thread.

    Attributes:
        service: Whose attempts are asked for, or None.

    Signals:
        told(str): a sentence in place of rows, or empty.
    """

    told = Signal(str)

    def __init__(self, *, target: Target, run_task: RunTask, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._target = target
        self._run_task = run_task
        self._rows: list[HistoryEntry] = []
        self._asking: object = None  # the question whose answer is awaited
        self.service: str | None = None

    def show(self, service: str | None) -> None:
        """Ask for the attempts of `service`; None shows nothing."""
        if service != self.service:
            self.service, self._asking = service, None
            self._take([])
            self.told.emit("Asking …" if service else "")
        self.refresh()

    def refresh(self) -> None:
        """Ask again, unless an answer is still awaited."""
        service = self.service
        if service is None or self._asking is not None:
            return
        question = self._asking = object()
        target = pinned(self._target)

        def done(rows: list[HistoryEntry]) -> None:
            if question is self._asking:
                self._asking = None
                self._take(rows)
                self.told.emit("" if rows else "No attempts recorded.")

        def failed(error: Exception) -> None:
            if question is self._asking:
                self._asking = None
                self.told.emit(f"The attempts of {service} cannot be read: {describe(error)}")

        self._run_task(lambda: target.history(service), done, failed)

    def _take(self, rows: list[HistoryEntry]) -> None:
        if rows != self._rows:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()

    # QAbstractTableModel

    def rowCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802 - Qt's names, from here on
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802
        return 0 if parent.isValid() else len(_COLUMNS)

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _COLUMNS[section][0]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole) and 0 <= index.row() < len(self._rows):
            text = _COLUMNS[index.column()][1](self._rows[index.row()])
            return text if role == Qt.ItemDataRole.DisplayRole else tool_tip(text)
        return None
