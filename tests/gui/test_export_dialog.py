"""The export dialog: round trip through the real exporters, cancel, errors, and going on while it is closed."""

import csv
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.services.errors import ExportError
from desktop.services.exports.base import ExportResult, OnProgress, Progress
from desktop.services.paai_client import Statistics
from desktop.views.export.dialog import ExportDialog
from desktop.views.export.kinds import AggregatesKind, ChartKind, Choice, RawKind, StatisticsKind, Work
from desktop.views.live.page import LivePage
from desktop.views.page import PageContext
from desktop.workers.tasks import TaskRunner
from tests.helpers.fake_snapshots import snapshot
from tests.helpers.gui_context import page_context

NOW = 1_795_498_861.3


@dataclass(frozen=True)
class SlowKind:
    """Waits until the test lets it go on, or it is cancelled."""

    go_on: threading.Event
    error: Exception | None = None
    key: ClassVar[str] = "slow"
    title: ClassVar[str] = "Slow"
    explains: ClassVar[str] = "Waits."
    asks: ClassVar[bool] = False
    stem: ClassVar[str] = "slow"

    def work(self, choice: Choice, path: Path) -> Work:
        def run(on_progress: OnProgress, cancel: threading.Event) -> ExportResult:
            on_progress(Progress(1234, 0.5))
            for _ in range(1000):
                if cancel.wait(0.01):
                    return ExportResult(path, 0, 0, cancelled=True)
                if self.go_on.is_set():
                    break
            if self.error is not None:
                raise self.error
            path.write_text("done")
            return ExportResult(path, 2000, 4_200_000)

        return run


@pytest.fixture
def context(tmp_path: Path) -> PageContext:
    made = page_context(tmp_path)
    made.settings.set_text("export/folder", str(tmp_path))
    return made


def dialog_of(context: PageContext, qtbot: QtBot, *kinds: Any, **more: Any) -> ExportDialog:
    made = ExportDialog(context=context, kinds=kinds, selected=kinds[0].key, clock=lambda: NOW, **more)
    qtbot.addWidget(made)
    made.show()
    return made


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_chart_round_trip_is_exactly_what_is_drawn(qtbot: QtBot, tmp_path: Path) -> None:
    context = page_context(tmp_path)
    context.settings.set_text("export/folder", str(tmp_path))
    context.monitor.target = type("Target", (), {"endpoints": lambda self: None})()
    page = LivePage(context=context, clock=lambda: NOW)
    qtbot.addWidget(page)
    page.resize(980, 720)
    page.show()
    context.monitor.add_focus("barometer-00003")
    page.set_span(60)
    page.toggle_pause()
    page.pan(-25)
    request = page.request(NOW)
    # The frame on the screen was asked for before the last scroll: it reaches further than what is shown.
    frame = snapshot(NOW, span_s=100, end=request.end + 20, pixels=request.pixels, focus=request.focus)
    context.monitor.frame.emit(frame)
    page.export_chart("pressure")
    (dialog,) = page.exports.dialogs
    assert dialog.kind.key == "chart"
    path = Path(dialog.path.text())
    assert path.parent == tmp_path
    QTest.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    rows = rows_of(path)
    view, chart = frame.views["pressure"], page.board.panels["pressure"].chart
    raw = [float(r["value"]) for r in rows if r["kind"] == "raw"]
    t = view.curves[0].t
    shown = (t >= chart.frame.start) & (t < chart.frame.end)
    assert raw == chart.curves.drawn[0].line.y[shown].tolist()
    windows = [r for r in rows if r["kind"] == "aggregate" and not r["device_id"]]
    visible = (view.steps.start < chart.frame.end) & (view.steps.end > chart.frame.start)
    assert [float(r["value"]) for r in windows] == view.steps.avg[visible].tolist()
    fleet = np.array([float(r["value"]) for r in rows if r["kind"] == "fleet"])
    assert set(fleet.tolist()) <= set(chart.envelope.line.y.tolist())
    assert len(fleet) >= 59
    assert {r["unit"] for r in rows} == {"hPa"}
    assert "rows" in dialog.result_text.text()
    assert dialog.open_folder.isVisible()
    dialog.close()
    page.closing()


def test_statistics_table_round_trip(context: PageContext, qtbot: QtBot, tmp_path: Path) -> None:
    rows = [
        Statistics("=cmd|' /C calc'!A0", "temperature", 21.5, 24.0, 19.0, 900),
        Statistics("2", "pressure", 1013.25, 1014, 1012, 3),
    ]
    dialog = dialog_of(context, qtbot, StatisticsKind(rows, NOW - 900, NOW))
    dialog.run()
    written = rows_of(Path(dialog.path.text()))
    assert written[0]["device_id"].startswith("'=")
    assert [float(r["average"]) for r in written] == [21.5, 1013.25]
    assert written[1]["from"] == "2026-11-24T05:26:01.300Z"
    assert written[1]["unit"] == "hPa"


def test_only_kinds_that_ask_show_time_sensors_and_devices(context: PageContext, qtbot: QtBot) -> None:
    view = snapshot(NOW).views["humidity"]
    kinds = (ChartKind(view, snapshot(NOW).request), RawKind(lambda: None), AggregatesKind(lambda: None))  # type: ignore[arg-type,return-value]
    dialog = dialog_of(context, qtbot, *kinds, device_ids=("a", "b"), frame=(NOW - 100, NOW))
    assert not dialog.frame_bar.isVisible()
    assert Path(dialog.path.text()).name.startswith("humidity-chart-")
    dialog.radios["raw"].click()
    assert dialog.frame_bar.isVisible()
    assert Path(dialog.path.text()).name.startswith("readings-")
    assert dialog.choice().start == pytest.approx(NOW - 100, abs=0.01)
    assert dialog.choice().sensors == ()
    assert dialog.choice().device_ids == ()
    dialog.sensors["pressure"].setChecked(False)
    dialog.devices.setCurrentIndex(1)
    assert dialog.choice().sensors == ("temperature", "humidity", "heart_rate")
    assert dialog.choice().device_ids == ("a", "b")


def test_what_is_missing_is_said_before_it_starts(context: PageContext, qtbot: QtBot) -> None:
    dialog = dialog_of(context, qtbot, RawKind(lambda: None), frame=(NOW, NOW - 10))  # type: ignore[arg-type,return-value]
    assert not dialog.start.isEnabled()
    assert "ends before it begins" in dialog.result_text.text()
    dialog.frame_bar.set_range(NOW - 10, NOW)
    assert dialog.start.isEnabled()
    for box in dialog.sensors.values():
        box.setChecked(False)
    assert dialog.result_text.text() == "Choose at least one sensor."


@pytest.fixture
def threaded(tmp_path: Path) -> Any:
    runner = TaskRunner()
    made = page_context(tmp_path, run_task=runner.run)
    made.settings.set_text("export/folder", str(tmp_path))
    yield made
    assert runner.shutdown()


def test_progress_then_cancel_leaves_no_file(threaded: PageContext, qtbot: QtBot) -> None:
    dialog = dialog_of(threaded, qtbot, SlowKind(threading.Event()))
    dialog.run()
    qtbot.waitUntil(lambda: dialog.result_text.text() == "1\u202f234 rows written …")
    assert dialog.bar.isVisible()
    assert dialog.bar.value() == 500
    assert not dialog.start.isVisible()
    QTest.mouseClick(dialog.cancel_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not dialog.running)
    assert dialog.result_text.text() == "Cancelled. No file was written."
    assert not Path(dialog.path.text()).exists()
    assert not dialog.open_folder.isVisible()
    assert dialog.start.isVisible()


def test_closing_lets_it_go_on_and_says_when_it_is_done(threaded: PageContext, qtbot: QtBot) -> None:
    go_on = threading.Event()
    dialog = dialog_of(threaded, qtbot, SlowKind(go_on))
    said: list[str] = []
    threaded.notifications.subscribe(lambda n: said.append(n.text))
    dialog.run()
    dialog.close()
    with qtbot.waitSignal(dialog.done_):
        go_on.set()
    assert said == [f"Export done: 2\u202f000 rows, 4 MB, written to {Path(dialog.path.text()).name}."]


def test_an_error_says_what_why_and_what_to_do(threaded: PageContext, qtbot: QtBot) -> None:
    go_on = threading.Event()
    go_on.set()
    error = ExportError("x.csv cannot be written", why="No space left on device (/data).", remedy="Choose another folder.")
    dialog = dialog_of(threaded, qtbot, SlowKind(go_on, error))
    dialog.run()
    qtbot.waitUntil(lambda: not dialog.running)
    assert dialog.result_text.text() == "x.csv cannot be written: No space left on device (/data). Choose another folder."
    assert dialog.start.isEnabled()


def test_a_file_in_the_way_is_announced(context: PageContext, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "there.csv").write_text("x")
    dialog = dialog_of(context, qtbot, SlowKind(threading.Event()))
    assert dialog.replaces.text() == ""
    dialog.path.selectAll()
    QTest.keyClicks(dialog.path, str(tmp_path / "there.csv"))
    assert "will be replaced" in dialog.replaces.text()


def test_the_file_just_written_is_not_announced_as_in_the_way(context: PageContext, qtbot: QtBot, tmp_path: Path) -> None:
    go_on = threading.Event()
    go_on.set()
    dialog = dialog_of(context, qtbot, SlowKind(go_on))
    dialog.run()
    assert Path(dialog.path.text()).is_file()
    assert dialog.replaces.text() == ""
    assert context.settings.text("export/folder") == str(tmp_path)


@pytest.mark.parametrize("made", [True, False])
def test_it_goes_to_the_documents_or_home_where_there_are_none(
    made: bool, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = tmp_path / "Documents"
    if made:
        documents.mkdir()
    monkeypatch.setattr(QStandardPaths, "writableLocation", lambda _: str(documents))
    monkeypatch.setenv("HOME", str(tmp_path))
    context = page_context(tmp_path)
    context.settings.set_text("export/folder", str(tmp_path / "gone"))
    dialog = dialog_of(context, qtbot, SlowKind(threading.Event()))
    assert Path(dialog.path.text()).parent == (documents if made else tmp_path)


def test_a_long_message_is_read_whole(context: PageContext, qtbot: QtBot) -> None:
    go_on = threading.Event()
    go_on.set()
    error = ExportError("A name.csv cannot be written", why="For a reason of many words. " * 12, remedy="Choose another.")
    dialog = dialog_of(context, qtbot, SlowKind(go_on, error))
    before = dialog.height()
    dialog.run()
    text = dialog.result_text
    qtbot.waitUntil(lambda: text.height() >= text.heightForWidth(text.width()))
    assert dialog.height() > before


def test_a_missing_folder_is_not_a_full_disk(context: PageContext, qtbot: QtBot, tmp_path: Path) -> None:
    dialog = dialog_of(context, qtbot, StatisticsKind([], NOW - 900, NOW))
    dialog.path.selectAll()
    QTest.keyClicks(dialog.path, str(tmp_path / "nowhere" / "x.csv"))
    dialog.run()
    assert dialog.result_text.text().endswith("Choose another folder.")
    assert "free some space" not in dialog.result_text.text().lower()
    assert context.settings.text("export/folder") == str(tmp_path), "a folder that is not there is not remembered"
