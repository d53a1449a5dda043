"""The composition root of the window: the only place that builds and wires its objects."""

import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final

from PySide6.QtCore import QObject, QSocketNotifier
from PySide6.QtWidgets import QApplication

from desktop import guard
from desktop.model.fleet import FleetState
from desktop.model.health import Health
from desktop.model.notifications import Notifications
from desktop.model.predictions.event import EventKey
from desktop.model.progress import SinkProgress
from desktop.model.refused.letters import RefusedRecords
from desktop.model.refused.requests import RejectedRequests
from desktop.model.services_clock import ServicesClock
from desktop.model.store import LiveStore
from desktop.qtmodels.anomalies import Anomalies
from desktop.qtmodels.connection import Connection
from desktop.qtmodels.deployment import Deployment
from desktop.qtmodels.fleet import FleetController
from desktop.qtmodels.monitor import Monitor
from desktop.qtmodels.operations import Operations
from desktop.qtmodels.places import Places, PlaceSource
from desktop.qtmodels.starter import HasStored, Starter
from desktop.qtmodels.storing import StoringLimit
from desktop.qtmodels.tasks import RunTask
from desktop.qtmodels.theme import ThemeController
from desktop.qtmodels.updates import UpdateWatch
from desktop.services.generator_client import GeneratorClient
from desktop.services.paai_client import has_stored
from desktop.settings import Settings, default_path
from desktop.views import theme as look
from desktop.views.anomalies.page import AnomaliesPage
from desktop.views.history.page import HistoryPage
from desktop.views.live.page import LivePage
from desktop.views.model.page import ModelPage
from desktop.views.page import Page, PageContext
from desktop.views.restyle import Restyler
from desktop.views.services.page import ServicesPage
from desktop.views.window.main_window import MainWindow
from desktop.workers.feeds import LiveFeeds
from desktop.workers.tasks import TaskRunner
from stack.target import Endpoints, ServiceStatus, Target

#: Threads are joined within this at the end.
JOIN_S: Final = 2.5
#: How long a thread that wants the interpreter waits for one that has it. Each chart item that Qt paints asks for it, and with
#: Python's usual 5 ms a feed that decodes at the same time makes a frame twice as long.
SWITCH_S: Final = 0.0005


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line said.

    Attributes:
        deploy: Deploy at once.
        screenshot: Save a picture there after `after_s` seconds and end.
        after_s: Seconds.
        page: Key of the page to begin with.
        theme: "system", "light" or "dark", instead of what is remembered.
        size: Width and height of the window in logical pixels.
        settings_path: Another ini file.
    """

    deploy: bool = False
    screenshot: Path | None = None
    after_s: float = 5.0
    page: str | None = None
    theme: str | None = None
    size: tuple[int, int] | None = None
    settings_path: Path | None = None


def build_pages(context: PageContext, operations: Operations, anomalies: Anomalies) -> list[Page]:
    """Every page, in the order of the rail. A new page is one line here."""
    return [
        LivePage(context=context, clock=context.monitor.now),
        HistoryPage(context=context, clock=context.monitor.now),
        AnomaliesPage(context=context, anomalies=anomalies, clock=context.monitor.now),
        ModelPage(context=context, clock=context.monitor.now),
        ServicesPage(context=context, operations=operations),
    ]


class LiveConnection:
    """`Connection` over the real feeds and the generator. Built off the GUI thread."""

    def __init__(self, *, target: Target, endpoints: Endpoints, report: Callable[[str], object] = lambda _: None) -> None:
        clock = ServicesClock()
        self.store = LiveStore(clock=clock)
        self._endpoints = endpoints
        self._feeds = LiveFeeds(target=target, store=self.store, clock=clock, report=report)
        self._generator = GeneratorClient(endpoints.generator, token=endpoints.token)

    @property
    def endpoints(self) -> Endpoints:
        return self._endpoints

    def start(self) -> None:
        self._feeds.start()

    def stop(self) -> bool:
        self._generator.close()
        return self._feeds.stop(timeout_s=JOIN_S)

    def fleet(self) -> FleetState:
        return self._feeds.fleet()

    def services(self) -> Sequence[ServiceStatus]:
        return self._feeds.services()

    def health(self) -> Health:
        return self._feeds.health()

    def sink(self) -> SinkProgress:
        return self._feeds.sink()

    def refused_records(self) -> RefusedRecords:
        return self._feeds.refused.records()

    def rejected_requests(self) -> RejectedRequests:
        return self._feeds.refused.requests()

    def refused_difference(self) -> str:
        return self._feeds.refused.difference

    def set_focus(self, device_ids: Sequence[str]) -> None:
        self._feeds.set_focus(tuple(device_ids))

    def acknowledge(self, keys: Sequence[EventKey], *, by: str, undo: bool = False) -> None:
        self._feeds.acknowledge(keys, by=by, undo=undo)

    def set_fleet(self, counts: Mapping[str, int], interval_s: float | None) -> FleetState:
        answer = self._generator.put_fleet(counts, interval_s=interval_s)
        self._feeds.refresh()
        return answer

    def faults(self) -> Mapping[str, Any]:
        return self._generator.get_faults()

    def set_faults(self, faults: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._generator.put_faults(faults)

    def set_running(self, running: bool) -> FleetState:
        answer = self._generator.start() if running else self._generator.stop()
        self._feeds.refresh()
        return answer


class Desktop:
    """The window and everything behind it.

    Attributes:
        window: The main window.
        monitor, fleet, deployment, places, context, restyler: See their classes.
    """

    def __init__(
        self,
        *,
        app: QApplication,
        target: Target,
        run_task: RunTask,
        settings: Settings,
        notifications: Notifications,
        connect: Callable[[Endpoints], Connection],
        has_stored: HasStored = has_stored,
        theme: str | None = None,
        places: PlaceSource | None = None,
    ) -> None:
        guard.install()
        sys.setswitchinterval(SWITCH_S)
        app.setStyle("Fusion")
        app.setFont(look.base_font(app))
        self.settings = settings
        #: Owns every QObject here that is no widget: they are deleted together.
        self.root = root = QObject()
        self.theme = ThemeController(hints=app.styleHints(), choice=theme or settings.theme, parent=root)
        self.restyler = Restyler(app=app, palette=self.theme.palette, parent=root)
        self.theme.changed.connect(self.restyler.set_palette)
        self.monitor = Monitor(
            target=target, connect=connect, run_task=run_task, settings=settings, notifications=notifications, parent=root
        )
        self.deployment = Deployment(target=target, monitor=self.monitor, run_task=run_task, parent=root)
        self.places = Places(
            source=places,
            monitor=self.monitor,
            deployment=self.deployment,
            run_task=run_task,
            notifications=notifications,
            parent=root,
        )
        self.fleet = FleetController(monitor=self.monitor, run_task=run_task, notifications=notifications, parent=root)
        self.storing = StoringLimit(monitor=self.monitor, settings=settings, parent=root)
        self.starter = Starter(
            monitor=self.monitor,
            deployment=self.deployment,
            fleet=self.fleet,
            run_task=run_task,
            notifications=notifications,
            has_stored=has_stored,
            parent=root,
        )
        self.updates = UpdateWatch(monitor=self.monitor, notifications=notifications, parent=root)
        self.anomalies = Anomalies(
            monitor=self.monitor,
            run_task=run_task,
            settings=settings,
            notifications=notifications,
            clock=self.monitor.now,
            parent=root,
        )
        operations = Operations(
            target=target, monitor=self.monitor, run_task=run_task, notifications=notifications, parent=root
        )
        self.context = PageContext(
            monitor=self.monitor, theme=self.theme, settings=settings, run_task=run_task, notifications=notifications
        )
        self.window = MainWindow(
            context=self.context,
            deployment=self.deployment,
            places=self.places,
            fleet=self.fleet,
            storing=self.storing,
            pages=build_pages(self.context, operations, self.anomalies),
        )
        self.restyler.add_window(self.window)

    def close(self) -> None:
        """After the event loop: nothing runs afterwards but what the task runner still has to join."""
        self.anomalies.close()
        self.deployment.close()
        self.monitor.close()
        self.settings.sync()


def take_picture(desktop: Desktop, path: Path) -> int:
    """Write what the window shows. Returns the exit code: 1, with a line on stderr, when it or the deployment failed."""
    trouble = []
    if not desktop.window.grab().save(str(path)):
        trouble.append(f"The picture could not be written to {path}.")
    if (failure := desktop.deployment.failure) is not None:
        trouble.append(f"{failure.what}: {failure.why}" if failure.why else failure.what)
    sys.stderr.writelines(f"{line}\n" for line in trouble)
    return 1 if trouble else 0


def run(*, target: Target, options: Options, places: PlaceSource | None = None) -> int:
    """Show the window until it is closed. Returns the exit code.

    Args:
        target: Where the system runs; with `places` it is `places.target`.
        options: See there.
        places: What can be chosen instead.
    """
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)  # noqa: S101 - tells the type checker
    app.setApplicationName("paai-monitor")
    app.setApplicationDisplayName("PAAI Monitor")
    notifications = Notifications()
    settings = Settings(path=options.settings_path or default_path())
    runner = TaskRunner()
    desktop = Desktop(
        app=app,
        target=target,
        run_task=runner.run,
        settings=settings,
        notifications=notifications,
        # The target of now: a connection of one place never asks another.
        connect=lambda endpoints: LiveConnection(
            target=places.target.current if places else target, endpoints=endpoints, report=notifications.warning
        ),
        theme=options.theme,
        places=places,
    )
    window = desktop.window
    with _exceptions_to(notifications), _signals_close(window):
        if options.size is not None:
            window.resize(*options.size)
        if options.page is not None:
            window.show_key(options.page)
        window.show()
        if options.screenshot is not None:
            picture = options.screenshot
            settings.set_flag("window/farewell_said", True)
            window.grab_after(options.after_s, lambda: app.exit(take_picture(desktop, picture)))
        desktop.monitor.start()
        if options.deploy:
            desktop.deployment.deploy()
        code = app.exec()
        window.close()
    desktop.close()
    runner.shutdown(timeout_s=JOIN_S)
    return int(code)


@contextmanager
def _exceptions_to(notifications: Notifications) -> Iterator[None]:
    """What nobody caught becomes a notification: the user reads a sentence, the details can be copied."""

    def on_main(kind: type[BaseException], error: BaseException, tb: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        notifications.exception(error.with_traceback(tb), "working")

    def on_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
            notifications.exception(args.exc_value, f"working in the background ({args.thread.name if args.thread else '?'})")

    before = (sys.excepthook, threading.excepthook)
    sys.excepthook, threading.excepthook = on_main, on_thread
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook = before


@contextmanager
def _signals_close(window: MainWindow) -> Iterator[None]:
    """SIGINT and SIGTERM close the window as its button does, without questions.

    Python runs signal handlers only between bytecodes, and Qt's loop runs none: the wake-up socket brings it back to Python.
    """
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)

    def on_signal(number: int, frame: FrameType | None) -> None:
        window.context.settings.set_flag("window/farewell_said", True)
        window.close()

    def drain(*_: Any) -> None:
        try:
            reader.recv(512)
        except BlockingIOError:
            return

    notifier = QSocketNotifier(reader.fileno(), QSocketNotifier.Type.Read)
    notifier.activated.connect(drain)
    previous_fd = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    previous = {n: signal.signal(n, on_signal) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(previous_fd)
        notifier.setEnabled(False)
        reader.close()
        writer.close()
