"""Device ids that look like markup, or are as long as they may be, are the same text wherever they are shown."""

import ast
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QModelIndex, QPoint, QPointF
from PySide6.QtGui import QAction, QFontMetrics, QHelpEvent, Qt, QTextDocument
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QLabel,
    QListView,
    QMessageBox,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from backend.contract.times import to_iso
from desktop.model.predictions.record import Grade, Prediction
from desktop.services.decode import decode_batch
from desktop.services.kafka_records import Records
from desktop.services.paai_client import DevicesPage, KnownDevice, Statistics
from desktop.views.anomalies.page import AnomaliesPage
from desktop.views.export.dialog import ExportDialog
from desktop.views.history.page import HistoryPage
from desktop.views.live.page import LivePage
from desktop.views.live.table import WindowTable
from desktop.views.widgets.confirm import confirmed
from tests.gui.conftest import Bench

DESKTOP = Path(__file__).parents[2] / "desktop"
IDS = ("<b>x</b>", "<img src=file:///etc/hostname>", "a&b", "&amp;", "W" * 128)
WINDOW = (1024, 700)


def rendered(text: str) -> str:
    """What Qt shows for a tooltip."""
    if not Qt.mightBeRichText(text):
        return text
    document = QTextDocument()
    document.setHtml(text)
    return document.toPlainText()


def tips(root: QWidget) -> Iterator[str]:
    """Every tooltip under `root`, those of items in lists and tables too."""
    for widget in (root, *root.findChildren(QWidget)):
        yield widget.toolTip()
        if isinstance(widget, QAbstractItemView) and widget.model() is not None:
            model = widget.model()
            for row in range(model.rowCount()):
                for column in range(1 if isinstance(widget, QListView) else model.columnCount(QModelIndex())):
                    yield str(model.index(row, column).data(Qt.ItemDataRole.ToolTipRole) or "")


def check(root: QWidget) -> None:
    """Nothing under `root` takes text for markup or is wider than its window."""
    for tip in filter(None, tips(root)):
        assert not any(i in tip for i in IDS[:2]), f"a tooltip would render {tip!r}"
        if Qt.mightBeRichText(tip):
            assert "<img" not in tip
        metrics = QFontMetrics(QToolTip.font())
        widths = [metrics.horizontalAdvance(line) for line in rendered(tip).split("\n")]
        assert max(widths) < WINDOW[0] - 24, f"a tooltip is too wide: {tip[:80]!r}"
    for label in root.findChildren(QLabel):
        if label.objectName() == "qtooltip_label":
            continue  # Qt's own; what it shows is checked above
        assert label.textFormat() == Qt.TextFormat.PlainText or not Qt.mightBeRichText(label.text()), label.text()
    for button in root.findChildren(QAbstractButton):
        assert not re.search(r"(?<!&)&(?!&)", button.text().replace("&&", "")), f"an underline in {button.text()!r}"
    for action in root.findChildren(QAction):
        assert "&" not in action.text().replace("&&", ""), f"an underline in {action.text()!r}"
    for widget in root.findChildren(QWidget):
        if widget.isVisible() and not widget.isWindow() and not isinstance(widget.parent(), QAbstractItemView):
            assert widget.width() <= max(WINDOW[0], root.width()), widget


@pytest.fixture
def odd_ids(bench: Bench) -> Bench:
    """A window of the smallest size whose devices have those ids, all in focus."""
    connection = bench.attach()
    bench.window.resize(*WINDOW)
    now = time.time()
    for age in range(40, 0, -1):
        at = to_iso(round((now - age) * 1000))
        readings = [{"device_id": i, "timestamp": at, "sensor": "temperature", "value": 20.0 + n} for n, i in enumerate(IDS)]
        records = Records.of_values([json.dumps(r).encode() for r in readings], arrival_ms=round(now * 1000))
        connection.store.ingest(decode_batch(records, received=now))
    for device_id in IDS:
        assert bench.desktop.monitor.add_focus(device_id)
    predictions = [
        Prediction(
            id=f"{i}/temperature/1/spike",
            device_id=i,
            sensor="temperature",
            t_ms=round((now - 10) * 1000),
            value=24.0,
            expected=20.0,
            score=0.9,
            anomaly=True,
            reason=f"Spike of {i}: 24 °C where 20 °C was expected, more than in 99.9 % of the readings it was trained with.",
            kind="spike",
            grade=Grade.CRITICAL,
            since_ms=round((now - 10) * 1000),
        )
        for i in IDS
    ]
    connection.store.predictions.note(looked=True, past_read=True, promoted="v3", scoring="v3", told_at=now, per_s=1.0, lag=0)
    connection.store.predictions.ingest(predictions)
    return bench


def test_live_page(odd_ids: Bench) -> None:
    page = odd_ids.window.pages[0]
    assert isinstance(page, LivePage)
    odd_ids.window.show_key("live")
    chart = next(c for c in page.board.charts if c.sensor == "temperature")
    odd_ids.wait(lambda: len(chart.labels.labels) == len(IDS), "the end labels")
    focus = odd_ids.window.fleet_panel.focus
    assert [row.text.text() for row in focus._rows] == list(IDS)
    assert all(row.width() <= odd_ids.window.fleet_panel.width() for row in focus._rows)
    for row, device_id in zip(focus._rows, IDS, strict=True):
        assert rendered(row.remove.toolTip()).replace("\n", "") == f"Take {device_id} out of focus"
    for end_label in chart.labels.labels:
        chart._hover(QPointF(end_label.box.center()), QPoint(10, 10))
        assert rendered(QToolTip.text()).replace("\n", "") == end_label.device_id
    QToolTip.hideText()
    check(odd_ids.window)


def test_find(odd_ids: Bench) -> None:
    odd_ids.desktop.monitor.clear_focus()
    page = odd_ids.window.pages[0]
    assert isinstance(page, LivePage)
    odd_ids.window.show_key("live")
    page.open_find()
    popup = page._find
    assert popup is not None
    items = {str(popup.results.item(n).data(Qt.ItemDataRole.UserRole)): popup.results.item(n) for n in range(len(IDS))}
    assert set(items) == set(IDS)
    for device_id, item in items.items():
        assert rendered(item.toolTip()).replace("\n", "") == device_id
        assert item.text() == device_id
        assert popup.results.visualItemRect(item).width() <= popup.results.viewport().width(), "else it is not elided"
    assert popup.results.textElideMode() == Qt.TextElideMode.ElideMiddle
    for device_id in IDS:
        popup.line.setText(device_id)
        assert popup.results.count() == 1
    popup.line.setText("<u>nobody</u>" + "W" * 100)
    assert "<u>nobody" in popup.none.text()
    check(popup)
    popup.hide()


def test_devices_offered_for_focus(odd_ids: Bench) -> None:
    odd_ids.desktop.monitor.clear_focus()
    focus = odd_ids.window.fleet_panel.focus
    focus.search.setText("W")
    focus._look()
    index = focus.results.model().index(0, 0)
    assert index.data() == IDS[4]
    assert focus.results.visualRect(index).width() <= focus.results.viewport().width()
    event = QHelpEvent(QEvent.Type.ToolTip, QPoint(1, 1), QPoint(20, 20))
    assert focus.results.itemDelegate().helpEvent(event, focus.results, QStyleOptionViewItem(), index)
    assert rendered(QToolTip.text()).replace("\n", "") == IDS[4]
    QToolTip.hideText()


def test_chart_menu(odd_ids: Bench) -> None:
    page = odd_ids.window.pages[0]
    assert isinstance(page, LivePage)
    menu = page.menu_of("temperature")
    shown = [a.text().replace("&&", "\0").replace("&", "").replace("\0", "&") for a in menu.actions()]
    for device_id in IDS[:4]:
        name = device_id if len(device_id) <= 28 else None
        assert name is None or f"Remove {name} from focus" in shown
    assert menu.sizeHint().width() < WINDOW[0]
    check(menu)
    menu.deleteLater()


def test_windows_as_a_table_and_export(odd_ids: Bench) -> None:
    page = odd_ids.window.pages[0]
    assert isinstance(page, LivePage)
    odd_ids.window.show_key("live")
    chart = next(c for c in page.board.charts if c.sensor == "temperature")
    odd_ids.wait(lambda: chart.view is not None and chart.view.focus_steps, "windows of the focus devices")
    page.show_table("temperature")
    page.export_chart("temperature")
    for kind in (WindowTable, ExportDialog):
        (dialog,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]
        assert dialog.width() <= WINDOW[0]
        check(dialog)
        dialog.close()


def test_history_page(odd_ids: Bench) -> None:
    class Paai:
        def statistics(self, device_ids: tuple[str, ...], **_: object) -> list[Statistics]:
            return [Statistics(d, "temperature", 20.0, 21.0, 19.0, 9) for d in device_ids]

        def devices(self, **_: object) -> DevicesPage:
            return DevicesPage([KnownDevice(i, "temperature", "", "", 9) for i in IDS], None)

    page = next(p for p in odd_ids.window.pages if isinstance(p, HistoryPage))
    page._make_client = lambda _: Paai()  # type: ignore[assignment,return-value]
    odd_ids.window.show_key("history")
    page.picker.set_chosen(IDS)
    odd_ids.wait(lambda: page.picker.results.count() == len(IDS), "the devices")
    page.run_query()
    odd_ids.wait(lambda: page.model.rowCount() == len(IDS), "the answer")
    for n, device_id in enumerate(IDS):
        assert rendered(page.picker.results.item(n).toolTip()).split("\nTemperature")[0].replace("\n", "") == device_id
        item_rect = page.picker.results.visualItemRect(page.picker.results.item(n))
        assert item_rect.width() <= page.picker.results.viewport().width(), "else it is not elided"
    assert {rendered(t).replace("\n", "") for t in tips(page.picker.chips)} >= {f"Remove {i}" for i in IDS}
    assert "a&&b ×" in [b.text() for b in page.picker.chips.findChildren(QAbstractButton)]
    check(odd_ids.window)


def test_anomalies_page_and_notifications(odd_ids: Bench) -> None:
    odd_ids.window.show_key("anomalies")
    page = odd_ids.window.current_page
    assert isinstance(page, AnomaliesPage)
    odd_ids.wait(lambda: page.model.rowCount() == len(IDS), "the events")
    for row in range(len(IDS)):
        page.table.selectRow(row)
        check(odd_ids.window)
    texts = [f"{i} was silent for 30 s." for i in IDS]
    for text in texts[-3:]:
        odd_ids.notifications.error(text)
    odd_ids.wait(lambda: len(odd_ids.window.toaster._toasts) == 3, "the toasts")
    assert [t.text.text() for t in odd_ids.window.toaster._toasts] == texts[-3:]
    for toast in odd_ids.window.toaster._toasts:
        assert toast.text.minimumSizeHint().width() < toast.width(), "a long id is broken into lines"
    check(odd_ids.window)


def test_questions(odd_ids: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[QMessageBox] = []
    monkeypatch.setattr(QMessageBox, "exec", lambda box: asked.append(box))
    confirmed(odd_ids.window, "Remove <b>x</b>?", at_stake="a&b goes", button="Remove")
    assert asked[0].textFormat() == Qt.TextFormat.PlainText


def test_each_dynamic_tooltip_is_made_literal() -> None:
    """A tooltip that is not constant goes through `tool_tip`; so does what a model gives for one."""

    def constant(node: ast.expr) -> bool:
        match node:
            case ast.Constant() | ast.Name():
                return isinstance(node, ast.Constant) or node.id.isupper() or node.id.startswith("_")
            case ast.IfExp():
                return constant(node.body) and constant(node.orelse)
            case ast.Call(func=ast.Name(id="tool_tip")):
                return True
            case ast.JoinedStr():
                return False
            case _:
                return False

    known = {
        # Titles, spans and states are words of ours.
        ("views/window/nav_rail.py", 'f"{page.title}  ·  Ctrl+{i + 1}"'),
        ("views/live/controls.py", "f\"Show the last {text.replace(' m', ' min')}\""),
        ("views/widgets/timeframe.py", "'Choose from and to' if seconds is None else f'The last {text}'"),
        ("views/widgets/signs.py", "WORDS.get(state, state)"),
    }
    found = []
    for path in sorted(DESKTOP.rglob("*.py")):
        name = str(path.relative_to(DESKTOP))
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                texts = {"setToolTip": node.args[:1], "showText": node.args[1:2]}.get(node.func.attr, [])
                found += [(name, ast.unparse(t)) for t in texts if not constant(t)]
    plain = {(name, text.replace("'", '"')) for name, text in known}
    assert [f for f in found if (f[0], f[1].replace("'", '"')) not in plain] == []
