"""The menu of one chart: what can be done with it. Behind the ⋯ button and a right click."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from desktop.model.plain_text import button_text
from desktop.plots.figures import elide_middle


@dataclass(frozen=True, slots=True)
class ChartActions:
    """What the menu calls; the narrow side of the page that it sees."""

    export: Callable[[], None]
    copy_image: Callable[[], None]
    save_image: Callable[[], None]
    show_table: Callable[[], None]
    set_autoscale: Callable[[bool], None]
    set_fit_focus: Callable[[bool], None]
    reset: Callable[[], None]
    solo: Callable[[], None]
    show_all: Callable[[], None]
    hide: Callable[[], None]
    set_utc: Callable[[bool], None]
    remove_focus: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ChartState:
    """What holds, for checks and greying out."""

    autoscale: bool
    fit_focus: bool
    utc: bool
    shown: int
    total: int
    focus: tuple[str, ...]


def chart_menu(*, actions: ChartActions, state: ChartState, parent: QWidget) -> QMenu:
    """Build the menu; the caller shows it."""
    menu = QMenu(parent)
    _add(menu, "Export what this chart shows…", actions.export)
    _add(menu, "Copy image", actions.copy_image)
    _add(menu, "Save image as PNG…", actions.save_image)
    _add(menu, "Show as table", actions.show_table)
    menu.addSeparator()
    _add_check(menu, "Autoscale value axis", state.autoscale, actions.set_autoscale)
    if state.focus:
        _add_check(menu, "Fit the axis to the focus devices", state.fit_focus, actions.set_fit_focus)
    _add(menu, "Reset zoom and follow", actions.reset)
    _add_check(menu, "Times in UTC", state.utc, actions.set_utc)
    menu.addSeparator()
    _add(menu, "Show only this chart", actions.solo, enabled=state.shown > 1)
    _add(menu, "Show all charts", actions.show_all, enabled=state.shown < state.total)
    _add(menu, "Hide this chart", actions.hide, enabled=state.shown > 1)
    if state.focus:
        menu.addSeparator()
        for device_id in state.focus:
            _add(
                menu, button_text(f"Remove {elide_middle(device_id, 28)} from focus"), partial(actions.remove_focus, device_id)
            )
    return menu


def _add(menu: QMenu, text: str, call: Callable[[], None], *, enabled: bool = True) -> QAction:
    action = menu.addAction(text)
    action.setEnabled(enabled)
    action.triggered.connect(lambda _=False: call())
    return action


def _add_check(menu: QMenu, text: str, checked: bool, call: Callable[[bool], None]) -> QAction:
    action = menu.addAction(text)
    action.setCheckable(True)
    action.setChecked(checked)
    action.triggered.connect(lambda on=False: call(on))
    return action
