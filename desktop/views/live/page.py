"""The live page: decides which stretch of time is shown, and draws each frame into the charts."""

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QFileDialog, QMenu, QVBoxLayout, QWidget

from backend.contract.devices import BY_SENSOR, DEVICE_TYPES
from desktop.model.moment import Moment
from desktop.model.palette import Palette
from desktop.model.predictions.event import EventKey
from desktop.model.snapshot import LiveSnapshot, ViewRequest
from desktop.plots.ticks import time_text, zone_label
from desktop.plots.timewindow import SPANS, TimeWindow
from desktop.views.export.kinds import ChartKind, ExportKind
from desktop.views.export.opening import Exports
from desktop.views.live.board import ChartBoard
from desktop.views.live.controls import LiveControls
from desktop.views.live.find import FindPopup
from desktop.views.live.key import ChartKey
from desktop.views.live.menu import ChartActions, ChartState, chart_menu
from desktop.views.live.picture import chart_image, save_png
from desktop.views.live.table import WindowTable
from desktop.views.page import Page, PageContext

#: Keys move and scale by this much.
KEY_SCROLL: Final = 0.1
KEY_ZOOM: Final = 0.8
#: So long nothing at all is drawn before the page says that it is empty: the first frames come before the back-fill.
EMPTY_AFTER_S: Final = 1.5
#: Where a mark on a chart leads to.
ANOMALIES: Final = "anomalies"
#: What the empty page's button asks for.
FIRST_DEVICES: Final = 100


class LivePage(Page):
    """Live charts.

    Attributes:
        board: The charts.
        window_: The stretch of time (QWidget has a `window` of its own).
        snapshot: The newest frame, or None.
        utc: Whether times are shown in UTC.
        exports: Export dialogs opened from here.
    """

    key = "live"
    title = "Live"
    icon = "live"
    shows_fleet = True

    def __init__(self, *, context: PageContext, clock: Callable[[], float] = time.time, parent: QWidget | None = None) -> None:
        super().__init__(context=context, parent=parent)
        self._clock = clock
        self.window_ = TimeWindow(span_s=context.settings.span_s)
        self.snapshot: LiveSnapshot | None = None
        self.utc = context.settings.flag("live/utc")
        self._empty_since: float | None = None
        self._find: FindPopup | None = None
        self.exports = Exports(context=context, parent=self)
        palette = context.theme.palette
        self._strip = LiveControls(palette=palette)
        self.board = ChartBoard(palette=palette)
        self.key_strip = ChartKey(palette=palette)
        body = QWidget()
        body.setObjectName("LiveBody")
        body.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 4)
        layout.setSpacing(0)
        layout.addWidget(self.board, 1)
        layout.addWidget(self.key_strip)
        self.set_body(body)
        self._connect()
        self._add_actions()
        self.apply_palette(palette)
        self.board.set_hidden(set(context.settings.strings("live/hidden")))
        self.set_utc(self.utc)
        self._focus_changed(context.monitor.focus)
        self._show_window()
        self.show_loading("Waiting for the first readings …")

    def _connect(self) -> None:
        monitor = self.context.monitor
        self.track(monitor.frame, self.draw)
        self.track(monitor.focus_changed, self._focus_changed)
        self.track(monitor.detached, self._detached)
        self._strip.pause_toggled.connect(self.toggle_pause)
        self._strip.back_clicked.connect(self.follow)
        self._strip.span_chosen.connect(self.set_span)
        self._strip.find_clicked.connect(self.open_find)
        self.key_strip.clock_clicked.connect(lambda: self.set_utc(not self.utc))
        self.board.panned.connect(self.pan)
        self.board.zoomed.connect(self.zoom)
        self.board.boxed.connect(self.show_range)
        self.board.menu_wanted.connect(self._show_menu)
        self.board.mark_clicked.connect(self._open_mark)
        self.board.visible_changed.connect(self._visible_changed)

    # Page

    def controls(self) -> QWidget:
        return self._strip

    def shown(self) -> None:
        self.context.monitor.set_view_source(self.request)
        self.board.charts[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def hidden(self) -> None:
        self.context.monitor.set_view_source(None)
        self.board.set_cross(None)

    def closing(self) -> None:
        self.exports.closing()
        super().closing()

    def export(self) -> None:
        self.export_chart(self._current_sensor())

    def open_at(self, what: object) -> None:
        if not isinstance(what, Moment):
            return
        if what.sensor in self.board.hidden:
            self.board.set_hidden(self.board.hidden - {what.sensor})
        monitor = self.context.monitor
        if what.device_id not in monitor.focus and not monitor.add_focus(what.device_id):
            monitor.remove_focus(monitor.focus[0])
            monitor.add_focus(what.device_id)
        self.board.highlight(what.device_id if len(monitor.focus) > 1 else None)
        self.show_range(*what.around())

    def apply_palette(self, palette: Palette) -> None:
        self._strip.apply_palette(palette)
        self.board.apply_palette(palette)
        self.key_strip.apply_palette(palette)

    # Frames

    def request(self, now: float) -> ViewRequest:
        """What the charts want to see at `now`."""
        pixels = max(1, round(self.board.plot_width()))
        start, end = self.window_.range(now)
        if self.window_.following:
            # Whole pixels: lines that scroll by parts of a pixel would shimmer.
            second_per_pixel = self.window_.span_s / pixels
            end = math.floor(end / second_per_pixel) * second_per_pixel
            start = end - self.window_.span_s
        return ViewRequest(start, end, pixels, self.context.monitor.focus)

    def draw(self, snapshot: LiveSnapshot) -> None:
        """Draw one frame."""
        self.snapshot = snapshot
        if self.window_.following:
            start, end = snapshot.request.start, snapshot.request.end
        else:
            start, end = self.window_.range(snapshot.taken)
        self.board.draw(snapshot, start, end)
        if any(view.expected or len(view.marks.t) for view in snapshot.views.values()):
            self.key_strip.note_model()
        self._judge_empty(snapshot, start, end)

    def _judge_empty(self, snapshot: LiveSnapshot, start: float, end: float) -> None:
        empty = [p for s, p in self.board.panels.items() if s in self.board.shown and p.is_empty()]
        for panel in self.board.panels.values():
            panel.show_empty(self._empty_text(panel.device_type.device_label, start, end) if panel in empty else "")
        if len(empty) < len(self.board.shown) or not self.window_.following:
            self._empty_since = None
            self.show_body()
            return
        if self._empty_since is None:
            self._empty_since = snapshot.taken
        elif snapshot.taken - self._empty_since >= EMPTY_AFTER_S:
            self.show_empty(
                f"No readings in the last {self._span_text()}",
                "Move a slider at the left: each device sends one reading a second, and it appears here at once.",
                f"Start {FIRST_DEVICES} thermostats",
                self._start_devices,
            )

    def _empty_text(self, device_label: str, start: float, end: float) -> str:
        if self.window_.following:
            return f"No readings in the last {self._span_text()} — move the {device_label} slider"
        return f"No readings between {time_text(start, utc=self.utc)} and {time_text(end, utc=self.utc)}"

    def _span_text(self) -> str:
        span = self.window_.span_s
        return next((text.replace(" m", " min") for s, text in SPANS if s == span), f"{span:.0f} s")

    def _start_devices(self) -> None:
        connection = self.context.monitor.connection
        if connection is None:
            return
        self.show_loading(f"Asking the generator for {FIRST_DEVICES} thermostats …")
        self._empty_since = None

        def failed(error: Exception) -> None:
            if connection is self.context.monitor.connection:
                self.show_error("The devices could not be started.", str(error), "", self._start_devices)

        self.context.run_task(lambda: connection.set_fleet({DEVICE_TYPES[0].tag: FIRST_DEVICES}, None), lambda _: None, failed)

    def _detached(self) -> None:
        self.snapshot = None
        self._empty_since = None
        self.show_loading("Waiting for the first readings …")

    # The stretch of time

    def toggle_pause(self) -> None:
        """Stand still, or follow again. Data are collected all the same."""
        if self.window_.following:
            self._change(lambda: self.window_.hold(self._now()))
        else:
            self.follow()

    def follow(self) -> None:
        """Back to live."""
        self._change(self.window_.follow)

    def set_span(self, span_s: float) -> None:
        """Show this many seconds."""
        self.context.settings.span_s = span_s
        self._change(lambda: self.window_.set_span(span_s))

    def pan(self, seconds: float) -> None:
        """Scroll; negative into the past."""
        self._change(lambda: self.window_.pan(seconds, self._now()))

    def zoom(self, factor: float, anchor: float | None = None) -> None:
        """Scale the span about a time."""
        self._change(lambda: self.window_.zoom(factor, self._now(), anchor))

    def show_range(self, start: float, end: float) -> None:
        """Hold exactly this stretch."""
        self._change(lambda: self.window_.show(start, end, self._now()))

    def reset(self, sensor: str) -> None:
        """Autoscale, the remembered span, and live."""
        self.board.panels[sensor].chart.set_autoscale(True)
        self.window_.set_span(self.context.settings.span_s)
        self.follow()

    def set_utc(self, utc: bool) -> None:
        """Show times in UTC, or in local time."""
        self.utc = utc
        self.context.settings.set_flag("live/utc", utc)
        self.board.set_utc(utc)
        self.key_strip.set_clock(zone_label(self._clock(), utc=utc))

    def _now(self) -> float:
        """Right edge of the newest frame while following, so that holding does not move the picture."""
        if self.window_.following and self.snapshot is not None:
            return self.snapshot.request.end
        return self._clock()

    def _change(self, change: Callable[[], None]) -> None:
        change()
        self._show_window()
        request = self.request(self._now())
        self.board.set_times(request.start, request.end)

    def _show_window(self) -> None:
        self._strip.show_state(following=self.window_.following, span_s=self.window_.span_s)

    # Focus

    def open_find(self) -> None:
        """Open the device search."""
        if self._find is None:
            self._find = FindPopup(search=self.context.monitor.search, parent=self)
            self._find.chosen.connect(self.context.monitor.add_focus)
        corner = self.mapToGlobal(QPoint(self.width() - 12, 8))
        self._find.open_at(corner)

    def _focus_changed(self, focus: tuple[str, ...]) -> None:
        self.board.set_label_room(bool(focus))
        if self.board.highlighted is not None and self.board.highlighted not in focus:
            self.board.highlight(None)

    # One chart

    def _open_mark(self, sensor: str, mark: int) -> None:
        view = self.board.panels[sensor].chart.view
        if view is not None and mark < len(view.marks.event_ids):
            self.wanted.emit(ANOMALIES, EventKey.from_id(view.marks.event_ids[mark]))

    def _current_sensor(self) -> str:
        focused = next((s for s in self.board.shown if self.board.panels[s].chart.hasFocus()), None)
        return focused or self.board.shown[0]

    def _show_menu(self, sensor: str, place: QPoint) -> None:
        menu = self.menu_of(sensor)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(place)

    def menu_of(self, sensor: str) -> QMenu:
        """The menu of one chart."""
        chart = self.board.panels[sensor].chart
        others = set(self.board.panels) - {sensor}
        actions = ChartActions(
            export=partial(self.export_chart, sensor),
            copy_image=partial(self.copy_image, sensor),
            save_image=partial(self.save_image, sensor),
            show_table=partial(self.show_table, sensor),
            set_autoscale=chart.set_autoscale,
            set_fit_focus=chart.set_fit_focus,
            reset=partial(self.reset, sensor),
            solo=partial(self.board.set_hidden, others),
            show_all=partial(self.board.set_hidden, set()),
            hide=lambda: self.board.set_hidden(self.board.hidden | {sensor}),
            set_utc=self.set_utc,
            remove_focus=self.context.monitor.remove_focus,
        )
        focus = tuple(c.device_id for c in chart.view.curves) if chart.view is not None else ()
        state = ChartState(chart.values.auto, chart.fit_focus, self.utc, len(self.board.shown), len(self.board.panels), focus)
        return chart_menu(actions=actions, state=state, parent=self)

    def _visible_changed(self) -> None:
        self.context.settings.set_strings("live/hidden", sorted(self.board.hidden))

    def export_chart(self, sensor: str) -> None:
        """Export exactly what the chart shows: these very arrays, cut to the visible time."""
        chart = self.board.panels[sensor].chart
        frame = (chart.frame.start, chart.frame.end)
        own: list[ExportKind] = []
        if chart.view is not None:
            request = ViewRequest(*frame, round(self.board.plot_width()), self.context.monitor.focus)
            connection = self.context.monitor.connection
            own.append(ChartKind(chart.view, request, connection.store if connection is not None else None))
        self.exports.open(own, device_ids=self.context.monitor.focus, frame=frame)

    def show_table(self, sensor: str) -> None:
        """The table twin of a chart."""
        chart = self.board.panels[sensor].chart
        if chart.view is not None:
            table = WindowTable(
                device_type=BY_SENSOR[sensor],
                view=chart.view,
                start=chart.frame.start,
                end=chart.frame.end,
                utc=self.utc,
                parent=self,
            )
            table.show()

    def copy_image(self, sensor: str) -> None:
        """The chart as a picture on the clipboard."""
        QGuiApplication.clipboard().setImage(chart_image(self.board.panels[sensor].chart, self.context.theme.palette))
        self.context.notifications.info(f"{BY_SENSOR[sensor].label} chart copied as an image.")

    def save_image(self, sensor: str) -> None:
        """The chart as a PNG file."""
        image = chart_image(self.board.panels[sensor].chart, self.context.theme.palette)
        name = f"{sensor}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.png"
        chosen, _ = QFileDialog.getSaveFileName(self, "Save the chart as PNG", str(Path.home() / name), "PNG image (*.png)")
        if not chosen:
            return
        path = Path(chosen)

        def saved(_: None) -> None:
            self.context.notifications.info(f"Chart saved as {path.name}.")

        def failed(error: Exception) -> None:
            self.context.notifications.error(f"The chart could not be saved. {error} Choose another folder.")

        self.context.run_task(lambda: save_png(image, path), saved, failed)

    # Keyboard

    def _add_actions(self) -> None:
        keys: tuple[tuple[str, tuple[str, ...], Callable[[], None]], ...] = (
            ("Pause, resume", ("Space",), self.toggle_pause),
            ("Scroll back", ("Left",), lambda: self.pan(-KEY_SCROLL * self.window_.span_s)),
            ("Scroll forward", ("Right",), lambda: self.pan(KEY_SCROLL * self.window_.span_s)),
            ("Zoom in", ("+", "="), lambda: self.zoom(KEY_ZOOM)),
            ("Zoom out", ("-",), lambda: self.zoom(1 / KEY_ZOOM)),
            ("Back to live", ("End",), self.follow),
        )
        for text, sequences, call in keys:
            action = QAction(text, self)
            action.setShortcuts([QKeySequence(s) for s in sequences])
            # Only with a chart in focus: Space presses buttons, arrows move sliders.
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.triggered.connect(lambda _=False, c=call: c())
            self.addAction(action)
            for chart in self.board.charts:
                chart.addAction(action)
        find = QAction("Find a device", self)
        find.setShortcut(QKeySequence.StandardKey.Find)
        find.triggered.connect(lambda _=False: self.open_find())
        self.addAction(find)
