"""GUI tests run without a screen, on one QApplication; a test that leaves threads, timers or windows behind fails."""

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop import guard
from desktop.app import Desktop
from desktop.model.notifications import Notifications
from desktop.qtmodels.places import PlaceSource
from desktop.services.switched_target import SwitchedTarget
from desktop.settings import Settings
from desktop.workers.tasks import TaskRunner
from stack.choose import Option
from stack.target import Endpoints
from tests.helpers.fake_connection import FakeConnection
from tests.helpers.fake_target import FakeTarget

guard.install()  # an exception in an override fails its test instead of ending the run

LEAK_S = 3.0
#: Only a bound: a passing test waits no longer than it must.
WAIT_S = 20.0
#: On a machine with more work than cores each wait may take up to this many times as long.
MAX_SLOWDOWN = 4.0


def slowdown() -> float:
    """Return how much longer than on an idle machine a wait may take: the work for each core, 1 to `MAX_SLOWDOWN`."""
    return min(MAX_SLOWDOWN, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))


def settle() -> None:
    """Carry out what was deleted later."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    QCoreApplication.processEvents()


@pytest.fixture(autouse=True)
def no_leaks(qapp: QApplication) -> Iterator[None]:
    """Threads end, windows close, timers stop within a bound after each test."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + LEAK_S
    while True:
        settle()
        threads = [
            t.name for t in set(threading.enumerate()) - before if t.is_alive() and not isinstance(t, threading._DummyThread)
        ]
        windows = [w for w in QApplication.topLevelWidgets() if w.isVisible()]
        timers = [t for t in qapp.findChildren(QTimer) if t.isActive() and not t.isSingleShot()]
        if not (threads or windows or timers):
            return
        if time.monotonic() > deadline:
            for window in windows:
                window.close()
            pytest.fail(f"left behind: threads {threads}, windows {windows}, timers {timers}")
        time.sleep(0.02)


class Bench:
    """A window over a fake target.

    Attributes:
        target: The fake target that it begins with.
        offered, elsewhere: What the chooser offers, and the target of each label or why there is none.
        desktop: The window and what is behind it.
        connections: Every connection that was made, oldest first.
        notifications: What was told.
    """

    def __init__(self, *, app: QApplication, qtbot: QtBot, folder: Path, up: bool, stored: bool, theme: str = "light") -> None:
        self.qtbot = qtbot
        self.target = FakeTarget(up=up)
        self.switched = SwitchedTarget(self.target)
        self.offered: list[Option] = []
        self.elsewhere: dict[str, FakeTarget | Exception] = {}
        self.connections: list[FakeConnection] = []
        self.notifications = Notifications()
        self.runner = TaskRunner()
        self.settings = Settings(path=folder / "desktop.ini")
        self.settings.set_flag("window/farewell_said", True)
        self.desktop = Desktop(
            app=app,
            target=self.switched,
            run_task=self.runner.run,
            settings=self.settings,
            notifications=self.notifications,
            connect=self._connect,
            has_stored=lambda endpoints: stored,
            theme=theme,
            places=PlaceSource(target=self.switched, context=None, find=lambda: list(self.offered), make=self._make),
        )
        self.window = self.desktop.window

    def _make(self, option: Option) -> FakeTarget:
        found = self.elsewhere[option.label]
        if isinstance(found, Exception):
            raise found
        return found

    def _connect(self, endpoints: Endpoints) -> FakeConnection:
        current = self.switched.current
        assert isinstance(current, FakeTarget)
        connection = FakeConnection(target=current, endpoints=endpoints)
        self.connections.append(connection)
        return connection

    @property
    def connection(self) -> FakeConnection:
        return self.connections[-1]

    def start(self) -> None:
        """Show the window and look for a running system."""
        self.window.show()
        self.desktop.monitor.start()

    def attach(self) -> FakeConnection:
        """Start, and wait until the running system is attached."""
        self.start()
        self.wait(lambda: self.desktop.monitor.is_attached, "the window attaches")
        return self.connection

    def wait(self, condition: Callable[[], object], what: str, timeout_s: float = WAIT_S) -> None:
        """Run the event loop until `condition` holds."""

        def check() -> None:
            assert condition(), f"waited for: {what}"

        self.qtbot.waitUntil(check, timeout=round(timeout_s * slowdown() * 1000))

    def close(self) -> None:
        for target in (self.target, *self.elsewhere.values()):
            if isinstance(target, FakeTarget):
                target.gate.set()
        for connection in self.connections:
            connection.gate.set()
        self.window.close()
        self.desktop.close()
        ended = self.runner.shutdown(timeout_s=3)
        self.window.deleteLater()
        self.desktop.root.deleteLater()
        settle()
        assert ended, "every task ends when the window closes"


@pytest.fixture
def make_bench(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Builds windows over fake targets and closes them in the end."""
    made: list[Bench] = []

    def make(*, up: bool = True, stored: bool = False, theme: str = "light") -> Bench:
        bench = Bench(app=qapp, qtbot=qtbot, folder=tmp_path, up=up, stored=stored, theme=theme)
        made.append(bench)
        return bench

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    """A window over a running fake system."""
    return make_bench(up=True)
