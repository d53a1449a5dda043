"""No exception leaves a Python override that Qt calls: it is reported once and the window goes on."""

import ast
import importlib
import pkgutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QStyledItemDelegate, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import Shiboken

import desktop
from backend.contract.devices import BY_SENSOR
from desktop import guard
from desktop.model.notifications import Notifications
from desktop.model.palette import LIGHT
from desktop.plots.chart import Chart
from desktop.plots.envelope import EnvelopeItem
from desktop.plots.steps import StepsItem

ROOT = Path(__file__).parents[2]
#: Python methods that only hide a method of Qt's which is not virtual: Qt never calls them.
NOT_VIRTUAL = {"close", "setText", "text", "update"}
#: Looking into them raises KeyError, and C code does it.
NO_SIZES: dict[str, QSize] = {}
NO_NUMBERS: dict[str, int] = {}

#: Ends with a segmentation fault on Python 3.11 where the override is not guarded.
PROGRAM = """
    import os, sys
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from PySide6.QtCore import QAbstractListModel, QEvent, QSize
    from PySide6.QtWidgets import QApplication, QListView, QWidget
    guarded, method = sys.argv[1:]
    if guarded == "guarded":
        from desktop import guard
        guard.install()
    sys.excepthook = lambda kind, error, tb: print("reported", kind.__name__)
    raisers = {"paintEvent": lambda: int(float("nan")), "event": lambda: {}["gone"], "sizeHint": lambda: len(3),
               "data": lambda: [][0], "rowCount": lambda: memoryview(b"")[1], "resizeEvent": lambda: 1 // 0}
    class Model(QAbstractListModel):
        def rowCount(self, *_):
            return raisers["rowCount"]() if method == "rowCount" else 3
        def data(self, *_):
            return raisers["data"]() if method == "data" else "text"
    class Widget(QWidget):
        def paintEvent(self, event):
            if method == "paintEvent": raisers[method]()
        def resizeEvent(self, event):
            if method == "resizeEvent": raisers[method]()
        def sizeHint(self):
            return raisers[method]() if method == "sizeHint" else QSize(40, 40)
        def event(self, event):
            if method == "event" and event.type() == QEvent.Type.Paint: raisers[method]()
            return super().event(event)
    app = QApplication([])
    widget, view, model = Widget(), QListView(), Model()
    view.setModel(model)
    widget.show(), view.show()
    for _ in range(5):
        app.processEvents(), widget.adjustSize(), widget.resize(50, 50), widget.repaint(), view.viewport().repaint()
    print("alive")
"""


def run_program(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        check=False,
    )


@pytest.mark.parametrize("method", ["paintEvent", "event", "sizeHint", "data", "rowCount", "resizeEvent"])
def test_an_exception_of_c_code_in_an_override_is_reported_once_and_the_program_survives(method: str) -> None:
    done = run_program("guarded", method)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines().count("alive") == 1
    assert sum(line.startswith("reported") for line in done.stdout.splitlines()) == 1


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="only Python 3.11 ends with a segmentation fault")
def test_without_the_guard_the_program_dies() -> None:
    done = run_program("bare", "paintEvent")
    assert done.returncode < 0
    assert "alive" not in done.stdout


def import_all() -> None:
    for module in pkgutil.walk_packages(desktop.__path__, "desktop."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def test_every_override_is_guarded() -> None:
    import_all()
    ours = [cls for cls in guard.subclasses(Shiboken.Object) if cls.__module__.startswith("desktop")]
    assert len(ours) > 80
    unguarded = {
        f"{cls.__module__}.{cls.__qualname__}.{name}"
        for cls in ours
        for name in guard.overrides(cls)
        if not guard.is_guarded(vars(cls)[name]) and name not in NOT_VIRTUAL
    }
    assert not unguarded, "add these names to desktop.guard.DEFAULTS, or to NOT_VIRTUAL if Qt does not call them"


def test_the_overrides_of_pyqtgraph_are_guarded() -> None:
    import_all()
    theirs = [cls for cls in guard.subclasses(Shiboken.Object) if cls.__module__.startswith("pyqtgraph")]
    virtual = {"paint", "paintEvent", "boundingRect", "event", "eventFilter", "itemChange", "wheelEvent", "shape", "sizeHint"}
    assert not {
        (cls.__qualname__, name)
        for cls in theirs
        for name in virtual.intersection(guard.overrides(cls))
        if not guard.is_guarded(vars(cls)[name])
    }


def test_no_override_is_put_on_an_instance() -> None:
    """PySide calls a function in an instance's dictionary too, and no guard is around that."""
    found = [
        f"{path.name}:{node.lineno}"
        for path in sorted((ROOT / "desktop").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda | ast.Name | ast.Attribute)
        for target in node.targets
        if isinstance(target, ast.Attribute) and (target.attr in guard.DEFAULTS or target.attr.endswith("Event"))
    ]
    assert not found


def test_a_class_defined_later_is_guarded() -> None:
    class Later(QLabel):
        def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
            return QSize(1, 1)

    assert guard.is_guarded(Later.sizeHint)
    assert Later.sizeHint.__doc__ is None
    assert Later.sizeHint.__name__ == "sizeHint"


def test_methods_that_hide_none_of_qts_still_raise() -> None:
    class Plain(QStyledItemDelegate):
        def data(self) -> None:
            raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        Plain().data()


def test_a_model_that_fails_shows_nothing(qtbot: QtBot) -> None:
    class Broken(QAbstractListModel):
        def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008, N802
            return NO_NUMBERS["rows"]

        def data(self, index: QModelIndex | QPersistentModelIndex, role: int = 0) -> object:
            return NO_NUMBERS["data"]

    model = Broken()
    with qtbot.captureExceptions() as raised:
        assert model.rowCount() == 0
        assert model.data(QModelIndex(), Qt.ItemDataRole.DisplayRole) is None
        model.rowCount()
    assert [kind for kind, *_ in raised] == [KeyError, KeyError]


def test_a_painter_left_open_does_not_keep_others_from_painting(qtbot: QtBot) -> None:
    class Half(QWidget):
        def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
            painter = QPainter(self)
            painter.drawText(0, 0, "x")
            int(float("nan"))

    widget = Half()
    qtbot.addWidget(widget)
    with qtbot.captureExceptions() as raised:  # a painter that stays active is a warning of Qt's, which fails the test
        with qtbot.waitExposed(widget):
            widget.show()
        widget.repaint()
        widget.repaint()
    assert len(raised) == 1


def test_a_chart_item_that_fails_is_one_notification_and_the_rest_is_drawn(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: list[type] = []

    def broken(item: EnvelopeItem, *_: object) -> None:
        painted.append(type(item))
        int(float("nan"))

    def spy(item: StepsItem, *_: object) -> None:
        painted.append(type(item))

    notifications = Notifications()
    monkeypatch.setattr(EnvelopeItem, "paint", guard.guarded(broken, guard.DEFAULTS["paint"]))
    monkeypatch.setattr(StepsItem, "paint", spy)
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, tb: notifications.exception(error, "painting"))
    chart = Chart(device_type=BY_SENSOR["temperature"], palette=LIGHT)
    qtbot.addWidget(chart)
    with qtbot.waitExposed(chart):
        chart.show()
    for _ in range(5):
        chart.viewport().repaint()
    assert painted.count(EnvelopeItem) >= 5
    assert painted.count(StepsItem) >= 5
    (told,) = notifications.entries()
    assert told.count == 1
    assert "cannot convert float NaN" in told.details


def test_a_report_that_fails_does_not_leave_the_override(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Label(QLabel):
        def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
            return NO_SIZES["size"]

    def hook(*_: object) -> None:
        raise RuntimeError("no report")

    monkeypatch.setattr(sys, "excepthook", hook)
    assert Label().sizeHint() == QSize()
    assert "KeyError" in capfd.readouterr().err
