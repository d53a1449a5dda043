"""Sliders and boxes: live, optimistic, rolled back, and never against the user's hand."""

import time
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox

from backend.contract.devices import DEVICE_TYPES
from desktop.model.plain_text import tool_tip
from desktop.model.progress import SinkProgress
from desktop.qtmodels.fleet import DEBOUNCE_MS
from desktop.qtmodels.fleet_scale import LAST, STOPS, count_at, position_of
from desktop.qtmodels.storing import StoringLimit, system_key
from desktop.services.errors import InvalidRequestError
from desktop.views.fleet.type_row import TypeRow
from tests.gui.conftest import Bench
from tests.helpers.fake_target import FakeTarget


def row(bench: Bench, tag: str) -> TypeRow:
    return bench.window.fleet_panel.rows[[t.tag for t in DEVICE_TYPES].index(tag)]


def set_elsewhere(bench: Bench, **counts: int) -> None:
    state = bench.connection.state
    bench.connection.state = replace(
        state, counts={**state.counts, **counts}, running=True, as_of=time.time(), reporting={"Thermostat": 3}
    )


def test_scale_reaches_both_ends_and_is_fine_at_the_low_one() -> None:
    assert [count_at(p) for p in range(6)] == [0, 1, 2, 3, 4, 5]
    assert count_at(LAST) == 5000
    assert list(STOPS) == sorted(set(STOPS))
    assert all(position_of(count_at(p)) == p for p in range(LAST + 1))
    assert position_of(1234) == position_of(1200)
    assert position_of(0) == 0


def test_slider_asks_the_generator_within_a_quarter_second(bench: Bench) -> None:
    connection = bench.attach()
    began = time.monotonic()
    row(bench, "Thermostat").slider.setValue(position_of(200))
    assert row(bench, "Thermostat").box.value() == 200, "shown at once"
    bench.wait(lambda: connection.puts, "the request")
    assert time.monotonic() - began < 0.4
    assert connection.puts == [({"Thermostat": 200}, None)]


def test_drag_is_followed_live_with_few_requests(bench: Bench) -> None:
    connection = bench.attach()
    slider = row(bench, "Barometer").slider
    slider.setSliderDown(True)
    began = time.monotonic()
    for position in range(1, 61):
        slider.setSliderPosition(position)
        QTest.qWait(10)
    # On a busy machine the drag takes longer.
    most = 2 + (time.monotonic() - began) * 1000 / DEBOUNCE_MS
    assert 2 <= len(connection.puts) <= most, "it follows while dragging, and does not flood"
    slider.setSliderDown(False)
    bench.wait(lambda: connection.state.counts["Barometer"] == count_at(60), "the last value")


def test_typed_number_goes_out_on_enter(bench: Bench) -> None:
    connection = bench.attach()
    box = row(bench, "Hygrometer").box
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, "1234")
    assert connection.puts == []
    QTest.keyClick(box, Qt.Key.Key_Return)
    bench.wait(lambda: connection.puts == [({"Hygrometer": 1234}, None)], "the request")
    assert row(bench, "Hygrometer").slider.value() == position_of(1234)
    assert box.value() == 1234, "the slider's stop does not round what was typed"


def test_refusal_rolls_back_and_says_why(bench: Bench) -> None:
    connection = bench.attach()
    set_elsewhere(bench, Thermostat=5)
    bench.wait(lambda: row(bench, "Thermostat").box.value() == 5, "the fleet")
    connection.error = RuntimeError("The generator answered 503.")
    row(bench, "Thermostat").slider.setValue(position_of(500))
    assert row(bench, "Thermostat").box.value() == 500
    bench.wait(lambda: row(bench, "Thermostat").box.value() == 5, "the roll-back")
    assert "The generator answered 503." in bench.window.fleet_panel.message.text()
    assert "503" in bench.notifications.entries()[0].text


def test_poll_does_not_move_a_slider_in_the_hand(bench: Bench) -> None:
    connection = bench.attach()
    slider = row(bench, "Thermostat").slider
    connection.gate.clear()
    slider.setSliderDown(True)
    slider.setSliderPosition(40)
    set_elsewhere(bench, Thermostat=7, Barometer=9)
    bench.wait(lambda: row(bench, "Barometer").box.value() == 9, "the change made elsewhere")
    assert slider.value() == 40
    assert row(bench, "Thermostat").box.value() == 40
    connection.gate.set()
    slider.setSliderDown(False)
    bench.wait(lambda: connection.state.counts["Thermostat"] == 40, "the user's wish wins")


def test_changes_made_elsewhere_appear(bench: Bench) -> None:
    connection = bench.attach()
    set_elsewhere(bench, HeartRateMeter=33)
    bench.wait(lambda: row(bench, "HeartRateMeter").box.value() == 33, "the change")
    assert connection.puts == [], "following is not asking"
    assert row(bench, "Thermostat").reporting.text() == "3 reporting"


def test_switch_stops_and_goes_on(bench: Bench) -> None:
    connection = bench.attach()
    set_elsewhere(bench, Thermostat=5)
    bench.wait(lambda: bench.window.fleet_panel.switch.text() == "Stop", "it runs")
    bench.window.fleet_panel.switch.click()
    assert bench.window.fleet_panel.switch.text() == "Start", "shown at once"
    bench.wait(lambda: connection.running_calls == [False], "the request")
    bench.wait(lambda: not connection.state.running, "it stands")
    bench.window.fleet_panel.switch.click()
    bench.wait(lambda: connection.running_calls == [False, True], "it goes on")


def test_interval_goes_out(bench: Bench) -> None:
    connection = bench.attach()
    bench.window.fleet_panel.interval.setValue(2.0)
    bench.wait(lambda: connection.puts == [({}, 2.0)], "the request")


def test_faults_are_chosen_followed_and_taken_back_when_refused(bench: Bench) -> None:
    connection = bench.attach()
    box = bench.window.fleet_panel.faults
    bench.wait(lambda: box.isEnabled(), "what is on")
    assert box.currentText() == "None"
    connection.gate.clear()
    choose(box, "Many")
    assert box.currentText() == "Many", "shown at once"
    connection.gate.set()
    bench.wait(lambda: "drift" in connection.injected, "the request")
    connection.error = InvalidRequestError("The generator refused the request", status=422, why="because.")
    choose(box, "None")
    bench.wait(lambda: box.currentText() == "Many", "taken back")
    assert any("The faults were not changed" in n.text for n in bench.notifications.entries())
    choose(box, "None")
    bench.wait(lambda: connection.injected == {"seed": 0}, "off")


def test_faults_that_were_asked_for_elsewhere_are_no_preset(bench: Bench) -> None:
    connection = bench.attach()
    box = bench.window.fleet_panel.faults
    bench.wait(lambda: box.isEnabled(), "what is on")
    connection.injected = {"seed": 0, "spike": {"share": 0.5, "magnitude": 8.0, "duration_s": 1.0}}
    bench.window.show_key("history")
    bench.window.show_key("live")
    bench.wait(lambda: box.currentText() == "Others", "they are followed")
    choose(box, "A few")
    bench.wait(lambda: "stuck" in connection.injected, "the request")
    bench.wait(lambda: box.findText("Others") < 0, "they are gone")


def choose(box: QComboBox, text: str) -> None:
    index = box.findText(text)
    box.setCurrentIndex(index)
    box.activated.emit(index)


def test_focus_is_found_by_a_part_of_its_name(bench: Bench) -> None:
    from desktop.model.readings import ReadingBatch

    connection = bench.attach()
    now = time.time()
    ids = ("thermostat-00001", "thermostat-00002", "barometer-00001")
    connection.store.ingest(ReadingBatch.of([(d, "temperature", round(now * 1000), 20.0) for d in ids], received=now))
    focus = bench.window.fleet_panel.focus
    focus.search.setFocus()
    QTest.keyClicks(focus.search, "baro")
    bench.wait(lambda: focus.results.isVisible(), "suggestions")
    QTest.keyClick(focus.search, Qt.Key.Key_Return)
    assert bench.desktop.monitor.focus == ("barometer-00001",)
    focus._rows[0].remove.click()
    assert not bench.desktop.monitor.focus


def fall_behind(bench: Bench, stored: float = 1000.0) -> None:
    """The sink is seen to store `stored` of 2 000 readings/s for 34 s."""
    connection, meter = bench.connection, bench.desktop.storing
    for second in range(0, 36, 2):
        connection.sink_progress = SinkProgress(time.time() - 36 + second, 60_000, stored, 2000.0, 2000.0 - stored)
        meter._measure(None)


def test_without_a_measured_limit_there_is_no_mark(bench: Bench) -> None:
    connection = bench.attach()
    connection.sink_progress = SinkProgress(time.time(), 10, 900.0, 900.0, 0.0)
    set_elsewhere(bench, Thermostat=900)
    bench.wait(lambda: row(bench, "Thermostat").box.value() == 900, "the fleet")
    assert row(bench, "Thermostat").slider.limit is None
    assert bench.window.fleet_panel.outlook.isHidden()


def test_sliders_mark_what_the_system_stores(bench: Bench) -> None:
    bench.attach()
    set_elsewhere(bench, Thermostat=300, Barometer=200)
    bench.wait(lambda: row(bench, "Barometer").box.value() == 200, "the fleet")
    fall_behind(bench)
    assert [row(bench, tag).slider.limit for tag in ("Thermostat", "Barometer", "Hygrometer")] == [800, 700, 500]
    slider = row(bench, "Hygrometer").slider
    assert slider.accessibleDescription() == "With more than about 500 hygrometers, stored readings fall behind"
    assert slider.toolTip() == tool_tip(slider.accessibleDescription())
    bench.window.fleet_panel.interval.setValue(20.0)
    assert slider.limit is None, "beyond the scale"
    assert "5\u202f000 hygrometers are stored in time" in slider.accessibleDescription()


def test_panel_says_what_will_happen_and_no_slider_moves(bench: Bench) -> None:
    bench.attach()
    fall_behind(bench)
    panel = bench.window.fleet_panel
    bench.wait(lambda: panel.outlook.text().startswith("Mark: the system stores about"), "the limit")
    bench.qtbot.wait(50)
    slider = row(bench, "Thermostat").slider
    top = slider.mapTo(panel, slider.rect().topLeft())
    slider.setSliderDown(True)
    slider.setSliderPosition(position_of(2000))
    assert panel.outlook.text() == (
        "At 2\u202f000 readings/s stored readings fall behind: about 1\u202f000 are stored, the backlog grows by 1\u202f000/s."
    )
    bench.qtbot.wait(50)
    assert slider.mapTo(panel, slider.rect().topLeft()) == top
    for tag in ("Barometer", "Hygrometer", "HeartRateMeter"):
        row(bench, tag).slider.setValue(LAST)
    bench.qtbot.wait(50)
    assert "At 17\u202f000 readings/s" in panel.outlook.text()
    assert slider.mapTo(panel, slider.rect().topLeft()) == top, "nor for the longest sentence"
    for tag in ("Barometer", "Hygrometer", "HeartRateMeter"):
        row(bench, tag).slider.setValue(0)
    slider.setSliderPosition(position_of(500))
    assert panel.outlook.text().startswith("Mark:")
    slider.setSliderDown(False)


def marked(storing: StoringLimit) -> float | None:
    return storing.limit.per_s if storing.limit is not None else None


def test_limit_is_kept_for_this_system_only(bench: Bench) -> None:
    bench.attach()
    fall_behind(bench)
    monitor, storing = bench.desktop.monitor, bench.desktop.storing
    monitor.detach()
    assert marked(storing) is None
    bench.wait(lambda: monitor.is_attached, "it is attached again")
    assert marked(storing) == 1000.0
    here = monitor.endpoints
    assert here is not None
    keys = {
        system_key(bench.target, here),
        system_key(bench.target, replace(here, mongo="mongodb://127.0.0.1:35017/")),
        system_key(FolderTarget("/a"), here),
        system_key(FolderTarget("/b"), here),
    }
    assert len(keys) == 4
    login = replace(here, mongo=here.mongo.replace("//", "//user:secret@"))
    assert system_key(bench.target, login) == system_key(bench.target, here), "another password is no other system"


class FolderTarget(FakeTarget):
    """A target with a data folder."""

    def __init__(self, data_dir: str) -> None:
        super().__init__()
        self.data_dir = data_dir
