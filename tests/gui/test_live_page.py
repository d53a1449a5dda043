"""The live page: what stretch of time it asks for and shows while data stream, are held, or are absent."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from backend.contract.devices import SENSORS
from desktop.model.palette import DARK
from desktop.views.live.page import LivePage
from desktop.views.live.picture import chart_image, save_png
from desktop.views.live.table import WindowTable
from tests.helpers.fake_snapshots import snapshot
from tests.helpers.gui_context import page_context

NOW = 1_795_498_861.3


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def page(qtbot: QtBot, tmp_path: Path, clock: Clock) -> Iterator[LivePage]:
    made = LivePage(context=page_context(tmp_path), clock=clock)
    qtbot.addWidget(made)
    qtbot.addWidget(made.controls())
    made.resize(980, 720)
    made.show()
    made.set_span(60.0)
    yield made
    made.closing()


def stream(page: LivePage, clock: Clock, seconds: float = 0.0, **kinds: object) -> None:
    """One frame, `seconds` later."""
    clock.now += seconds
    r = page.request(clock.now)
    frame = snapshot(clock.now, span_s=r.end - r.start, end=r.end, pixels=r.pixels, focus=r.focus, **kinds)  # type: ignore[arg-type]
    page.context.monitor.frame.emit(frame)


def follows(page: LivePage) -> bool:
    return page.window_.following


def highlighted(page: LivePage) -> str | None:
    return page.board.highlighted


def times(page: LivePage) -> set[tuple[float, float]]:
    return {(c.frame.start, c.frame.end) for c in page.board.charts}


def test_all_charts_share_one_time_axis_that_follows_now(page: LivePage, clock: Clock) -> None:
    stream(page, clock)
    stream(page, clock, 5.0)
    ((start, end),) = times(page)
    assert end - start == pytest.approx(60.0)
    assert clock.now - 0.2 < end <= clock.now
    widths = {c.frame.rect.width() for c in page.board.charts}
    assert len(widths) == 1


def test_following_scrolls_by_whole_pixels(page: LivePage, clock: Clock) -> None:
    per_pixel = 60.0 / round(page.board.plot_width())
    first = page.request(NOW)
    for i in range(20):
        shift = (page.request(NOW + i * 0.033).end - first.end) / per_pixel
        assert shift == pytest.approx(round(shift), abs=1e-3)


def test_pause_holds_the_picture_and_loses_nothing(page: LivePage, clock: Clock) -> None:
    stream(page, clock)
    held = times(page)
    page.toggle_pause()
    stream(page, clock, 20.0)
    assert times(page) == held
    assert page.request(clock.now).end == next(iter(held))[1]
    # What was an open window when it was paused has come from MongoDB since, and is drawn in the held picture.
    steps = page.board.panels["temperature"].chart.steps
    assert len(steps.open_line.x) == 0
    page.toggle_pause()
    stream(page, clock)
    ((_, end),) = times(page)
    assert end > clock.now - 0.2


def test_back_to_live_is_offered_only_while_held(page: LivePage, clock: Clock, qtbot: QtBot) -> None:
    strip = page._strip
    strip.show()
    stream(page, clock)
    assert not strip.back.isVisible()
    page.pan(-10.0)
    assert strip.back.isVisible()
    assert strip.pause.text() == "Resume"
    QTest.mouseClick(strip.back, Qt.MouseButton.LeftButton)
    assert follows(page)
    assert not strip.back.isVisible()


def test_keys_of_a_chart(page: LivePage, clock: Clock, qtbot: QtBot) -> None:
    stream(page, clock)
    chart = page.board.charts[1]
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    chart.setFocus()
    (before,) = times(page)
    QTest.keyClick(chart, Qt.Key.Key_Left)
    (after,) = times(page)
    assert after[1] == pytest.approx(before[1] - 6.0)
    QTest.keyClick(chart, Qt.Key.Key_Plus)
    assert page.window_.span_s == pytest.approx(48.0)
    QTest.keyClick(chart, Qt.Key.Key_Minus)
    assert page.window_.span_s == pytest.approx(60.0)
    QTest.keyClick(chart, Qt.Key.Key_Space)
    assert follows(page)
    QTest.keyClick(chart, Qt.Key.Key_Space)
    assert not follows(page)
    QTest.keyClick(chart, Qt.Key.Key_End)
    assert follows(page)


def test_zoom_and_pan_while_data_stream(page: LivePage, clock: Clock) -> None:
    stream(page, clock)
    page.pan(-20.0)
    page.zoom(0.5, anchor=clock.now - 50.0)
    held = times(page)
    for _ in range(5):
        stream(page, clock, 1.0)
        assert times(page) == held
    view = page.board.panels["pressure"].chart.view
    assert view is not None
    ((start, end),) = held
    assert start - 2 <= view.envelope.t[0]
    assert view.envelope.t[-1] <= end


def test_span_buttons_say_what_is_shown(page: LivePage, qtbot: QtBot) -> None:
    strip = page._strip
    QTest.mouseClick(strip.spans[900.0], Qt.MouseButton.LeftButton)
    assert page.window_.span_s == 900.0
    assert page.context.settings.span_s == 900.0
    assert [s for s, b in strip.spans.items() if b.isChecked()] == [900.0]
    page.zoom(0.8)
    assert not any(b.isChecked() for b in strip.spans.values())


def test_one_crosshair_crosses_all_charts(page: LivePage, clock: Clock) -> None:
    stream(page, clock)
    page.board.charts[0].hovered.emit(NOW - 20)
    assert {c.crosshair.at for c in page.board.charts} == {NOW - 20}
    assert all(c.readout.table is not None for c in page.board.charts)
    page.board.charts[0].hovered.emit(None)
    assert all(c.readout.table is None for c in page.board.charts)


def test_header_figures_come_from_the_snapshot(page: LivePage, clock: Clock) -> None:
    stream(page, clock)
    panel = page.board.panels["pressure"]
    view = panel.chart.view
    assert view is not None
    assert panel.mean.text().replace("\u202f", "") == f"{view.mean:.1f}"
    assert panel.devices.text() == "300 devices"
    width = panel.mean.width()
    stream(page, clock, 1.0)
    assert panel.mean.width() == width


def test_an_empty_page_says_what_to_do_and_does_it(page: LivePage, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = dict.fromkeys(SENSORS, 0)
    stream(page, clock, counts=nothing)
    assert not page.state_panel.button.isVisible()
    stream(page, clock, 2.0, counts=nothing)
    assert page.state_panel.title.text() == "No readings in the last 1 min"
    assert page.state_panel.button.isVisible()
    asked: list[dict[str, int]] = []

    class Connection:
        def set_fleet(self, counts: dict[str, int], interval_s: float | None) -> None:
            asked.append(counts)

    monkeypatch.setattr(type(page.context.monitor), "connection", property(lambda _: Connection()))
    page.state_panel.button.click()
    assert asked == [{"Thermostat": 100}]
    stream(page, clock, 1.0)
    assert page.board.isVisible()


def test_a_chart_without_data_says_so_beside_the_others(page: LivePage, clock: Clock) -> None:
    stream(page, clock, counts={"temperature": 10, "pressure": 10, "humidity": 10, "heart_rate": 0})
    empty = page.board.panels["heart_rate"].empty
    assert empty.isVisible()
    assert empty.text() == "No readings in the last 1 min — move the Heart rate meter slider"
    assert not page.board.panels["pressure"].empty.isVisible()


def test_hide_and_solo_are_remembered(page: LivePage, clock: Clock) -> None:
    stream(page, clock)
    menu = page.menu_of("humidity")
    next(a for a in menu.actions() if a.text() == "Show only this chart").trigger()
    assert page.board.shown == ["humidity"]
    assert page.context.settings.strings("live/hidden") == sorted(set(SENSORS) - {"humidity"})
    page.board.set_hidden(set(SENSORS))
    assert page.board.shown == ["humidity"]
    menu = page.menu_of("humidity")
    next(a for a in menu.actions() if a.text() == "Show all charts").trigger()
    assert page.board.shown == list(SENSORS)


def test_only_the_lowest_chart_carries_times_and_wide_windows_get_two_columns(
    page: LivePage, clock: Clock, qtbot: QtBot
) -> None:
    stream(page, clock)
    assert [c.axes.show_times for c in page.board.charts] == [False, False, False, True]
    page.resize(1700, 900)
    qtbot.waitUntil(lambda: [c.axes.show_times for c in page.board.charts] == [False, False, True, True])
    assert page.board.charts[0].mapTo(page, page.board.charts[0].pos()).x() < 900


def test_focus_devices_get_labels_and_can_be_removed(page: LivePage, clock: Clock) -> None:
    page.context.monitor.add_focus("thermostat-00007")
    stream(page, clock)
    chart = page.board.panels["temperature"].chart
    assert [each.device_id for each in chart.labels.labels] == ["thermostat-00007"]
    chart.label_clicked.emit("thermostat-00007")
    assert highlighted(page) == chart.curves.highlighted == "thermostat-00007"
    menu = page.menu_of("temperature")
    next(a for a in menu.actions() if a.text().startswith("Remove thermostat-00007")).trigger()
    assert page.context.monitor.focus == ()
    assert highlighted(page) is None
    stream(page, clock)
    assert chart.labels.labels == []


def test_find_puts_a_device_into_focus(page: LivePage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    known = ["thermostat-00001", "thermostat-00012", "barometer-00001"]
    monkeypatch.setattr(page.context.monitor, "search", lambda text, limit=20: [d for d in known if text in d])
    page.open_find()
    popup = page._find
    assert popup is not None
    QTest.keyClicks(popup.line, "0001")
    assert popup.results.count() == 3
    QTest.keyClick(popup.line, Qt.Key.Key_Down)
    QTest.keyClick(popup.line, Qt.Key.Key_Return)
    assert page.context.monitor.focus == ("thermostat-00012",)
    page.open_find()
    QTest.keyClicks(popup.line, "zzz")
    assert "zzz" in popup.none.text()
    popup.hide()


def test_theme_switch_reaches_everything_painted(page: LivePage, clock: Clock) -> None:
    stream(page, clock)
    page.context.theme.set_choice("dark")
    image = page.board.charts[0].grab().toImage()
    assert image.pixelColor(3, 3).name().upper() == DARK.surface
    page.context.theme.set_choice("light")


def test_utc_switch_is_shown_and_remembered(page: LivePage, qtbot: QtBot) -> None:
    assert page.key_strip.clock.text().startswith("Time zone: local (UTC")
    QTest.mouseClick(page.key_strip.clock, Qt.MouseButton.LeftButton)
    assert page.key_strip.clock.text() == "Time zone: UTC"
    assert all(c.axes.utc for c in page.board.charts)
    assert page.context.settings.flag("live/utc")


def test_table_twin_has_the_windows_of_the_visible_range(page: LivePage, clock: Clock) -> None:
    stream(page, clock)
    page.show_table("humidity")
    table = page.findChild(WindowTable)
    assert table is not None
    view = page.board.panels["humidity"].chart.view
    assert view is not None
    assert table.model.rowCount() == len(view.steps.start)
    newest = table.model.index(0, 6).data()
    assert newest == "raw, still open"
    oldest = table.model.index(table.model.rowCount() - 1, 2).data()
    assert oldest == f"{view.steps.avg[0]:.3f}"
    table.close()


def test_image_is_copied_and_saved_whole(page: LivePage, clock: Clock, tmp_path: Path) -> None:
    stream(page, clock)
    page.copy_image("temperature")
    copied = QGuiApplication.clipboard().image()
    chart = page.board.panels["temperature"].chart
    assert copied.width() == chart.width() * chart.devicePixelRatioF()
    target = tmp_path / "chart.png"
    save_png(chart_image(chart, page.context.theme.palette), target)
    assert target.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with pytest.raises(OSError, match="cannot be written"):
        save_png(chart_image(chart, page.context.theme.palette), tmp_path / "no" / "chart.png")
