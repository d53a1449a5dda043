"""The anomalies page over a fake system: list, filters, acknowledgement, ways to the charts, badge, notification."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget

from desktop.model.moment import Moment
from desktop.model.plain_text import tool_tip
from desktop.model.predictions.announcer import SETTLE_S
from desktop.model.predictions.event import EventKey, key_of
from desktop.model.predictions.record import NAN, Grade, Prediction
from desktop.model.snapshot import ViewRequest
from desktop.views.anomalies.page import AnomaliesPage
from desktop.views.anomalies.table import COLUMNS, LASTED, REASON, STATE
from desktop.views.history.page import HistoryPage
from desktop.views.live.page import LivePage
from desktop.views.window.toasts import Toaster
from tests.gui.conftest import Bench
from tests.gui.test_window import texts
from tests.helpers.fake_feed import FakeFeed

LONG = "factory-hall-7-line-3-position-12-thermometer-with-a-very-long-name-0001"


def odd(
    device: str,
    *,
    age_s: float = 30.0,
    kind: str = "stuck",
    grade: Grade = Grade.WARNING,
    sensor: str = "temperature",
    **more: Any,
) -> Prediction:
    t_ms = int((time.time() - age_s) * 1000)
    return Prediction(
        id=f"{device}/{sensor}/{t_ms}/{kind}",
        device_id=device,
        sensor=sensor,
        t_ms=t_ms,
        value=more.get("value", 24.0),
        expected=20.0,
        score=0.8,
        anomaly=True,
        reason=more.get("reason", "Stuck: it repeats 24 °C since 12:40:00 UTC (63 times), longer than ever before."),
        kind=kind,
        grade=grade,
        since_ms=t_ms,
        model="v3",
    )


class Desk:
    """The window with its anomalies page in view."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.connection = bench.attach()
        self.store = self.connection.store.predictions
        self.store.note(looked=True, past_read=True, promoted="v3", scoring="v3", told_at=time.time(), per_s=40.0, lag=0)
        bench.window.show_key("anomalies")
        page = bench.window.current_page
        assert isinstance(page, AnomaliesPage)
        self.page = page

    def put(self, *predictions: Prediction, news: bool = False) -> list[EventKey]:
        """Let the store have them, and wait until the page lists as many events as it then should."""
        self.store.ingest(predictions, news=news)
        self.wait_for(len(self.store.events()))
        return [key_of(p) for p in predictions]

    def wait_for(self, rows: int) -> None:
        self.bench.wait(lambda: self.page.model.rowCount() == rows, f"{rows} rows")

    def cells(self, column: int) -> list[str]:
        model = self.page.table.model()
        return [str(model.index(row, column).data()) for row in range(model.rowCount())]

    def select(self, *rows: int) -> None:
        self.page.table.clearSelection()
        for row in rows:
            index = self.page.table.model().index(row, 0)
            flags = self.page.table.selectionModel().SelectionFlag
            self.page.table.selectionModel().select(index, flags.Select | flags.Rows)


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return Desk(bench)


def test_newest_first_with_device_kind_duration_and_reason(desk: Desk) -> None:
    desk.put(odd("d-old", age_s=300), odd("d-new", age_s=5), odd("d-mid", age_s=100, kind="spike"))
    desk.put(odd("d-silent", age_s=200, kind="dropout", grade=Grade.CRITICAL, value=NAN, reason="Dropout: silent since."))
    assert desk.cells(1) == ["d-new", "d-mid", "d-silent", "d-old"]
    assert desk.cells(LASTED)[1:] == ["one reading", "3 min, ongoing", "one reading"]
    assert desk.cells(REASON)[2] == "Silent since.", "what the column before says is not said again"
    assert "4 anomalies, 4 unacknowledged" in desk.page.summary.text()
    assert "model v3" in desk.page.summary.text()


def test_a_selection_stays_while_rows_come_change_and_go(desk: Desk) -> None:
    first = odd("d1", age_s=60)
    desk.put(first, odd("d2", age_s=50))
    desk.select(1)
    resets: list[int] = []
    desk.page.model.modelReset.connect(lambda: resets.append(1))
    desk.put(odd("d3", age_s=10))
    again = dataclasses.replace(first, id="another", t_ms=first.t_ms + 1_000)
    desk.store.ingest([again])
    desk.bench.wait(lambda: desk.page.model.events[-1].readings == 2, "another reading of the first")
    assert [e.key.device_id for e in desk.page._selected()] == ["d1"]
    desk.store.ingest([dataclasses.replace(p, anomaly=False) for p in (first, again)])
    desk.wait_for(2)
    assert desk.cells(1) == ["d3", "d2"]
    assert resets == []


def test_filters(desk: Desk) -> None:
    desk.put(
        odd("hall-1", kind="spike"),
        odd("hall-2", kind="dropout", grade=Grade.CRITICAL, sensor="humidity"),
        odd("yard-1", kind="late", grade=Grade.INFO, reason="Late: it came 9 s behind."),
    )
    filters = desk.page.filters
    filters.search.setText("HALL")
    desk.wait_for(2)
    filters.grade.setCurrentIndex(2)
    desk.wait_for(1)
    assert desk.cells(1) == ["hall-2"]
    filters.kind.setCurrentIndex(filters.kind.findData("spike"))
    desk.wait_for(0)
    assert "No matching anomalies" in texts(desk.page)
    desk.page.state.button.click()
    desk.wait_for(3)
    filters.sensor.setCurrentIndex(filters.sensor.findData("humidity"))
    desk.wait_for(1)
    filters.clear()
    desk.wait_for(3)
    filters.search.setText("9 s behind")
    desk.wait_for(1)


def test_acknowledge_one_all_and_take_it_back(desk: Desk) -> None:
    keys = desk.put(odd("d1", age_s=10), odd("d2", age_s=20), odd("d3", age_s=30))
    desk.select(0)
    desk.page.seen.click()
    desk.bench.wait(lambda: desk.cells(STATE)[0] != "unacknowledged", "the first is acknowledged")
    assert set(desk.connection.acknowledged) == {keys[0]}
    assert desk.cells(STATE)[0].startswith("acknowledged by ")
    desk.page.seen_all.click()
    desk.bench.wait(lambda: "unacknowledged" not in desk.cells(STATE), "all are")
    assert not desk.page.seen_all.isEnabled()
    assert desk.page.undo.text() == "Undo (2 anomalies)"
    desk.page.undo.click()
    desk.bench.wait(lambda: desk.cells(STATE).count("unacknowledged") == 2, "the last two are open again")
    assert set(desk.connection.acknowledged) == {keys[0]}
    desk.select(0)
    desk.bench.wait(lambda: desk.page.seen.text() == "Reopen", "the button says what it does")
    desk.page.table.setFocus()
    QTest.keyClick(desk.page.table, Qt.Key.Key_Space)
    desk.bench.wait(lambda: not desk.connection.acknowledged, "it is taken back")
    desk.page.filters.state.setCurrentIndex(1)
    desk.wait_for(3)


def test_what_another_desktop_acknowledged_is_seen(desk: Desk) -> None:
    (key,) = desk.put(odd("d1"))
    desk.store.set_acknowledged({key: ("bo", time.time())})
    desk.bench.wait(lambda: desk.cells(STATE) == ["acknowledged by bo"], "the state")


def test_an_acknowledgement_that_fails_says_so_and_changes_nothing(desk: Desk) -> None:
    desk.put(odd("d1"))
    desk.connection.error = RuntimeError("MongoDB does not answer")
    desk.select(0)
    desk.page.seen.click()
    desk.bench.wait(desk.bench.notifications.entries, "a notification")
    assert "Nothing was acknowledged. MongoDB does not answer" in desk.bench.notifications.entries()[0].text
    assert desk.cells(STATE) == ["unacknowledged"]
    assert desk.page.seen.isEnabled()


def test_enter_shows_the_moment_on_the_live_charts(desk: Desk) -> None:
    (key,) = desk.put(odd("d1", age_s=300))
    desk.select(0)
    desk.page.table.setFocus()
    QTest.keyClick(desk.page.table, Qt.Key.Key_Return)
    live = desk.bench.window.current_page
    assert isinstance(live, LivePage)
    assert desk.bench.desktop.monitor.focus == ("d1",)
    start, end = live.window_.range(time.time())
    assert start < key.since_ms / 1e3 < end
    assert not live.window_.following


def test_a_full_focus_list_makes_room(desk: Desk) -> None:
    monitor = desk.bench.desktop.monitor
    for n in range(12):
        monitor.add_focus(f"x{n}")
    desk.page.wanted.emit("live", Moment("d1", "pressure", time.time() - 100, time.time() - 90))
    assert monitor.focus == (*(f"x{n}" for n in range(1, 12)), "d1")
    live = next(p for p in desk.bench.window.pages if isinstance(p, LivePage))
    assert live.board.highlighted == "d1", "among others it is to be found"


def test_what_is_older_than_the_live_hour_is_shown_in_the_history(desk: Desk) -> None:
    desk.put(odd("d1", age_s=4_000))
    desk.select(0)
    assert desk.page.show_chart.text() == "Show in the history"
    shown: list[tuple[str, object]] = []
    desk.page.wanted.connect(lambda key, what: shown.append((key, what)))
    history = next(p for p in desk.bench.window.pages if isinstance(p, HistoryPage))
    asked: list[tuple[str, ...]] = []
    history.run_query = lambda: asked.append(tuple(history.picker.chosen))  # type: ignore[method-assign]
    desk.page.show_chart.click()
    assert shown[0][0] == "history"
    assert desk.bench.window.current_page is history
    assert asked == [("d1",)]


def test_a_mark_on_a_chart_leads_to_its_event(desk: Desk) -> None:
    now = time.time()
    desk.page.filters.search.setText("something else")
    desk.store.ingest([odd("d1", age_s=20), odd("d2", age_s=10)])
    desk.bench.window.show_key("live")
    live = desk.bench.window.current_page
    assert isinstance(live, LivePage)
    desk.bench.wait(lambda: live.snapshot is not None and len(live.snapshot.views["temperature"].marks.t) == 2, "the marks")
    assert live.snapshot is not None
    assert live.snapshot.request.end > now - 60
    live.board.panels["temperature"].chart.mark_clicked.emit(0)
    assert desk.bench.window.current_page is desk.page
    desk.bench.wait(lambda: [e.key.device_id for e in desk.page._selected()] == ["d1"], "it is selected in spite of the filter")


def test_marks_of_other_devices_are_left_out_where_the_chart_is_about_a_few(desk: Desk) -> None:
    desk.put(odd("thermostat-00001", age_s=20), odd("thermostat-00002", age_s=10))
    store, now = desk.connection.store, time.time()
    desk.bench.desktop.monitor.add_focus("thermostat-00001")
    store.set_focus(["thermostat-00001"])
    FakeFeed(store, counts={"Thermostat": 3}, interval_s=1.0).play(now - 30, now)
    focused = store.snapshot(ViewRequest(now - 60, now, 500, ("thermostat-00001",)))
    assert focused.views["temperature"].marks.device_ids == ("thermostat-00001",)
    fleet = store.snapshot(ViewRequest(now - 60, now, 500))
    assert len(fleet.views["temperature"].marks.device_ids) == 2


def test_the_badge_counts_what_is_urgent_and_open(desk: Desk) -> None:
    rail = desk.bench.window.rail
    index = [p.key for p in desk.bench.window.pages].index("anomalies")
    badge, button = rail.badge(index), rail.button(index)
    assert not badge.isVisible()
    keys = desk.put(odd("d1"), odd("d2", grade=Grade.CRITICAL), odd("d3", grade=Grade.INFO))
    desk.bench.wait(lambda: badge.text() == "2" and badge.isVisible(), "the number")
    assert "1 critical and 1 warning" in button.toolTip()
    desk.connection.acknowledge(keys, by="anna")
    desk.bench.wait(lambda: not badge.isVisible(), "none is left")


def test_a_notification_groups_what_began_and_leads_to_the_page(desk: Desk) -> None:
    desk.bench.window.show_key("services")
    anomalies = desk.bench.desktop.anomalies
    now = time.time()
    anomalies._announcer._clock = lambda: now
    desk.store.ingest([odd(f"d{n}") for n in range(5)], news=True)
    anomalies.poll()
    assert desk.bench.notifications.entries() == []
    now += SETTLE_S
    anomalies.poll()
    (entry,) = desk.bench.notifications.entries()
    assert entry.text.startswith("5 devices abnormal since ")
    toaster = desk.bench.window.findChild(Toaster)
    assert isinstance(toaster, Toaster)
    desk.bench.wait(lambda: _button(toaster, "Show"), "the toast")
    button = _button(toaster, "Show")
    assert button is not None
    button.click()
    assert desk.bench.window.current_page is desk.page


def test_the_toast_of_anomalies_goes_once_their_page_is_shown(desk: Desk) -> None:
    """It would lie over the list that says the same."""
    window = desk.bench.window
    window.show_key("services")
    desk.bench.notifications.warning("d1 is abnormal.", page="anomalies")
    desk.bench.notifications.warning("Something else.")
    desk.bench.wait(lambda: all(t in texts(window.toaster) for t in ("d1 is abnormal.", "Something else.")), "two toasts")
    window.show_key("anomalies")
    desk.bench.wait(lambda: "d1 is abnormal." not in texts(window.toaster), "it goes")
    assert "Something else." in texts(window.toaster)


def _button(inside: QWidget, text: str) -> QPushButton | None:
    return next((b for b in inside.findChildren(QPushButton) if b.text() == text and b.isVisible()), None)


def test_the_states_of_an_empty_page_say_what_to_do(desk: Desk) -> None:
    page, note = desk.page, desk.store.note

    def says(words: str) -> None:
        desk.bench.wait(lambda: words in texts(page), words)

    says("No readings come in")
    note(promoted="", scoring="")
    says("No model yet")
    wanted: list[str] = []
    page.wanted.connect(lambda key, _: wanted.append(key))
    page.state.button.click()
    assert wanted == ["model"]
    desk.bench.window.show_key("anomalies")
    note(past_read=False)
    says("Reading the anomalies of the last hours")
    note(looked=False, trouble="connection refused")
    says("MongoDB does not answer: connection refused.")
    assert not page.table.isVisible()
    assert not page.show_chart.isVisible()


def test_nothing_is_scored_though_readings_come_in(desk: Desk) -> None:
    stats = desk.connection.store.stats()
    desk.connection.store.stats = lambda: dataclasses.replace(stats, readings_per_s=40.0)  # type: ignore[method-assign]
    desk.store.note(told_at=time.time() - 500)
    desk.bench.wait(lambda: "reported nothing since" in texts(desk.page), "the job is silent")
    desk.store.note(told_at=time.time())
    desk.bench.wait(lambda: "Model v3 scores every reading" in texts(desk.page), "it scores")


def test_a_long_name_is_elided_and_whole_in_the_tooltip_and_below(desk: Desk) -> None:
    desk.put(odd(LONG))
    index = desk.page.table.model().index(0, 1)
    assert len(str(index.data())) <= 40
    assert index.data(Qt.ItemDataRole.ToolTipRole) == tool_tip(LONG)
    desk.select(0)
    assert LONG in desk.page.detail.title.text()
    assert "expected 20.00 °C" in desk.page.detail.facts.text()


def test_a_small_window_keeps_the_reason(desk: Desk) -> None:
    desk.put(odd("d1"))
    desk.bench.window.resize(1024, 700)
    desk.bench.wait(lambda: desk.page.width() < 1000, "it is small")
    hidden = [c.title for n, c in enumerate(COLUMNS) if desk.page.table.isColumnHidden(n)]
    assert hidden == ["Sensor", "Score"]
    assert desk.page.table.columnWidth(REASON) > 180


def test_five_thousand_events_do_not_hold_the_window(desk: Desk) -> None:
    desk.store.ingest([odd(f"d{n:05}", age_s=1 + n / 10) for n in range(5_000)])
    desk.wait_for(5_000)
    slowest, began = 0.0, time.monotonic()
    for n in range(20):
        desk.store.ingest([odd(f"e{n}", age_s=0.5)])
        step = time.monotonic()
        desk.bench.desktop.anomalies.poll()
        slowest = max(slowest, time.monotonic() - step)
    desk.bench.wait(lambda: desk.page.model.row_of(desk.store.events()[0].key) >= 0, "the newest is listed")
    assert slowest < 0.25, f"{slowest:.3f} s"
    assert time.monotonic() - began < 30


def test_leaving_the_system_empties_the_list(desk: Desk) -> None:
    desk.put(odd("d1"))
    desk.bench.desktop.monitor.detach()
    assert desk.page.model.rowCount() == 0
    assert desk.bench.desktop.anomalies.open == {}


def test_export_offers_the_list_first(desk: Desk, tmp_path: Path) -> None:
    desk.put(odd("=cmd()", reason="=HYPERLINK(1)"), odd("d2", age_s=50))
    desk.page.export_button.click()
    (dialog,) = desk.page.exports.dialogs
    assert [k.key for k in dialog.kinds] == ["events", "raw", "aggregates", "anomalies"]
    dialog.path.setText(str(tmp_path / "a.csv"))
    done: list[object] = []
    dialog.done_.connect(done.append)
    dialog.run()
    desk.bench.wait(lambda: done, "the file")
    lines = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("'=cmd(),temperature,stuck,warning,")
    assert "'=HYPERLINK(1)" in lines[1]
    dialog.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_drawn_in_both_schemes(make_bench: Callable[..., Bench], theme: str) -> None:
    desk = Desk(make_bench(theme=theme))
    keys = desk.put(odd("d1"), odd("d2", grade=Grade.CRITICAL), odd("d3", grade=Grade.INFO, age_s=60))
    desk.connection.acknowledge(keys[:1], by="anna")
    desk.bench.wait(lambda: "unacknowledged" in desk.cells(STATE), "some are open")
    image = desk.page.table.viewport().grab().toImage()
    colours = {image.pixelColor(x, y).name() for x in range(10, 26) for y in range(84)}
    palette = desk.bench.desktop.theme.palette
    assert palette.bad.lower() in colours
    assert palette.idle.lower() in colours
