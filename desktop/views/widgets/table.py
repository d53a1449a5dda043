"""Tables that are read and chosen from, all of them alike."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView


def rows_table(name: str, *, row_px: int) -> QTableView:
    """A table without a model: whole rows are selected, nothing is edited, columns can be dragged and the last one fills up.

    Args:
        name: For screen readers.
        row_px: Height of a row, logical pixels.
    """
    table = QTableView()
    table.setAccessibleName(name)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(row_px)
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    header.setStretchLastSection(True)
    return table


def beside(*, right: bool) -> int:
    """`Qt.ItemDataRole.TextAlignmentRole` of a column: figures stand at the right, words at the left."""
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    return int(side | Qt.AlignmentFlag.AlignVCenter)
