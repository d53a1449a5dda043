"""Expected values and anomalies in a chart: exact arrays, pixels, and what a click hits."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from backend.contract.devices import BY_SENSOR
from desktop.model.palette import LIGHT
from desktop.model.snapshot import Expected, LiveSnapshot, Marks
from desktop.plots.chart import Chart
from tests.gui.test_plots_chart import NOW, grab
from tests.helpers.fake_snapshots import snapshot

DEVICE = "thermostat-00007"


@pytest.fixture
def chart(qtbot: QtBot) -> Chart:
    made = Chart(device_type=BY_SENSOR["temperature"], palette=LIGHT)
    qtbot.addWidget(made)
    made.resize(800, 240)
    made.show()
    return made


def show(chart: Chart, frame: LiveSnapshot, *, expected: tuple[Expected, ...] = (), marks: Marks | None = None) -> None:
    view = frame.views[chart.sensor]
    view = replace(view, expected=expected, marks=marks or view.marks)
    chart.set_times(frame.request.start, frame.request.end)
    chart.draw(view, frame.request.focus)


def expected_of(frame: LiveSnapshot, *, gap: bool = False) -> Expected:
    curve = frame.views["temperature"].curves[0]
    middle = np.full(len(curve.t), float(np.nanmean(curve.value)))
    if gap:
        middle[20:25] = np.nan
    return Expected(DEVICE, curve.t, middle, middle - 0.5, middle + 0.5)


def marks_of(*rows: tuple[float, float, int]) -> Marks:
    t, value, grade = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    return Marks(t, value, grade.astype(np.int8), tuple(f"d{i}" for i in range(len(rows))), ("odd",) * len(rows))


def test_band_and_line_equal_what_was_expected(chart: Chart) -> None:
    frame = snapshot(NOW, span_s=60, pixels=700, focus=(DEVICE,))
    wanted = expected_of(frame, gap=True)
    show(chart, frame, expected=(wanted,))
    finite = np.isfinite(wanted.expected)
    assert np.array_equal(chart.band.lines[0].x, wanted.t[finite])
    assert np.array_equal(chart.band.lines[0].y, wanted.expected[finite])
    outline = chart.band.outlines[0]
    assert int((outline.connect == 0).sum()) == 2, "one outline before the gap, one behind"
    assert set(outline.y.tolist()) == set(wanted.lower[finite].tolist()) | set(wanted.upper[finite].tolist())
    show(chart, frame)
    assert chart.band.lines == [], "no model, no band"


def test_the_band_lies_behind_the_readings(chart: Chart) -> None:
    frame = snapshot(NOW, span_s=60, pixels=700, focus=(DEVICE,))
    show(chart, frame)
    before = grab(chart)
    show(chart, frame, expected=(expected_of(frame),))
    after = grab(chart)
    hue = np.array([0xD5, 0x5E, 0x00])
    drawn = (before == hue).all(axis=2)
    assert drawn.sum() > 100
    assert (after[drawn] == hue).all(), "no pixel of a reading is covered"
    assert (before != after).any()


def test_triangles_stand_on_their_readings_and_say_what_was_clicked(chart: Chart, qtbot: QtBot) -> None:
    frame = snapshot(NOW, span_s=60, pixels=700, focus=(DEVICE,))
    curve = frame.views["temperature"].curves[0]
    reading = (float(curve.t[30]), float(curve.value[30]))
    show(chart, frame, marks=marks_of((reading[0], reading[1], 2), (reading[0] + 10, float("nan"), 3)))
    tip = QPointF(chart.frame.x(reading[0]), chart.frame.y(reading[1]))
    inside = (tip - QPointF(0, 6)).toPoint()
    red, green, blue = grab(chart)[inside.y(), inside.x()].tolist()
    assert f"#{red:02X}{green:02X}{blue:02X}" == LIGHT.warn
    with qtbot.waitSignal(chart.mark_clicked) as clicked:
        QTest.mouseClick(chart.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, inside)
    assert clicked.args == [0]
    silence = QPointF(chart.frame.x(reading[0] + 10), chart.frame.rect.bottom() - 6)
    assert chart.triangles.mark_at(silence) == 1, "a silence stands on the lower edge"
    assert chart.triangles.mark_at(QPointF(tip.x() + 40, tip.y())) is None


def test_a_heap_of_triangles_is_thinned_but_the_worst_stays(chart: Chart) -> None:
    frame = snapshot(NOW, span_s=60, pixels=700)
    level = float(frame.views["temperature"].envelope.mean[10])
    rows = [(NOW - 30 + n * 0.05, level, 3 if n == 2 else 1) for n in range(5)]
    show(chart, frame, marks=marks_of(*rows))
    assert 2 in chart.triangles.drawn
    assert len(chart.triangles.drawn) < 5
    outside = marks_of((NOW - 600, level, 3))
    show(chart, frame, marks=outside)
    assert chart.triangles.drawn == []
