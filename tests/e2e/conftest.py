"""The real desktop window over the real system, both in this process's hands: no screen, ports and data of its own."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest
from pymongo.database import Database
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from backend.contract.names import DATABASE
from backend.contract.ports import Ports
from desktop.app import Desktop, LiveConnection
from desktop.model.notifications import Notifications
from desktop.settings import Settings
from desktop.views.live.page import LivePage
from desktop.workers.tasks import TaskRunner
from stack.local import processes
from stack.local.layout import Layout
from stack.local.target import LocalTarget
from stack.target import Target
from tests.helpers.free_ports import free_offset


class Stage:
    """The window and the system behind it.

    Attributes:
        target: Where the system runs.
        desktop: The window and what is behind it.
        live: The Live page.
        notifications: What was told.
    """

    def __init__(self, *, app: QApplication, qtbot: QtBot, folder: Path, target: Target) -> None:
        self._qtbot = qtbot
        self.target = target
        self.notifications = Notifications()
        self._runner = TaskRunner()
        settings = Settings(path=folder / "desktop.ini")
        settings.set_flag("window/farewell_said", True)
        self.desktop = Desktop(
            app=app,
            target=self.target,
            run_task=self._runner.run,
            settings=settings,
            notifications=self.notifications,
            connect=lambda endpoints: LiveConnection(target=self.target, endpoints=endpoints),
            theme="light",
        )
        self.window = self.desktop.window
        self.live = next(page for page in self.window.pages if isinstance(page, LivePage))

    def wait(self, condition: Callable[[], Any], what: str, timeout_s: float) -> Any:
        """Run the event loop until `condition` gives something true, and return that."""
        last: list[Any] = [None]

        def check() -> None:
            last[0] = condition()
            assert last[0], f"waited {timeout_s:g} s for {what}; health says: {self.desktop.monitor.health or 'nothing'}"

        self._qtbot.waitUntil(check, timeout=round(timeout_s * 1000))
        return last[0]

    def close(self) -> None:
        """Close the window; the system goes on."""
        self.window.close()
        self.desktop.close()
        ended = self._runner.shutdown(timeout_s=5)
        self.window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        QCoreApplication.processEvents()
        assert ended, "every task ends when the window closes"


@pytest.fixture
def stage(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> Iterator[Stage]:
    """A window over a system that does not run yet; both are ended afterwards."""
    target = LocalTarget(data_dir=tmp_path / "data", ports=Ports(free_offset()), reason="End-to-end test.")
    made = Stage(app=qapp, qtbot=qtbot, folder=tmp_path, target=target)
    layout = Layout.of(target.data_dir)
    try:
        yield made
    finally:
        made.close()
        for _ in made.target.down():
            pass
        left = processes.describe(processes.marked(layout))
        assert not left, f"still running after down: {left}"


@pytest.fixture
def database(stage: Stage) -> Iterator[Database[dict[str, Any]]]:
    """The system's database, read beside the window."""
    with pymongo.MongoClient[dict[str, Any]](stage.target.endpoints().mongo, tz_aware=True) as client:
        yield client[DATABASE]
