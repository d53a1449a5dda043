"""What a chart draws equals the snapshot, on its exact times; pixels included."""

import ast
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from backend.contract.devices import BY_SENSOR, SENSORS
from desktop.model.palette import DARK, LIGHT, Palette
from desktop.model.snapshot import LiveSnapshot
from desktop.plots.chart import Chart
from desktop.plots.endlabels import spread
from desktop.plots.lookup import FocusAt, RawAt, Readout, WindowAt
from desktop.plots.readout import table_of
from tests.helpers.fake_snapshots import snapshot

NOW = 1_795_498_861.3


@pytest.fixture
def chart(qtbot: QtBot) -> Chart:
    made = Chart(device_type=BY_SENSOR["temperature"], palette=LIGHT)
    qtbot.addWidget(made)
    made.resize(800, 240)
    made.show()
    return made


class Paints(QObject):
    """Counts how often a widget is painted."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def more_than(self, before: int) -> bool:
        return self.count > before

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        self.count += event.type() == QEvent.Type.Paint
        return False


def show(chart: Chart, frame: LiveSnapshot) -> None:
    chart.set_times(frame.request.start, frame.request.end)
    chart.draw(frame.views[chart.sensor], frame.request.focus)


def pixels(image: QImage) -> np.ndarray:
    """uint8[height, width, 3], RGB."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).astype(np.int64)


def grab(chart: Chart) -> np.ndarray:
    return pixels(chart.grab().toImage())


def mixed(palette: Palette, sensor: str, *alphas: float) -> np.ndarray:
    """The colour of the hue painted over the surface so many times."""

    def rgb(name: str) -> np.ndarray:
        c = QColor(name)
        return np.array([c.red(), c.green(), c.blue()], np.float64)

    colour, hue = rgb(palette.surface), rgb(palette.sensors[sensor])
    for alpha in alphas:
        colour = colour * (1 - alpha) + hue * alpha
    return colour


def at(chart: Chart, image: np.ndarray, t: float, value: float) -> np.ndarray:
    colour: np.ndarray = image[round(chart.frame.y(value)), round(chart.frame.x(t))]
    return colour


def test_drawn_arrays_equal_the_snapshot(chart: Chart) -> None:
    frame = snapshot(NOW, span_s=60, pixels=700, focus=("thermostat-00007",))
    show(chart, frame)
    view = frame.views["temperature"]
    env = view.envelope
    centres = np.isin(chart.envelope.line.x, env.t + env.bucket_s / 2)
    assert np.array_equal(chart.envelope.line.y[centres], env.mean)
    assert set(env.high.tolist()) | set(env.low.tolist()) == set(chart.envelope.outline.y.tolist())
    assert np.array_equal(chart.curves.drawn[0].line.x, view.curves[0].t)
    assert np.array_equal(chart.curves.drawn[0].line.y, view.curves[0].value)
    settled = ~view.steps.provisional
    assert np.array_equal(chart.steps.line.y[0::2], view.steps.avg[settled])
    assert np.array_equal(chart.steps.bands.high, view.steps.high[settled])
    focus = chart.focus_steps_item("thermostat-00007")
    assert focus is not None
    assert np.array_equal(focus.line.y[0::2], view.focus_steps["thermostat-00007"].avg[settled])


def test_a_chart_without_data_has_no_value_labels(chart: Chart) -> None:
    frame = snapshot(NOW)
    chart.set_times(frame.request.start, frame.request.end)
    margin = np.unique(pixels(chart.grab().toImage())[40:-60, : round(chart.frame.rect.left()) - 4].reshape(-1, 3), axis=0)
    assert len(margin) == 1, "nothing is written left of the plot"
    show(chart, frame)
    margin = np.unique(pixels(chart.grab().toImage())[40:-60, : round(chart.frame.rect.left()) - 4].reshape(-1, 3), axis=0)
    assert len(margin) > 1


def test_steps_stand_exactly_on_window_edges(chart: Chart) -> None:
    frame = snapshot(NOW, span_s=60, pixels=700)
    show(chart, frame)
    steps = frame.views["temperature"].steps
    assert np.array_equal(chart.steps.line.x[0::2], steps.start[~steps.provisional])
    assert np.array_equal(chart.steps.line.x[1::2], steps.end[~steps.provisional])
    assert np.all(chart.steps.line.x % 10 == 0)


def test_every_window_has_its_average_line_the_first_one_too(chart: Chart) -> None:
    """A strip one pixel high at each settled window's average is in text colour."""
    frame = snapshot(NOW, span_s=300, pixels=700)
    show(chart, frame)
    steps = frame.views["temperature"].steps
    settled = np.flatnonzero(~steps.provisional)
    text = QColor(LIGHT.text)
    for image in (grab(chart) for _ in range(20)):  # memory that was freed is not overwritten every time
        for i in settled.tolist():
            middle = (max(float(steps.start[i]), frame.request.start) + float(steps.end[i])) / 2
            x, y = round(chart.frame.x(middle)), round(chart.frame.y(float(steps.avg[i])))
            column = image[y - 2 : y + 3, x]
            assert np.abs(column - [text.red(), text.green(), text.blue()]).max(axis=1).min() < 8, f"window {i} has no line"


def test_arrays_are_kept_while_they_are_drawn() -> None:
    """`drawargs()` hands out a bare pointer: of a temporary it points into freed memory while Qt draws."""
    desktop = Path(__file__).parents[2] / "desktop"
    calls = [
        (path.name, node.lineno, node.func.value)
        for path in sorted(desktop.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "drawargs"
    ]
    assert calls
    temporary = [
        f"{name}:{line}"
        for name, line, owner in calls
        if any(not isinstance(part, ast.Name | ast.Attribute | ast.expr_context) for part in ast.walk(owner))
    ]
    assert not temporary


def test_a_step_ends_at_its_edges_pixel(chart: Chart) -> None:
    """Of the last settled window nothing is drawn past its end, seen in pixels."""
    frame = snapshot(NOW, span_s=60, pixels=700)
    show(chart, frame)
    steps = frame.views["temperature"].steps
    last = int(np.flatnonzero(~steps.provisional)[-1])
    image = grab(chart)
    band = mixed(LIGHT, "temperature", 0.12, 0.18)
    fill = mixed(LIGHT, "temperature", 0.12)
    value = float(steps.avg[last]) + 0.8
    edge = float(steps.end[last])
    px = (frame.request.end - frame.request.start) / chart.frame.rect.width()
    assert np.abs(at(chart, image, edge - 3 * px, value) - band).max() < 8
    assert np.abs(at(chart, image, edge + 3 * px, value) - fill).max() < 8


@pytest.mark.parametrize("sensor", SENSORS)
@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_a_grab_shows_the_sensors_hue(qtbot: QtBot, sensor: str, palette: Palette) -> None:
    chart = Chart(device_type=BY_SENSOR[sensor], palette=palette)
    qtbot.addWidget(chart)
    chart.resize(600, 200)
    chart.show()
    show(chart, snapshot(NOW, span_s=60, pixels=500))
    wanted = mixed(palette, sensor, 0.12)
    near = np.abs(grab(chart) - wanted).max(axis=2) < 6
    assert near.sum() > 300


def test_a_gap_in_the_data_is_a_gap_in_the_picture(chart: Chart) -> None:
    frame = snapshot(NOW, span_s=60, pixels=700, gap=(NOW - 40, NOW - 25))
    steps = frame.views["temperature"].steps
    from dataclasses import replace

    view = replace(frame.views["temperature"], steps=replace(steps, low=steps.low * np.nan, high=steps.high * np.nan))
    chart.set_times(frame.request.start, frame.request.end)
    chart.draw(view, ())
    image = grab(chart)
    surface = np.array([255, 255, 255])
    inside = at(chart, image, NOW - 33.3, 20.47)
    outside = at(chart, image, NOW - 15.3, 20.47)
    assert np.abs(inside - surface).max() < 3
    assert np.abs(outside - mixed(LIGHT, "temperature", 0.12)).max() < 6


def test_theme_changes_live(chart: Chart) -> None:
    show(chart, snapshot(NOW, span_s=60, pixels=700))
    assert np.array_equal(grab(chart)[2, 2], [255, 255, 255])
    chart.set_palette(DARK)
    image = grab(chart)
    text = QColor(DARK.text)
    assert (np.abs(image - np.array([text.red(), text.green(), text.blue()])).max(axis=2) < 3).sum() > 300  # the steps
    assert np.array_equal(image[2, 2], [0x1B, 0x1F, 0x26])
    assert (np.abs(image - mixed(DARK, "temperature", 0.12)).max(axis=2) < 6).sum() > 300


def test_no_word_stands_in_the_column_of_numbers() -> None:
    raw, window = RawAt(20.0, 21.0, 22.0, 900), WindowAt(NOW - 10, NOW, 21.0, 20.0, 22.0, 9000, provisional=False)
    focus = FocusAt("thermostat-00001", NOW, 21.5, replace(window, count=10))
    rows = table_of(Readout(NOW, raw, window, (focus,)), "temperature", utc=True).rows
    assert [row[4] for row in rows] == ["900", "9\u202f000", "", "10"]
    assert rows[2] == ("thermostat-00001 · raw", "", "21.50", "", "")


def test_crosshair_reads_both_sources(chart: Chart) -> None:
    frame = snapshot(NOW, span_s=60, pixels=700)
    show(chart, frame)
    chart.set_cross(NOW - 22)
    table = chart.readout.table
    assert table is not None
    view = frame.views["temperature"]
    window = int(np.searchsorted(view.steps.start, NOW - 22, "right")) - 1
    bucket = int(np.searchsorted(view.envelope.t, NOW - 22, "right")) - 1
    assert table.rows[0][1:4] == tuple(f"{a[bucket]:.2f}" for a in (view.envelope.low, view.envelope.mean, view.envelope.high))
    assert table.rows[1][1:4] == tuple(f"{a[window]:.2f}" for a in (view.steps.low, view.steps.avg, view.steps.high))
    assert table.rows[1][4] == "12\u202f000"
    chart.set_cross(None)
    assert chart.readout.table is None


def test_a_chart_that_stands_still_is_painted_when_something_in_it_changes(chart: Chart, qtbot: QtBot) -> None:
    """While paused nothing moves the time axis, which would have everything painted anyway."""
    frame = snapshot(NOW, span_s=60, pixels=700)
    show(chart, frame)
    painted = Paints()
    chart.viewport().installEventFilter(painted)

    def settle() -> int:
        before = -1
        while before != painted.count:
            before = painted.count
            QApplication.processEvents()
        return before

    for at_s in (NOW - 1, NOW - 2, None):
        before = settle()
        chart.set_cross(at_s)
        qtbot.waitUntil(partial(painted.more_than, before))
    before = settle()
    show(chart, frame)
    qtbot.waitUntil(partial(painted.more_than, before))


def test_crosshair_stays_live_while_data_stream(chart: Chart) -> None:
    show(chart, snapshot(NOW, span_s=60, pixels=700))
    chart.set_cross(NOW - 8.0)
    before = chart.readout.table
    show(chart, snapshot(NOW + 6, span_s=60, pixels=700))
    after = chart.readout.table
    assert before is not None
    assert after is not None
    assert before.rows[1][0].startswith("open")
    assert after.rows[1][0].startswith("Spark")


def test_the_plot_never_shifts_when_labels_get_longer(chart: Chart) -> None:
    show(chart, snapshot(NOW, span_s=60, pixels=700))
    before = chart.frame.rect
    chart.values.set(-100_000.5, 200_000.5)
    show(chart, snapshot(NOW + 1, span_s=60, pixels=700))
    assert chart.frame.rect == before


def test_wheel_zooms_at_the_pointer_and_shift_scrolls(chart: Chart, qtbot: QtBot) -> None:
    show(chart, snapshot(NOW, span_s=60, pixels=700))
    place = QPointF(chart.frame.x(NOW - 30), 60)
    nothing, up = QPoint(0, 0), QPoint(0, 120)

    def turn(modifier: Qt.KeyboardModifier) -> QWheelEvent:
        globally = QPointF(chart.mapToGlobal(place.toPoint()))
        none, no_phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
        return QWheelEvent(place, globally, nothing, up, none, modifier, no_phase, False)

    with qtbot.waitSignal(chart.zoomed) as zoomed:
        chart.wheelEvent(turn(Qt.KeyboardModifier.NoModifier))
    factor, anchor = zoomed.args or (0.0, 0.0)
    assert factor == pytest.approx(0.8)
    assert anchor == pytest.approx(NOW - 30, abs=0.1)
    with qtbot.waitSignal(chart.panned) as panned:
        chart.wheelEvent(turn(Qt.KeyboardModifier.ShiftModifier))
    assert (panned.args or [0])[0] == pytest.approx(-6.0)


def test_dragging_pans_and_control_dragging_boxes(chart: Chart, qtbot: QtBot) -> None:
    show(chart, snapshot(NOW, span_s=60, pixels=700))
    view = chart.viewport()
    left, right = QPoint(300, 60), QPoint(500, 150)
    moved: list[float] = []
    chart.panned.connect(moved.append)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, left)
    QTest.mouseMove(view, QPoint(400, 60))
    QTest.mouseMove(view, right)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, right)
    assert sum(moved) == pytest.approx(-200 / chart.frame.rect.width() * 60, rel=1e-6)
    low, high = chart.frame.value_at(150), chart.frame.value_at(60)
    with qtbot.waitSignal(chart.boxed) as boxed:
        QTest.mousePress(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, left)
        QTest.mouseMove(view, QPoint(400, 100))
        QTest.mouseMove(view, right)
        QTest.mouseRelease(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, right)
    start, end = boxed.args or (0.0, 0.0)
    assert start == pytest.approx(chart.frame.time_at(300), abs=0.1)
    assert end == pytest.approx(chart.frame.time_at(500), abs=0.1)
    assert (chart.values.low, chart.values.high) == pytest.approx((low, high))
    assert not chart.values.auto


def test_end_labels_do_not_overlap_and_tell_which_was_clicked(chart: Chart, qtbot: QtBot) -> None:
    focus = tuple(f"thermostat-{i:05}" for i in (7, 31, 150, 151, 152))
    chart.set_label_room(True)
    show(chart, snapshot(NOW, span_s=60, pixels=600, focus=focus))
    boxes = [each.box for each in chart.labels.labels]
    assert {each.device_id for each in chart.labels.labels} == set(focus)
    for one, other in pairwise(boxes):
        assert one.bottom() <= other.top() + 0.01
    wanted = chart.labels.labels[2]
    with qtbot.waitSignal(chart.label_clicked) as clicked:
        QTest.mouseClick(
            chart.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, wanted.box.center().toPoint()
        )
    assert clicked.args == [wanted.device_id]


@pytest.mark.parametrize("wanted", [[], [50.0], [50.0, 51.0, 52.0], [0.0, 0.0, 0.0], [99.0, 100.0], [10.0, 50.0, 52.0, 90.0]])
def test_spread_keeps_distance_and_bounds(wanted: list[float]) -> None:
    rows = spread(wanted, 15.0, 10.0, 90.0)
    assert len(rows) == len(wanted)
    assert all(b - a >= 15.0 - 1e-9 for a, b in pairwise(rows))
    assert all(10.0 - 1e-9 <= r <= 90.0 + 1e-9 for r in rows)


@pytest.mark.parametrize("ratio", [1, 2, 3])
def test_lines_are_as_thick_on_a_fine_screen(chart: Chart, ratio: int) -> None:
    frame = snapshot(NOW, span_s=60, pixels=700)
    show(chart, frame)
    image = QImage(chart.size() * ratio, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    painter = QPainter(image)
    chart.render(painter, chart.rect())  # type: ignore[no-untyped-call]
    painter.end()
    steps = frame.views[chart.sensor].steps
    drawn = pixels(image)
    column = drawn[:, round(chart.frame.x(float(steps.start[2]) + 5) * ratio)]
    dark = np.flatnonzero(
        (column == [QColor(LIGHT.text).red(), QColor(LIGHT.text).green(), QColor(LIGHT.text).blue()]).all(axis=1)
    )
    assert len(dark) == 2 * ratio
    assert dark.mean() == pytest.approx(chart.frame.y(float(steps.avg[2])) * ratio, abs=ratio)
