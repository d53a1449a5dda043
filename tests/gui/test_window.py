"""The window: attaching, pages, settings, closing."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMessageBox, QWidget

from desktop.model.palette import DARK, LIGHT
from desktop.views.services.page import ServicesPage
from desktop.views.window.shortcuts import ShortcutSheet
from stack.choose import choose_target
from stack.target import ServiceStatus
from tests.gui.conftest import Bench
from tests.helpers.fake_target import status_of


def texts(widget: QWidget) -> str:
    """All that is written on `widget` and can be seen."""
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def key(bench: Bench, combination: str) -> None:
    """Trigger the window's action with this shortcut."""
    action = next(a for a in bench.window.findChildren(QAction) if a.shortcut().toString() == combination)
    action.trigger()


def keys_of(bench: Bench, page: str) -> str:
    """The shortcut of a page."""
    return f"Ctrl+{[p.key for p in bench.window.pages].index(page) + 1}"


def test_attaches_at_once_to_a_running_system(bench: Bench) -> None:
    began = time.monotonic()
    connection = bench.attach()
    assert time.monotonic() - began < 2
    assert connection.started
    assert bench.window.current_page is not None
    assert bench.window.current_page.key == "live"
    assert bench.window.fleet_panel.isVisible()
    assert bench.window.strip.sign.state == "running"


def test_start_page_stands_in_while_nothing_runs(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(up=False)
    bench.start()
    bench.wait(lambda: bench.desktop.deployment.plan is not None, "the plan")
    assert bench.window.current_page is bench.window.start_page
    assert not bench.window.fleet_panel.isVisible()
    key(bench, keys_of(bench, "services"))
    assert isinstance(bench.window.current_page, ServicesPage), "services can be looked at while stopped"


def test_detaches_when_the_system_stops_elsewhere_and_attaches_again(bench: Bench) -> None:
    first = bench.attach()
    running = bench.target.services
    bench.target.services = make_stopped(bench)
    bench.wait(lambda: not bench.desktop.monitor.is_attached, "it detaches")
    bench.wait(lambda: first.stopped, "the feeds are stopped")
    assert bench.window.current_page is bench.window.start_page
    bench.target.services = running
    bench.wait(lambda: bench.desktop.monitor.is_attached, "it attaches again")
    assert bench.connection is not first


def make_stopped(bench: Bench) -> list[ServiceStatus]:
    return [status_of(s.service, 0) for s in bench.target.services]


def test_page_and_panel_are_remembered(make_bench: Callable[..., Bench]) -> None:
    first = make_bench()
    first.attach()
    key(first, "Ctrl+B")
    key(first, keys_of(first, "services"))
    first.window.close()
    first.settings.sync()
    second = make_bench()
    second.attach()
    assert second.window.current_page is not None
    assert second.window.current_page.key == "services"
    key(second, "Ctrl+1")
    assert not second.window.fleet_panel.isVisible()


def test_focus_is_remembered_and_told_to_the_feeds(make_bench: Callable[..., Bench]) -> None:
    first = make_bench()
    first.attach()
    assert first.desktop.monitor.add_focus("thermostat-00007")
    assert not first.desktop.monitor.add_focus("thermostat-00007")
    assert first.connection.focus == ("thermostat-00007",)
    first.settings.sync()
    second = make_bench()
    assert second.attach().focus == ("thermostat-00007",)


def test_colours_change_live(bench: Bench) -> None:
    bench.attach()
    assert bench.window.grab().toImage().pixelColor(5, 400).name() == LIGHT.surface.lower()
    bench.desktop.theme.set_choice("dark")
    bench.wait(lambda: bench.desktop.restyler.done, "every widget is restyled")
    assert bench.window.grab().toImage().pixelColor(5, 400).name() == DARK.surface.lower()


def test_closing_says_once_that_the_system_goes_on(bench: Bench) -> None:
    bench.attach()
    bench.settings.set_flag("window/farewell_said", False)
    asked: list[bool] = []

    def answer(_: QWidget) -> bool:
        asked.append(True)
        return len(asked) > 1

    bench.window._farewell = answer
    bench.window.close()
    assert bench.window.isVisible(), "the user said no"
    bench.window.close()
    assert not bench.window.isVisible()
    assert bench.settings.flag("window/farewell_said")
    assert "down" not in bench.target.calls


def test_the_farewell_names_the_command_for_this_very_system(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    icons: list[bool] = []

    def look(box: QMessageBox) -> int:
        said.append(box.informativeText())
        icons.extend(not button.icon().isNull() for button in box.buttons())
        return 0

    monkeypatch.setattr(QMessageBox, "exec", look)
    bench.attach()
    bench.switched.current = choose_target("local", port_offset=4000, data_dir=tmp_path / "here")
    assert not bench.window._farewell(bench.window)
    assert f"-m stack down --port-offset 4000 --data-dir {tmp_path / 'here'}" in said[0]
    assert icons == [False, False]


def test_everything_ends_quickly(bench: Bench) -> None:
    bench.attach()
    key(bench, keys_of(bench, "services"))
    began = time.monotonic()
    bench.window.close()
    bench.desktop.close()
    assert bench.runner.shutdown(timeout_s=3)
    assert time.monotonic() - began < 3
    assert bench.connection.stopped


def test_an_unexpected_error_is_a_sentence_not_a_traceback(bench: Bench) -> None:
    bench.attach()
    try:
        raise ZeroDivisionError("division by zero")
    except ZeroDivisionError as error:
        bench.notifications.exception(error, "drawing the charts")
    bench.wait(lambda: bench.window.toaster.isVisible(), "the toast")
    shown = texts(bench.window.toaster)
    assert "while drawing the charts: division by zero" in shown
    assert "Traceback" not in shown
    assert "Traceback" in bench.notifications.entries()[0].details


def test_shortcut_sheet_lists_the_pages_keys(bench: Bench) -> None:
    bench.attach()
    key(bench, "F1")
    sheet = bench.window.findChild(ShortcutSheet)
    assert sheet is not None
    assert "Ctrl+E" in texts(sheet)
    assert "Page Services" in texts(sheet)
    QTest.keyClick(sheet, Qt.Key.Key_Escape)


def test_status_bar_shows_the_sentence_and_makes_room_for_it(bench: Bench) -> None:
    from desktop.model.health import Health, Message, Severity

    bench.attach()
    bench.wait(lambda: bench.window.status.sentence.text() == "Stream healthy", "Stream healthy")
    bench.window.resize(1024, 700)
    status = bench.window.status
    bench.wait(lambda: status.sentence.width() >= status.sentence.sizeHint().width(), "it is whole in the smallest window")
    sentence = "Kafka has not answered for 12 s; charts show what was received until 12:41:07."
    bench.connection.judgement = Health(hops=(), messages=(Message("kafka", Severity.ERROR, sentence, "kafka"),))
    bench.window.resize(1024, 700)
    bench.wait(lambda: bench.window.status.sentence.text() == sentence, "the sentence")
    bar = bench.window.status
    assert bar.sign.state == "degraded"
    bench.wait(lambda: bar.sentence.width() >= bar.sentence.sizeHint().width(), "it can be read whole")
    assert bar.cells[0].isVisible(), "the most important figure stays"
    sentence = "2 of 12 services are not healthy: spark-job, mongodb (connection refused; see their logs)"
    bench.connection.judgement = Health(hops=(), messages=(Message("services", Severity.WARNING, sentence, "services"),))
    bench.wait(lambda: bar.sentence.text() == sentence, "a longer sentence")
    bench.wait(lambda: bar.sentence.width() >= bar.sentence.sizeHint().width(), "the other figures give way to it")
    assert bar.cells[0].isVisible()
    assert all(button.isVisible() for button in bar.refused)
    sentence += " again" * 40
    bench.connection.judgement = Health(hops=(), messages=(Message("services", Severity.WARNING, sentence, "services"),))
    bench.wait(lambda: "again again" in bar.sentence.toolTip(), "what is cut stands in the tooltip")
    sentence = "predictor is still starting"
    bench.connection.judgement = Health(hops=(), messages=(Message("starting", Severity.INFO, sentence, "services"),))
    bench.wait(lambda: bar.sentence.text() == sentence, "the sentence")
    assert bar.sign.state == "starting"


def test_every_control_has_a_name(bench: Bench) -> None:
    from PySide6.QtWidgets import QAbstractButton

    bench.attach()
    nameless = [b for b in bench.window.findChildren(QAbstractButton) if b.isVisible() and not (b.text() or b.accessibleName())]
    assert nameless == []
