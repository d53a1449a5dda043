"""The history page: choosing, asking, reading, sorting, cancelling, failing."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.services.errors import UnreachableError
from desktop.services.paai_client import DevicesPage, KnownDevice, Statistics
from desktop.views.history.model import BAR_COLUMN, BAR_ROLE, COLUMNS, Bar
from desktop.views.history.page import HistoryPage
from desktop.workers.tasks import TaskRunner
from tests.helpers.gui_context import page_context

NOW = 1_795_498_861.0


class FakePaai:
    """Answers from a list; ends a page of devices early, as paai may."""

    def __init__(self) -> None:
        self.stored = [f"thermostat-0000{i}" for i in range(1, 6)] + ["barometer-00001"]
        self.asked: list[dict[str, Any]] = []
        self.listed: list[tuple[str | None, str, str | None]] = []
        self.answered = 0
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def statistics(
        self, device_ids: Sequence[str], *, start: float | None = None, end: float | None = None, sensor: str | None = None
    ) -> list[Statistics]:
        self.asked.append({"device_ids": tuple(device_ids), "start": start, "end": end, "sensor": sensor})
        self.gate.wait(10)
        self.answered += 1
        if self.error is not None:
            raise self.error
        return [
            Statistics(
                d, "temperature" if d.startswith("thermo") else "pressure", 20.0 + int(d[-1]), 30.0, 10.0 - int(d[-1]), 900
            )
            for d in sorted(device_ids)
            if d in self.stored
        ]

    def devices(
        self, *, sensor: str | None = None, prefix: str = "", limit: int = 100, after: str | None = None
    ) -> DevicesPage:
        self.listed.append((sensor, prefix, after))
        fit = [d for d in sorted(self.stored) if d.startswith(prefix) and (after is None or d > after)]
        short = fit[: min(limit, 40)]
        rows = [KnownDevice(d, "temperature", "", "", 900) for d in short]
        return DevicesPage(rows, short[-1] if len(fit) > len(short) else None)


@pytest.fixture
def paai() -> FakePaai:
    return FakePaai()


@pytest.fixture
def page(qtbot: QtBot, tmp_path: Path, paai: FakePaai) -> Iterator[HistoryPage]:
    target = type("Target", (), {"name": "local", "endpoints": lambda self: None})()
    made = HistoryPage(context=page_context(tmp_path, target=target), make_client=lambda _: paai, clock=lambda: NOW)
    qtbot.addWidget(made)
    made.resize(1200, 720)
    made.show()
    yield made
    made.closing()


def cell(page: HistoryPage, row: int, title: str) -> str:
    column = next(i for i, c in enumerate(COLUMNS) if c.title == title)
    text: str = page.table.model().index(row, column).data()
    return text


def test_empty_page_says_what_to_do(page: HistoryPage) -> None:
    assert page.state.title.text() == "Choose devices and a time frame"
    assert not page.run.isEnabled()
    assert not page.export_button.isEnabled()


def test_search_pages_and_choice(page: HistoryPage, paai: FakePaai, qtbot: QtBot) -> None:
    picker = page.picker
    paai.stored += [f"x-{i:03}" for i in range(200)]
    picker.reload()
    assert picker.results.count() == 120  # three short pages make the first hundred
    assert [after for _, _, after in paai.listed] == [None, "x-033", "x-073"]
    QTest.mouseClick(picker.more, Qt.MouseButton.LeftButton)
    assert picker.results.count() == 206
    assert not picker.more.isVisible()
    QTest.keyClicks(picker.search, "thermostat")
    qtbot.waitUntil(lambda: paai.listed[-1] == (None, "thermostat", None))
    picker.results.item(0).setCheckState(Qt.CheckState.Checked)
    assert picker.chosen == ["thermostat-00001"]
    QTest.mouseClick(picker.add_all, Qt.MouseButton.LeftButton)
    assert picker.chosen == [f"thermostat-0000{i}" for i in range(1, 6)]
    picker.chips.removed.emit("thermostat-00001")
    assert picker.chosen == [f"thermostat-0000{i}" for i in range(2, 6)]
    assert picker.results.item(0).checkState() == Qt.CheckState.Unchecked
    picker.search.setText("nothing like it")
    qtbot.waitUntil(lambda: picker.message.isVisible())
    assert picker.message.text().startswith("No matching devices")


def test_run_asks_for_exactly_what_is_chosen_and_shows_the_answer(page: HistoryPage, paai: FakePaai) -> None:
    page.picker.set_chosen(["thermostat-00002", "barometer-00001", "ghost-1"])
    page.frame.choose(3600.0)
    QTest.mouseClick(page.run, Qt.MouseButton.LeftButton)
    assert paai.asked == [
        {"device_ids": ("thermostat-00002", "barometer-00001", "ghost-1"), "start": NOW - 3600, "end": NOW, "sensor": None}
    ]
    assert page.model.rowCount() == 2
    assert cell(page, 0, "Device") == "barometer-00001"
    assert cell(page, 1, "Average") == "22.000"
    assert cell(page, 1, "Unit") == "°C"
    assert page.summary.text() == "2 rows from 1\u202f800 readings; 1 device has no readings in this time frame"
    assert page.table.isVisible()


def test_sorting_is_by_value_not_by_text(page: HistoryPage) -> None:
    page.picker.set_chosen([f"thermostat-0000{i}" for i in range(1, 6)])
    page.run_query()
    minimum = next(i for i, c in enumerate(COLUMNS) if c.title == "Minimum")
    page.table.sortByColumn(minimum, Qt.SortOrder.AscendingOrder)
    assert [cell(page, r, "Minimum") for r in range(5)] == ["5.00", "6.00", "7.00", "8.00", "9.00"]
    page.table.sortByColumn(minimum, Qt.SortOrder.DescendingOrder)
    assert cell(page, 0, "Minimum") == "9.00"


def test_bars_of_a_sensor_share_one_scale(page: HistoryPage) -> None:
    page.picker.set_chosen(["thermostat-00001", "thermostat-00005", "barometer-00001"])
    page.run_query()
    bars = [page.table.model().index(r, BAR_COLUMN).data(BAR_ROLE) for r in range(3)]
    assert all(isinstance(b, Bar) for b in bars)
    assert [(b.scale_low, b.scale_high) for b in bars] == [(9.0, 30.0), (5.0, 30.0), (5.0, 30.0)]
    assert not page.table.grab().toImage().isNull()


def test_no_data_is_said_with_a_way_out(page: HistoryPage) -> None:
    page.picker.set_chosen(["ghost-1"])
    page.run_query()
    assert page.state.title.text() == "No readings in this time frame"


def test_an_impossible_frame_is_not_asked(page: HistoryPage, paai: FakePaai) -> None:
    page.picker.set_chosen(["thermostat-00001"])
    page.frame.set_range(NOW, NOW - 60)
    page.run_query()
    assert paai.asked == []
    assert "ends before it begins" in page.banner.text.text()


def test_an_error_keeps_what_was_there_and_offers_to_repeat(page: HistoryPage, paai: FakePaai) -> None:
    page.picker.set_chosen(["thermostat-00001"])
    page.run_query()
    paai.error = UnreachableError("paai does not answer", why="connection refused.", remedy="Is it running?")
    page.run_query()
    assert page.banner.isVisible()
    assert "paai does not answer: connection refused. Is it running?" in page.banner.text.text()
    assert page.model.rowCount() == 1
    paai.error = None
    QTest.mouseClick(page.banner.button, Qt.MouseButton.LeftButton)
    assert not page.banner.isVisible()


@pytest.fixture
def threaded(qtbot: QtBot, tmp_path: Path, paai: FakePaai) -> Iterator[HistoryPage]:
    runner = TaskRunner()
    target = type("Target", (), {"name": "local", "endpoints": lambda self: None})()
    context = page_context(tmp_path, target=target, run_task=runner.run)
    made = HistoryPage(context=context, make_client=lambda _: paai, clock=lambda: NOW)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.closing()
    paai.gate.set()
    assert runner.shutdown()


def test_cancel_answers_at_once_and_a_late_answer_is_dropped(threaded: HistoryPage, paai: FakePaai, qtbot: QtBot) -> None:
    page = threaded
    paai.gate.clear()
    page.picker.set_chosen(["thermostat-00001"])
    page.run_query()
    assert page.cancel.isVisible()
    assert not page.run.isEnabled()
    qtbot.waitUntil(lambda: len(paai.asked) == 1)
    QTest.mouseClick(page.cancel, Qt.MouseButton.LeftButton)
    assert page.run.isEnabled()
    paai.gate.set()
    qtbot.waitUntil(lambda: paai.answered == 1)
    later: list[int] = []
    page.context.run_task(lambda: 1, later.append, lambda _: None)
    qtbot.waitUntil(lambda: bool(later))  # by then the late answer has been delivered
    assert page.model.rowCount() == 0
    page.picker.set_chosen(["thermostat-00002"])
    page.run_query()
    done: Callable[[], bool] = lambda: page.model.rowCount() == 1  # noqa: E731
    qtbot.waitUntil(done)
    assert cell(page, 0, "Device") == "thermostat-00002"


def test_custom_frame_keeps_its_moment_when_the_clock_is_switched(page: HistoryPage) -> None:
    page.frame.set_range(NOW - 100, NOW - 50)
    page.frame.set_utc(True)
    assert page.frame.range() == (NOW - 100, NOW - 50)
    assert page.frame.preset_s is None
    assert page.frame.start_edit.text() == "2026-11-24 05:39:21"
