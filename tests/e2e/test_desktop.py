"""The window deploys the system, moves a slider, and draws what MongoDB holds."""

import csv
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymongo.database import Database
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from backend.contract.devices import DEVICE_TYPES, SENSORS, THERMOSTAT
from backend.contract.names import COLLECTION_AGGREGATES, COLLECTION_MESSAGES
from backend.contract.times import from_iso
from desktop.model.snapshot import Steps
from desktop.qtmodels.fleet_scale import position_of
from desktop.views.fleet.type_row import TypeRow
from tests.e2e.conftest import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

_FOCUS = "thermostat-00001"
_THERMOSTATS = 7


def test_deploys_drives_the_fleet_draws_and_exports(
    stage: Stage, database: Database[dict[str, Any]], qtbot: QtBot, tmp_path: Path
) -> None:
    window, monitor, live = stage.window, stage.desktop.monitor, stage.live
    window.show()
    monitor.start()

    # Deploys by its button.
    start = window.start_page
    stage.wait(lambda: start.deploy.isVisible() and start.deploy.isEnabled(), "the Deploy button", 30)
    start.deploy.click()
    stage.wait(lambda: monitor.is_attached, "the system to be up and attached", 500)
    # Attached once a reading flows through; Spark's first batch may end a little later.
    needed = {"broker", "connect", "mongodb", "spark-job", "paai"}
    stage.wait(lambda: {s.service for s in monitor.status if s.healthy} >= needed, "the services to be healthy", 60)

    # A starter fleet reports, then a slider changes it.
    stage.wait(lambda: monitor.fleet.known and monitor.fleet.devices > 0, "the starter fleet", 60)
    row = next(row for row in window.fleet_panel.findChildren(TypeRow) if row.slider.accessibleName().startswith("Thermostat"))
    row.slider.setValue(position_of(_THERMOSTATS))
    stage.wait(lambda: monitor.fleet.counts.get("Thermostat") == _THERMOSTATS, "the generator to follow the slider", 20)
    stage.wait(lambda: monitor.fleet.reporting.get("Thermostat", 0) >= _THERMOSTATS, "all thermostats to report", 30)

    # Raw readings of all four types are drawn, and windows over them.
    assert monitor.add_focus(_FOCUS)
    for sensor in SENSORS:
        stage.wait(partial(_mean_is_drawn, stage, sensor), f"raw readings of {sensor} to be drawn", 60)
    stage.wait(lambda: len(_closed(_focus_steps(stage))) >= 2, "two windows of the focus device from MongoDB", 90)
    live.toggle_pause()
    view = live.snapshot.views[THERMOSTAT.sensor] if live.snapshot else None
    assert view is not None

    # The drawn windows are those of MongoDB, to the digit and to the edge.
    stored = {
        w["window"]["start"].timestamp(): w
        for w in database[COLLECTION_AGGREGATES].find({"device_id": _FOCUS, "sensor": THERMOSTAT.sensor})
    }
    drawn = _closed(view.focus_steps[_FOCUS])
    assert len(drawn) >= 2
    for start_s, end_s, avg, low, high, count in drawn:
        window_row = stored[start_s]
        assert end_s == window_row["window"]["end"].timestamp() == start_s + 10
        assert (avg, low, high, count) == (window_row["avg"], window_row["min"], window_row["max"], window_row["count"])
    item = live.board.panels[THERMOSTAT.sensor].chart.focus_steps_item(_FOCUS)
    assert item is not None
    assert sorted({y for y in item.line.y.tolist() if np.isfinite(y)}) == sorted({row[2] for row in drawn})

    # The drawn curve is what MongoDB stored, reading by reading.
    curve = next(c for c in view.curves if c.device_id == _FOCUS)
    shown = {round(t * 1000): v for t, v in zip(curve.t.tolist(), curve.value.tolist(), strict=True) if np.isfinite(v)}
    assert len(shown) >= 15
    raw = stage.wait(lambda: _raw(database, set(shown)), "every drawn reading to be in MongoDB", 30)
    assert shown == {t: raw[t] for t in shown}

    # Every chart shows its sensor's hue.
    for kind in DEVICE_TYPES:
        chart = live.board.panels[kind.sensor].chart
        hue = QColor(stage.desktop.theme.palette.sensors[kind.sensor])
        assert _pixels_of_hue(chart.grab().toImage(), hue) > 50, f"{kind.sensor} is not drawn in its hue"

    # What the chart shows is exported, and read back.
    live.export_chart(THERMOSTAT.sensor)
    dialog = live.exports.dialogs[-1]
    path = tmp_path / "chart.csv"
    dialog.path.setText(str(path))
    with qtbot.waitSignal(dialog.done_, timeout=30_000):
        dialog.start.click()
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    exported = {from_iso(r["start"]): float(r["value"]) for r in rows if r["device_id"] == _FOCUS and r["kind"] == "raw"}
    frame = live.board.panels[THERMOSTAT.sensor].chart.frame
    wanted = {t: v for t, v in shown.items() if frame.start <= t / 1000 < frame.end}
    # One that came after the picture was taken may be in the file too, with its stored value.
    came_later = {t for t in exported if t > max(shown)}
    assert {t: v for t, v in exported.items() if t not in came_later} == wanted
    assert len(came_later) <= 3
    stored_later = (
        stage.wait(lambda: _raw(database, came_later), "readings that came later to be in MongoDB", 30) if came_later else {}
    )
    assert all(exported[t] == stored_later[t] for t in came_later)
    dialog.close()

    # Closing leaves the system running.
    window.close()
    assert stage.target.is_up()


def _mean_is_drawn(stage: Stage, sensor: str) -> bool:
    return bool(np.isfinite(stage.live.board.panels[sensor].chart.envelope.line.y).sum() >= 3)


def _focus_steps(stage: Stage) -> Steps | None:
    snapshot = stage.live.snapshot
    return snapshot.views[THERMOSTAT.sensor].focus_steps.get(_FOCUS) if snapshot else None


def _closed(steps: Steps | None) -> list[tuple[float, float, float, float, float, int]]:
    """Windows that came from MongoDB: start, end, avg, min, max, count."""
    if steps is None:
        return []
    columns = (steps.start, steps.end, steps.avg, steps.low, steps.high, steps.count)
    rows = zip(*(column.tolist() for column in columns), steps.provisional.tolist(), strict=True)
    return [(a, b, c, d, e, f) for a, b, c, d, e, f, provisional in rows if not provisional]


def _raw(database: Database[dict[str, Any]], wanted_ms: set[int]) -> dict[int, float]:
    """Stored values of the focus device by time; empty until all that are wanted are there."""
    since = datetime.fromtimestamp(min(wanted_ms) / 1000, UTC)
    query = {"device_id": _FOCUS, "sensor": THERMOSTAT.sensor, "timestamp": {"$gte": since}}
    stored = {round(d["timestamp"].timestamp() * 1000): d["value"] for d in database[COLLECTION_MESSAGES].find(query)}
    return stored if wanted_ms <= stored.keys() else {}


def _pixels_of_hue(image: QImage, hue: QColor) -> int:
    """Pixels whose hue is that of the sensor and that are clearly coloured."""
    found = 0
    for y in range(image.height()):
        for x in range(image.width()):
            colour = image.pixelColor(x, y)
            difference = abs(colour.hsvHue() - hue.hsvHue())
            if colour.hsvSaturation() > 30 and min(difference, 360 - difference) <= 8:
                found += 1
    return found
