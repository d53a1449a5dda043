"""Sorts the table of events by what its columns mean rather than by what they say."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSortFilterProxyModel

from desktop.views.anomalies.table import COLUMNS, EVENT_ROLE

Index = QModelIndex | QPersistentModelIndex


class SortedEvents(QSortFilterProxyModel):
    """Over an `EventTable`."""

    def lessThan(self, left: Index, right: Index) -> bool:  # noqa: N802 - Qt's name
        sort = COLUMNS[left.column()].sort
        return bool(sort(left.data(EVENT_ROLE)) < sort(right.data(EVENT_ROLE)))
