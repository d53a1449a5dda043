"""A list of refusals: filter, table, the chosen one in full, and its empty, loading and error states."""

from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from PySide6.QtCore import QItemSelectionModel, Qt, QTimer
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSplitter, QStackedWidget, QTableView, QVBoxLayout, QWidget

from desktop.model.figures import thousands
from desktop.model.palette import GAP, GAP_SMALL
from desktop.model.refused.letters import DeadLetter, RefusedRecords
from desktop.model.refused.requests import RejectedRequest, RejectedRequests
from desktop.qtmodels.rows import ROW_ROLE, Column, FilteredRows, RowsModel
from desktop.qtmodels.theme import ThemeController
from desktop.views.refused.columns import RECORD_COLUMNS, REQUEST_COLUMNS, record_title, request_title
from desktop.views.refused.detail import RefusalDetail
from desktop.views.widgets.figure import Elided
from desktop.views.widgets.roles import hairline
from desktop.views.widgets.state_panel import StatePanel
from desktop.views.widgets.table import rows_table

R = TypeVar("R")
_TIME: Final = 0
_ROW_PX: Final = 28
_TYPING_MS: Final = 150
_DETAIL_PX: Final = 168


class RefusalList(QWidget, Generic[R]):
    """What both lists have in common.

    Attributes:
        model, table: The rows and the table that shows them.
        filter: Words that a row must contain.
        note: How many are shown, and what is wrong.
        detail: The chosen row in full.
        state: Stands in place of the table while there is nothing to list.
    """

    def __init__(
        self,
        *,
        theme: ThemeController,
        name: str,
        columns: Sequence[Column[R]],
        hint: str,
        with_hex: bool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.model: RowsModel[R] = RowsModel(columns, self)
        self.filtered = FilteredRows(self)
        self.filtered.setSourceModel(self.model)
        self.table = self._build_table(name)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter")
        self.filter.setAccessibleName(f"Filter: {name}")
        self.filter.setClearButtonEnabled(True)
        self.filter.setMaximumWidth(280)
        self.note = Elided(mode=Qt.TextElideMode.ElideRight, role="muted")
        self.detail = RefusalDetail(theme=theme, hint=hint, with_hex=with_hex)
        self.state = StatePanel(theme=theme, icon="check")
        self._total, self._trouble = -1, ""
        self._say_state: Callable[[], None] = lambda: None
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(self._filter_now)
        self.filter.textChanged.connect(lambda _: self._typing.start())
        self._lay_out(theme)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._show_chosen())
        self.model.modelReset.connect(self._show_chosen)
        self._add_actions()

    def describe(self, row: R) -> tuple[str, str, bytes | None, str]:
        """Title, reason, bytes and what stands in place of missing bytes, of a row."""
        raise NotImplementedError

    def clear_filter(self) -> None:
        """Show all rows."""
        self.filter.clear()
        self._filter_now()

    def copied(self) -> str:
        """The selected rows as tab-separated text, in the order of the table."""
        rows = sorted({index.row() for index in self.table.selectionModel().selectedRows()})
        model = self.table.model()
        columns = range(model.columnCount())
        return "\n".join("\t".join(str(model.index(row, column).data()) for column in columns) for row in rows)

    def take(self, rows: Sequence[R], *, total: int, trouble: str, say_state: Callable[[], None]) -> None:
        """Show these.

        Args:
            rows: Newest first.
            total: How many there are in all; -1 when unknown.
            trouble: Why they could not be read anew.
            say_state: Fills `state` while there are no rows.
        """
        self.model.set_rows(rows)
        self._total, self._trouble, self._say_state = total, trouble, say_state
        self._refresh()

    # Building

    def _build_table(self, name: str) -> QTableView:
        table = rows_table(name, row_px=_ROW_PX)
        table.setModel(self.filtered)
        table.setSortingEnabled(True)
        table.sortByColumn(_TIME, Qt.SortOrder.DescendingOrder)
        table.setSelectionMode(QTableView.SelectionMode.ExtendedSelection)
        table.setTabKeyNavigation(False)
        table.setTextElideMode(Qt.TextElideMode.ElideRight)
        for number, column in enumerate(self.model.columns[:-1]):
            table.setColumnWidth(number, column.width)
        return table

    def _lay_out(self, theme: ThemeController) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(GAP, GAP_SMALL, GAP, GAP_SMALL)
        bar.setSpacing(GAP)
        bar.addWidget(self.filter, 1)
        bar.addWidget(self.note, 2)
        below = QWidget()
        column = QVBoxLayout(below)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(hairline())
        column.addWidget(self.detail, 1)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(self.table)
        splitter.addWidget(below)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([10_000, _DETAIL_PX])
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(1)
        self._content = QWidget()
        content = QVBoxLayout(self._content)
        content.setContentsMargins(0, 0, 0, 0)
        content.setSpacing(0)
        content.addLayout(bar)
        content.addWidget(hairline())
        # The filter stays where it is while nothing matches.
        self._rows = QStackedWidget()
        self._rows.addWidget(splitter)
        self._no_match = StatePanel(theme=theme, icon="search")
        self._rows.addWidget(self._no_match)
        content.addWidget(self._rows, 1)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._content)
        self._stack.addWidget(self.state)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)

    def _add_actions(self) -> None:
        copy = QAction("Copy the selected rows", self.table)
        copy.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(lambda: QGuiApplication.clipboard().setText(self.copied()))
        self.table.addAction(copy)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        find = QAction("Filter", self)
        find.setShortcut(QKeySequence(QKeySequence.StandardKey.Find))
        find.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        find.triggered.connect(self.filter.setFocus)
        self.addAction(find)

    # Showing

    def _filter_now(self) -> None:
        self._typing.stop()
        self.filtered.set_filter(self.filter.text())
        self._refresh()

    def _refresh(self) -> None:
        listed, shown = len(self.model.rows), self.filtered.rowCount()
        if not listed:
            self._say_state()
            self._stack.setCurrentWidget(self.state)
            return
        self._stack.setCurrentWidget(self._content)
        if not shown:
            self._no_match.show_empty("No matching rows", "", "Clear filter", self.clear_filter)
        self._rows.setCurrentIndex(0 if shown else 1)
        parts = []
        if shown < listed:
            parts.append(f"{thousands(shown)} of {thousands(listed)} shown")
        elif self._total > listed:
            parts.append(f"newest {thousands(listed)} of {thousands(self._total)}")
        else:
            parts.append(f"{thousands(listed)} listed")
        if self._trouble:
            parts.append(self._trouble)
        self.note.set_text("  ·  ".join(parts))
        if shown and not self.table.selectionModel().hasSelection():
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.table.selectionModel().setCurrentIndex(self.filtered.index(0, 0), flags)
        self._show_chosen()

    def _show_chosen(self) -> None:
        row = self.table.currentIndex().data(ROW_ROLE) if self.table.currentIndex().isValid() else None
        if row is None:
            self.detail.show_nothing()
        else:
            self.detail.show_refusal(*self.describe(row))


class RecordList(RefusalList[DeadLetter]):
    """Refused records: the newest dead letters."""

    def __init__(self, *, theme: ThemeController, parent: QWidget | None = None) -> None:
        super().__init__(
            theme=theme,
            name="Refused records",
            columns=RECORD_COLUMNS,
            hint="Select a record to read its bytes.",
            with_hex=True,
            parent=parent,
        )

    def show_records(self, records: RefusedRecords) -> None:
        """Show what is known now."""

        def say_state() -> None:
            if records.topic_missing:
                self.state.show_error(
                    "Kafka has no topic dead_letters", "The kafka-operator creates it. See its log on the Services page."
                )
            elif records.trouble and records.total < 0:
                self.state.show_error("Dead letters cannot be read", records.trouble, "Reading resumes when Kafka responds.")
            elif not records.read:
                self.state.show_loading("Reading dead letters …")
            else:
                self.state.show_empty(
                    "No refused records",
                    "Every record of processed_messages is a reading. A refused one is listed here with its partition, offset, "
                    "reason and bytes.",
                )

        self.take(records.newest, total=records.total, trouble=records.trouble, say_state=say_state)

    def describe(self, row: DeadLetter) -> tuple[str, str, bytes | None, str]:
        return record_title(row), row.reason, row.value or None, "The record has no value."


class RequestList(RefusalList[RejectedRequest]):
    """Rejected requests: the newest that paai keeps."""

    def __init__(self, *, theme: ThemeController, parent: QWidget | None = None) -> None:
        super().__init__(
            theme=theme, name="Rejected requests", columns=REQUEST_COLUMNS, hint="Select a request to read its bytes.",
            with_hex=False,
            parent=parent,
        )  # fmt: skip

    def show_requests(self, requests: RejectedRequests) -> None:
        """Show what is known now."""

        def say_state() -> None:
            if requests.trouble and requests.total < 0:
                self.state.show_error("Rejected requests cannot be read", requests.trouble)
            elif requests.total < 0:
                self.state.show_loading("Asking paai …")
            else:
                self.state.show_empty(
                    "No rejected requests",
                    "paai has accepted everything that was posted. A rejected request or batch item is listed here with its "
                    "field, reason and first 200 bytes.",
                )

        self.take(requests.newest, total=requests.total, trouble=requests.trouble, say_state=say_state)

    def describe(self, row: RejectedRequest) -> tuple[str, str, bytes | None, str]:
        return request_title(row), row.message, row.text.encode() or None, "The request has no body, or it was not kept."
