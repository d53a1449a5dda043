"""The window: rail, strip, fleet panel, pages, status bar. Decides what is shown; knows no page by name."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QAction, QActionGroup, QCloseEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QMenu, QMessageBox, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from desktop.model.access import access_of
from desktop.model.plain_text import button_text, tool_tip
from desktop.qtmodels.deployment import Deployment, Failure, Phase
from desktop.qtmodels.faults import FaultsController
from desktop.qtmodels.fleet import FleetController
from desktop.qtmodels.places import Places
from desktop.qtmodels.storing import StoringLimit
from desktop.qtmodels.theme import CHOICES
from desktop.services.commands import command
from desktop.views.fleet.panel import WIDTH as FLEET_WIDTH
from desktop.views.fleet.panel import FleetPanel
from desktop.views.page import Page, PageContext
from desktop.views.refused.dialog import RefusedDialog
from desktop.views.start.page import StartPage
from desktop.views.widgets.confirm import confirmed
from desktop.views.window.access import AccessDialog
from desktop.views.window.nav_rail import NavRail
from desktop.views.window.shortcuts import ShortcutSheet
from desktop.views.window.status_bar import StatusBar
from desktop.views.window.toasts import Toaster
from desktop.views.window.top_strip import TopStrip
from stack.target import Target

MINIMUM: Final = QSize(1024, 700)
USUAL: Final = QSize(1280, 800)
THEME_WORDS: Final = {"system": "As the system", "light": "Light", "dark": "Dark"}

#: Says once that the system goes on running; returns whether to close.
Farewell = Callable[[QWidget], bool]


class MainWindow(QMainWindow):
    """Pages are given in the order of the rail. `closed_hook` is called once, after the window has closed for good."""

    def __init__(
        self,
        *,
        context: PageContext,
        deployment: Deployment,
        places: Places,
        fleet: FleetController,
        storing: StoringLimit,
        pages: Sequence[Page],
        farewell: Farewell | None = None,
    ) -> None:
        super().__init__()
        self.setWindowTitle("PAAI Monitor")
        self.setMinimumSize(MINIMUM)
        self.resize(USUAL)
        self.context = context
        self.pages = list(pages)
        self._deployment = deployment
        self._places = places
        self._farewell = farewell or partial(say_farewell, target=context.monitor.target)
        self._shown: Page | None = None
        self._wanted = 0
        self._closed = False
        self.start_page = StartPage(context=context, deployment=deployment, places=places)
        self.menu = QMenu(self)
        self.rail = NavRail(pages=self.pages, theme=context.theme, menu=self.menu)
        self.strip = TopStrip(monitor=context.monitor, deployment=deployment, theme=context.theme)
        self.faults = FaultsController(
            monitor=context.monitor, run_task=context.run_task, notifications=context.notifications, parent=self
        )
        self.fleet_panel = FleetPanel(
            fleet=fleet, faults=self.faults, storing=storing, monitor=context.monitor, theme=context.theme
        )
        self.status = StatusBar(monitor=context.monitor, deployment=deployment, theme=context.theme)
        self.status.refused_wanted.connect(self.show_refused)
        self._refused: RefusedDialog | None = None
        self.stack = QStackedWidget()
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self._controls: dict[str, QWidget | None] = {}
        self._lay_out()
        self.toaster = Toaster(notifications=context.notifications, theme=context.theme, host=self)
        self._actions: list[QAction] = []
        self._add_actions()
        self._fill_menu()
        places.changed.connect(self._fill_places)
        self.rail.chosen.connect(self.show_page)
        self.toaster.page_wanted.connect(self.show_key)
        for i, page in enumerate(self.pages):
            page.wanted.connect(self._open_at)
            page.badged.connect(partial(self.rail.set_badge, i))
        context.monitor.attached.connect(self._choose)
        context.monitor.detached.connect(self._choose)
        deployment.phase_changed.connect(self._phase_changed)
        deployment.fell_short.connect(self._fell_short)
        self._restore()
        self.strip.panel_button.toggled.connect(self._panel_toggled)

    # What is shown

    @property
    def current_page(self) -> Page | None:
        """The page in view; the start page where it stands in."""
        return self._shown

    def show_page(self, index: int) -> None:
        """Go to a page of the rail."""
        if 0 <= index < len(self.pages):
            self._wanted = index
            self.context.settings.set_text("window/page", self.pages[index].key)
            self._choose()

    def show_key(self, key: str) -> None:
        """Go to the page with this key."""
        for i, page in enumerate(self.pages):
            if page.key == key:
                self.show_page(i)

    def _open_at(self, key: str, what: object) -> None:
        self.show_key(key)
        if what is not None and self._shown is not None and self._shown.key == key:
            self._shown.open_at(what)

    def _choose(self) -> None:
        wanted = self.pages[self._wanted]
        self.rail.set_current(self._wanted)
        page: Page = wanted
        if wanted.needs_system and not self.context.monitor.is_attached:
            page = self.start_page
        self.strip.panel_button.setVisible(page.shows_fleet)
        self.fleet_panel.setVisible(page.shows_fleet and self.strip.panel_button.isChecked())
        if page is self._shown:
            return
        if self._shown is not None:
            self._shown.hidden()
        self._shown = page
        self.stack.setCurrentWidget(page)
        self.strip.show_controls(self._controls.get(page.key))
        page.setFocus()
        page.shown()
        self.toaster.seen(page.key)

    def _phase_changed(self, phase: Phase) -> None:
        for action in (self._stop, self._purge):
            action.setEnabled(not self._deployment.busy)
        if phase is Phase.FAILED and self._shown is not self.start_page:
            failure = self._deployment.failure
            self.context.notifications.error(f"{failure.what if failure else 'Deployment failed'}. The Live page says more.")

    def _fell_short(self, failure: Failure) -> None:
        words = " ".join(part for part in (f"{failure.what}: everything else runs.", failure.why, failure.remedy) if part)
        self.context.notifications.error(words)

    def _panel_toggled(self, on: bool) -> None:
        self.context.settings.set_flag("window/fleet_hidden", not on)
        self._choose()

    # Building

    def _lay_out(self) -> None:
        for page in (self.start_page, *self.pages):
            self.stack.addWidget(page)
            controls = page.controls()
            self._controls[page.key] = controls
            if controls is not None:
                self.strip.add_controls(controls)
        self.splitter.addWidget(self.fleet_panel)
        self.splitter.addWidget(self.stack)
        self.splitter.setStretchFactor(0, 0)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        self.splitter.setSizes([FLEET_WIDTH, USUAL.width() - FLEET_WIDTH])
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.strip)
        column.addWidget(self.splitter, 1)
        upper = QHBoxLayout()
        upper.setContentsMargins(0, 0, 0, 0)
        upper.setSpacing(0)
        upper.addWidget(self.rail)
        upper.addLayout(column, 1)
        central = QWidget()
        central.setObjectName("Window")
        layout = QVBoxLayout(central)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(upper, 1)
        layout.addWidget(self.status)
        self.setCentralWidget(central)

    def _add_actions(self) -> None:
        for i, page in enumerate(self.pages):
            self._action(f"Page {page.title}", f"Ctrl+{i + 1}", partial(self.show_page, i))
        self._action("Export what is shown", "Ctrl+E", self._export)
        self._action("Show or hide the fleet", "Ctrl+B", self.strip.panel_button.toggle)
        self._action("Refused records and rejected requests", "Ctrl+Shift+R", self.show_refused)
        self._action("Shortcuts", "F1", self.show_shortcuts)
        self._action("Close the window", "Ctrl+Q", self.close)

    def _action(self, text: str, keys: str, slot: Callable[[], object]) -> QAction:
        action = QAction(text, self)
        action.setShortcut(QKeySequence(keys))
        action.triggered.connect(lambda _=False: slot())
        self.addAction(action)
        self._actions.append(action)
        return action

    def _fill_menu(self) -> None:
        theme = self.context.theme
        colours = self.menu.addMenu("Colours")
        group = QActionGroup(self)
        for choice in CHOICES:
            action = colours.addAction(THEME_WORDS[choice])
            action.setCheckable(True)
            action.setChecked(theme.choice == choice)
            action.triggered.connect(lambda _=False, choice=choice: self._set_theme(choice))
            group.addAction(action)
        self.menu.addAction("Shortcuts\tF1").triggered.connect(lambda _=False: self.show_shortcuts())
        self._access = self.menu.addAction("Addresses and logins …")
        self._access.triggered.connect(lambda _=False: self.show_access())
        self.menu.aboutToShow.connect(lambda: self._access.setEnabled(self.context.monitor.endpoints is not None))
        self._where = self.menu.addMenu("Where it runs")
        self._where.setToolTipsVisible(True)
        self._where.menuAction().setVisible(False)
        self.menu.aboutToShow.connect(self._places.look)
        self.menu.addSeparator()
        self._stop = self.menu.addAction("Stop the system …")
        self._stop.triggered.connect(lambda _=False: self._ask_stop(purge=False))
        self._purge = self.menu.addAction("Stop and delete all data …")
        self._purge.triggered.connect(lambda _=False: self._ask_stop(purge=True))
        self.menu.addSeparator()
        self.menu.addAction("Close the window\tCtrl+Q").triggered.connect(lambda _=False: self.close())

    def _fill_places(self) -> None:
        places = self._places
        self._where.clear()
        for option in places.options:
            action = self._where.addAction(button_text(option.label))
            action.setCheckable(True)
            action.setChecked(option == places.current)
            action.setEnabled(option.available and not self._deployment.busy)
            action.setToolTip(tool_tip(option.reason))
            action.triggered.connect(lambda _=False, option=option: places.choose(option))
        self._where.menuAction().setVisible(len(places.options) > 1)

    def _set_theme(self, choice: str) -> None:
        self.context.settings.theme = choice
        self.context.theme.set_choice(choice)

    # Actions

    def show_shortcuts(self) -> None:
        """F1."""
        groups = [("Everywhere", self._actions)]
        if self._shown is not None:
            groups.append((self._shown.title, self._shown.actions()))
        ShortcutSheet(groups=groups, parent=self).open()

    def show_access(self) -> None:
        """Every address with its login."""
        endpoints = self.context.monitor.endpoints
        if endpoints is not None:
            AccessDialog(ways=access_of(endpoints), parent=self).show()

    def show_refused(self, tab: int = 0) -> None:
        """The list of refused records (0) or rejected requests (1)."""
        if self._refused is None:
            dialog = RefusedDialog(monitor=self.context.monitor, theme=self.context.theme, parent=self)
            dialog.destroyed.connect(self._refused_closed)
            self._refused = dialog
        self._refused.show_tab(tab)
        self._refused.show()
        self._refused.raise_()
        self._refused.activateWindow()

    def _refused_closed(self) -> None:
        self._refused = None

    def _export(self) -> None:
        if self._shown is not None:
            self._shown.export()

    def _ask_stop(self, *, purge: bool) -> None:
        question = "Stop every service and delete all data?" if purge else "Stop every service?"
        at_stake = (
            "Every reading, every window, the topics and the checkpoints are deleted. This cannot be undone."
            if purge
            else "The data stay. Devices stop sending until the system is deployed again."
        )
        if confirmed(self, question, at_stake=at_stake, button="Stop and delete" if purge else "Stop"):
            self._deployment.take_down(purge=purge)

    # Life

    def _restore(self) -> None:
        settings = self.context.settings
        geometry = settings.blob("window/geometry")
        if geometry is not None:
            self.restoreGeometry(geometry)
        sizes = settings.blob("window/splitter")
        if sizes is not None:
            self.splitter.restoreState(sizes)
            self.splitter.setHandleWidth(1)
        self.strip.panel_button.setChecked(not settings.flag("window/fleet_hidden"))
        key = settings.text("window/page", self.pages[0].key)
        self._wanted = next((i for i, p in enumerate(self.pages) if p.key == key), 0)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's names, from here on
        super().showEvent(event)
        if self._shown is None:
            self._choose()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        settings = self.context.settings
        if self.context.monitor.is_attached and not settings.flag("window/farewell_said"):
            if not self._farewell(self):
                event.ignore()
                return
            settings.set_flag("window/farewell_said", True)
        if not self._closed:
            self._closed = True
            settings.set_blob("window/geometry", self.saveGeometry())
            settings.set_blob("window/splitter", self.splitter.saveState())
            if self._shown is not None:
                self._shown.hidden()
            for page in (self.start_page, *self.pages):
                page.closing()
            self.strip.closing()
            self.toaster.closing()
        super().closeEvent(event)

    def grab_after(self, seconds: float, done: Callable[[], None]) -> None:
        """Call `done` that much later, when what is shown then has been drawn."""
        QTimer.singleShot(round(seconds * 1000), self, done)


def say_farewell(parent: QWidget, *, target: Target) -> bool:
    """Say, at the first closing, that the system goes on. Returns whether to close."""
    stops = command(target, "stack", "down")
    box = QMessageBox(parent)
    box.setWindowTitle("Close the window?")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText("The system keeps running without this window.")
    box.setInformativeText(
        f"Opening the program again attaches to it at once. To stop it: Menu → Stop the system, or\n{stops}\n"
        "This is said only once."
    )
    close = box.addButton("Close the window", QMessageBox.ButtonRole.AcceptRole)
    box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)  # a standard button brings the style's icon
    box.setDefaultButton(close)
    box.exec()
    return box.clickedButton() is close
