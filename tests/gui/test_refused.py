"""Refused records and rejected requests: two figures in the status bar, with the lists behind them."""

import dataclasses
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication, QTextDocumentFragment
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from backend.contract.refusals import REASONS
from desktop.model.refused.letters import DeadLetter, RefusedRecords
from desktop.model.refused.requests import RejectedRequest, RejectedRequests
from desktop.qtmodels.rows import ROW_ROLE
from desktop.views.refused.dialog import RefusedDialog
from desktop.views.refused.list_view import RefusalList
from tests.gui.conftest import Bench
from tests.gui.test_window import key, texts

VALUE = '{"device_id":"<b>x</b>","value":"21,5","note":"ü"}'.encode() + b"\x00\xff"


def letter(offset: int, code: str = "range", value: bytes | None = VALUE, at: float = 1.8e9) -> DeadLetter:
    reason = f"{code}: {REASONS[code]}"
    return DeadLetter(
        at + offset, "processed_messages", offset % 3, offset, code, reason, f"dev-{offset}", value, len(value or b"")
    )


def request(index: int | None = None, reason: str = "missing") -> RejectedRequest:
    return RejectedRequest(1.8e9, "/api/v1/devices", 422, index, "tag", reason, "tag: Field required", '{"a": 1}', 8)


def tip(widget: QWidget) -> str:
    """What a tooltip reads, in one line."""
    return " ".join(QTextDocumentFragment.fromHtml(widget.toolTip()).toPlainText().split())


def newest(*codes: str) -> RefusedRecords:
    letters = tuple(letter(i, code) for i, code in reversed(list(enumerate(codes))))
    return RefusedRecords(total=len(letters), newest=letters, read=True, version=len(letters))


@pytest.fixture
def opened(bench: Bench) -> Callable[..., RefusedDialog]:
    def open_(tab: int = 0, *, records: RefusedRecords, requests: RejectedRequests | None = None) -> RefusedDialog:
        connection = bench.attach()
        connection.records, connection.requests = records, requests or RejectedRequests(total=0)
        bench.wait(lambda: bench.desktop.monitor.refused_records == records, "the figures")
        bench.window.status.refused[tab].click()
        (dialog,) = bench.window.findChildren(RefusedDialog)
        return dialog

    return open_


def rows(view: RefusalList[DeadLetter] | RefusalList[RejectedRequest]) -> list[object]:
    model = view.table.model()
    return [model.index(row, 0).data(ROW_ROLE) for row in range(model.rowCount())]


def test_both_figures_stand_in_the_status_bar(bench: Bench) -> None:
    bench.window.resize(1600, 800)
    connection = bench.attach()
    records, requests = bench.window.status.refused
    assert (records.text(), requests.text()) == ("refused records –", "rejected requests –")
    connection.records = RefusedRecords(total=1234, read=True)
    connection.requests = RejectedRequests(total=0)
    bench.wait(lambda: records.text() == "refused records 1\u202f234", "the figure of records")
    assert requests.text() == "rejected requests 0"
    assert "Refused records: 1\u202f234" in records.accessibleName()
    connection.difference = "Spark refused 3 records; the same offsets have 1 dead letter."
    bench.wait(lambda: connection.difference in tip(records), "the difference")


def test_a_narrow_window_shortens_their_words_and_keeps_both(bench: Bench) -> None:
    bench.window.resize(1024, 700)
    connection = bench.attach()
    connection.records, connection.requests = RefusedRecords(total=12345), RejectedRequests(total=67890)
    records, requests = bench.window.status.refused
    bench.wait(lambda: records.text() == "refused 12\u202f345", "the short words")
    assert requests.text() == "rejected 67\u202f890"
    assert records.isVisible()
    assert requests.isVisible()
    assert requests.geometry().right() < bench.window.status.width()


def test_a_figure_opens_its_list(opened: Callable[..., RefusedDialog], bench: Bench) -> None:
    dialog = opened(1, records=newest("range"), requests=RejectedRequests(total=1, newest=(request(),)))
    assert dialog.isVisible()
    assert dialog.stack.currentWidget() is dialog.requests
    assert rows(dialog.requests) == [request()]
    assert dialog.requests.detail.bytes.toPlainText() == request().text
    assert not dialog.requests.detail.as_hex.isVisible(), "paai keeps printable text only"
    bench.window.status.refused[0].click()
    assert bench.window.findChildren(RefusedDialog) == [dialog]
    assert dialog.stack.currentWidget() is dialog.records
    dialog.close()
    bench.wait(lambda: not bench.window.findChildren(RefusedDialog), "the end of the dialog")
    key(bench, "Ctrl+Shift+R")
    assert len(bench.window.findChildren(RefusedDialog)) == 1


def test_the_newest_stands_first_and_the_chosen_one_below_with_its_bytes(opened: Callable[..., RefusedDialog]) -> None:
    view = opened(records=newest("not_json", "range")).records
    assert [found.offset for found in rows(view)] == [1, 0]  # type: ignore[attr-defined]
    assert view.detail.reason.text() == f"range: {REASONS['range']}"
    assert "Partition 1, offset 1" in view.detail.title.text()
    assert view.detail.bytes.toPlainText() == '{"device_id":"<b>x</b>","value":"21,5","note":"ü"}\\x00\\xff'
    view.detail.copy.click()
    assert QGuiApplication.clipboard().text().endswith("\\x00\\xff")
    view.detail.as_hex.click()
    assert view.detail.bytes.toPlainText().startswith("000000  7b 22 64 65")
    view.detail.copy.click()
    assert QGuiApplication.clipboard().text() == view.detail.bytes.toPlainText()


def test_a_cell_shows_its_whole_text_in_a_tooltip_literally(opened: Callable[..., RefusedDialog]) -> None:
    view = opened(records=newest("range")).records
    row = [view.table.model().index(0, column) for column in range(7)]
    assert row[3].data(Qt.ItemDataRole.ToolTipRole) == f"range: {REASONS['range']}"
    assert "&lt;b&gt;x&lt;/b&gt;" in row[6].data(Qt.ItemDataRole.ToolTipRole)


def test_rows_are_copied_as_text(opened: Callable[..., RefusedDialog]) -> None:
    view = opened(records=newest("not_json", "range")).records
    view.table.selectAll()
    next(a for a in view.table.actions() if "Copy" in a.text()).trigger()
    first, second = (line.split("\t") for line in QGuiApplication.clipboard().text().splitlines())
    assert (first[1:5], second[3]) == (["1", "1", "range", "dev-1"], "not_json")


def test_new_rows_come_above_and_the_selection_stays(opened: Callable[..., RefusedDialog], bench: Bench) -> None:
    view = opened(records=newest("not_json", "range")).records
    view.table.selectRow(1)
    chosen = view.table.currentIndex().data(ROW_ROLE)
    bench.connection.records = newest("not_json", "range", "value")
    bench.wait(lambda: len(rows(view)) == 3, "the new row")
    assert view.table.currentIndex().row() == 2
    assert view.table.currentIndex().data(ROW_ROLE) == chosen
    assert f"offset {chosen.offset}" in view.detail.title.text()


def test_every_column_sorts_and_the_filter_knows_words_in_any_order(opened: Callable[..., RefusedDialog], bench: Bench) -> None:
    view = opened(records=newest(*REASONS)).records
    for column in range(view.model.columnCount()):
        view.table.sortByColumn(column, Qt.SortOrder.AscendingOrder)
        keys = [view.model.columns[column].sort(row) for row in rows(view)]  # type: ignore[arg-type]
        assert keys == sorted(keys)
    QTest.keyClicks(view.filter, "DEV-3 byte")
    assert len(rows(view)) == len(REASONS), "typing waits for a pause"
    bench.wait(lambda: len(rows(view)) == 0, "no row")
    assert "No matching rows" in texts(view)
    view.clear_filter()
    view.filter.setText("dev-3 utf8")
    bench.wait(lambda: len(rows(view)) == 1, "the row")
    assert "1 of 15 shown" in view.note.text()


def test_more_than_are_listed_is_said(opened: Callable[..., RefusedDialog]) -> None:
    view = opened(records=dataclasses.replace(newest("range"), total=5000)).records
    assert view.note.text() == "newest 1 of 5\u202f000"


def test_a_record_without_value(opened: Callable[..., RefusedDialog]) -> None:
    view = opened(records=RefusedRecords(total=1, newest=(letter(0, "no_value", None),), read=True)).records
    assert view.model.index(0, 6).data() == "no value"
    assert view.detail.bytes.toPlainText() == ""
    assert view.detail.bytes.placeholderText() == "The record has no value."
    assert not view.detail.copy.isEnabled()


@pytest.mark.parametrize(
    ("records", "words"),
    [
        (RefusedRecords(), "Reading dead letters"),
        (RefusedRecords(total=0, read=True), "No refused records"),
        (RefusedRecords(trouble="broker is down"), "broker is down"),
        (RefusedRecords(topic_missing=True, total=0), "Kafka has no topic dead_letters"),
    ],
)
def test_states_of_the_records(opened: Callable[..., RefusedDialog], records: RefusedRecords, words: str) -> None:
    dialog = opened(records=RefusedRecords())
    dialog.records.show_records(records)
    assert words in texts(dialog.records)


@pytest.mark.parametrize(
    ("requests", "words"),
    [
        (RejectedRequests(), "Asking paai"),
        (RejectedRequests(total=0), "No rejected requests"),
        (RejectedRequests(trouble="paai cannot be reached"), "paai cannot be reached"),
    ],
)
def test_states_of_the_requests(opened: Callable[..., RefusedDialog], requests: RejectedRequests, words: str) -> None:
    dialog = opened(1, records=RefusedRecords())
    dialog.requests.show_requests(requests)
    assert words in texts(dialog.requests)


def test_an_outage_keeps_what_was_listed_and_says_so(opened: Callable[..., RefusedDialog], bench: Bench) -> None:
    known = newest("range")
    view = opened(records=known).records
    bench.connection.records = dataclasses.replace(known, trouble="broker is down")
    bench.wait(lambda: "broker is down" in view.note.text(), "the outage")
    assert len(rows(view)) == 1


def test_a_difference_is_said_above_the_list(opened: Callable[..., RefusedDialog], bench: Bench) -> None:
    dialog = opened(records=newest("range"))
    assert not dialog.sign.isVisible()
    bench.connection.difference = "Spark refused 3 records; the same offsets have 1 dead letter."
    bench.wait(lambda: dialog.difference.text() == bench.connection.difference, "the sentence")
    assert dialog.sign.isVisible()


def test_figures_are_unknown_after_the_system_is_gone(opened: Callable[..., RefusedDialog], bench: Bench) -> None:
    dialog = opened(records=newest("range"))
    bench.desktop.monitor.detach()
    assert rows(dialog.records) == []
    assert dialog.tabs[0].text() == "Refused records  –"


def test_its_actions_have_words(opened: Callable[..., RefusedDialog]) -> None:
    dialog = opened(records=newest("range"))
    assert all(action.text() for action in dialog.records.findChildren(QAction) if action.shortcut().toString() == "Ctrl+F")
