"""Pictures of every page, light and dark, of a running system: ``python -m tests.helpers.screenshots``.

Takes the options of ``python -m stack`` that say which system. Nothing is started or changed.
"""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import argparse
import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PySide6.QtWidgets import QApplication, QLabel

from desktop.app import Desktop, LiveConnection
from desktop.model.notifications import Notifications
from desktop.settings import Settings
from desktop.views.history.page import HistoryPage
from desktop.views.services.page import ServicesPage
from desktop.views.window.main_window import MainWindow
from desktop.workers.tasks import TaskRunner
from stack.choose import choose_target
from stack.target import Target

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
SIZE = (1280, 800)


def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port-offset", type=int, default=None)
    parser.add_argument("--data-dir", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=PICTURES)
    parser.add_argument("--size", default=f"{SIZE[0]}x{SIZE[1]}")
    parser.add_argument("--focus", nargs="*", default=["thermostat-00001", "thermostat-00002"])
    options = parser.parse_args()
    app = QApplication([])
    for theme in ("light", "dark"):
        _take(app, options, theme)


def _take(app: QApplication, options: argparse.Namespace, theme: str) -> None:
    """The pages of a running system, and the first page where nothing runs yet."""
    with tempfile.TemporaryDirectory(prefix="paai-pictures-") as nowhere:
        nothing = choose_target("local", data_dir=Path(nowhere) / "data")
        with _opened(app, nothing, options, theme) as (desktop, save):
            _spin(app, lambda: _is_planned(desktop.window), 30)
            save("start")
    target = choose_target("local", port_offset=options.port_offset, data_dir=options.data_dir)
    with _opened(app, target, options, theme) as (desktop, save):
        _take_running(app, desktop, save, options.focus)


def _is_planned(window: MainWindow) -> bool:
    texts = [found.text() for found in window.findChildren(QLabel)]
    return "ZooKeeper" in texts and any("checks passed" in text for text in texts)


@contextlib.contextmanager
def _opened(
    app: QApplication, target: Target, options: argparse.Namespace, theme: str
) -> Iterator[tuple[Desktop, Callable[[str], None]]]:
    """The real window on a target, and what saves a picture of it."""
    nowhere = Path(tempfile.mkdtemp(prefix="paai-pictures-"))
    settings = Settings(path=nowhere / "desktop.ini")
    settings.set_flag("window/farewell_said", True)
    runner = TaskRunner()
    desktop = Desktop(
        app=app,
        target=target,
        run_task=runner.run,
        settings=settings,
        notifications=Notifications(),
        connect=lambda endpoints: LiveConnection(target=target, endpoints=endpoints),
        theme=theme,
    )
    window = desktop.window
    window.resize(*map(int, options.size.split("x")))
    window.show()

    def save(name: str) -> None:
        _spin(app, lambda: False, 0.6)
        window.grab().save(str(options.out / f"{name}-{theme}.png"))

    desktop.monitor.start()
    try:
        yield desktop, save
    finally:
        window.close()
        desktop.close()
        runner.shutdown(timeout_s=5)
        window.deleteLater()


def _take_running(app: QApplication, desktop: Desktop, save: Callable[[str], None], focus: Sequence[str]) -> None:
    window, monitor = desktop.window, desktop.monitor
    _spin(app, lambda: monitor.is_attached, 20)
    window.show_key("live")
    _spin(app, lambda: False, 15)
    save("live")
    for device in focus:
        monitor.add_focus(device)
    _spin(app, lambda: False, 6)
    save("live-focus")
    monitor.clear_focus()
    window.show_key("history")
    history = next(p for p in window.pages if isinstance(p, HistoryPage))
    kinds = ("thermostat", "barometer", "hygrometer", "heartratemeter")
    history.picker.set_chosen([f"{kind}-{n:05d}" for kind in kinds for n in range(1, 5)])
    _spin(app, lambda: False, 2)
    history.run_query()
    _spin(app, lambda: history.answered is not None, 30)
    save("history")
    window.show_key("services")
    services = next(p for p in window.pages if isinstance(p, ServicesPage))
    _spin(app, lambda: services is window.current_page, 5)
    _spin(app, lambda: False, 4)
    save("services")


def _spin(app: QApplication, condition: Callable[[], bool], seconds: float) -> None:
    """Run the event loop until `condition` holds, at most so long."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        app.processEvents()
        time.sleep(0.005)


if __name__ == "__main__":
    main()
