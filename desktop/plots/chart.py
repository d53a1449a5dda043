"""One sensor's chart: layers over one time axis and one value axis, and the gestures on them."""

import math
from typing import Any, Final

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QKeyEvent, QMouseEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QGraphicsView, QToolTip, QWidget

from backend.contract.devices import DeviceType
from desktop.model.palette import Palette
from desktop.model.plain_text import tool_tip
from desktop.model.snapshot import SensorView
from desktop.plots.axes import RIGHT_ROOM_PX, AxesItem, PlotFrame
from desktop.plots.band import BandItem
from desktop.plots.crosshair import CrosshairItem
from desktop.plots.curves import CurvesItem
from desktop.plots.endlabels import LABEL_ROOM_PX, EndLabelsItem
from desktop.plots.envelope import EnvelopeItem
from desktop.plots.figures import LEAST_EXTENT
from desktop.plots.geometry import focus_extent, settled, value_extent
from desktop.plots.layer import Layer
from desktop.plots.lookup import read_at
from desktop.plots.readout import ReadoutItem, table_of
from desktop.plots.steps import StepsItem
from desktop.plots.triangles import TrianglesItem
from desktop.plots.valuerange import ValueRange

#: Reserved for value labels, whatever they say: "−1 000.5" fits.
LEFT_ROOM_PX: Final = 58.0
TOP_ROOM_PX: Final = 6.0
#: Below a chart with, and without, time labels.
TIME_ROOM_PX: Final = 22.0
BOTTOM_ROOM_PX: Final = 6.0
#: One notch of a mouse wheel.
WHEEL_ZOOM: Final = 0.8
WHEEL_SCROLL: Final = 0.1
#: A press that moves less is a click.
_CLICK_PX: Final = 4.0
#: pyqtgraph ships no types.
_view_box: Final[Any] = pg.ViewBox


class Chart(pg.GraphicsView):
    """Draws a `SensorView`. GUI thread.

    Attributes:
        sensor: Name of the sensor.
        frame: Where the plot lies and what it shows.
        values: The value axis.
        view: What is drawn, or None.
        fit_focus: Whether autoscale follows the focus devices where there are any; their details drown in a wide fleet.

    Signals:
        panned(float): the user dragged or scrolled by so many seconds (positive: towards now).
        zoomed(float, float): scale the span by the first; the second is the time under the pointer.
        boxed(float, float): show from … to (the value axis is already set).
        hovered(object): time under the pointer, or None.
        menu_wanted(QPoint): a context menu, at this place on the screen.
        label_clicked(str): a focus device's end label.
        mark_clicked(int): an anomaly's triangle; index into the view's marks.
        resized(): the plot's area has another size.
    """

    panned = Signal(float)
    zoomed = Signal(float, float)
    boxed = Signal(float, float)
    hovered = Signal(object)
    menu_wanted = Signal(QPoint)
    label_clicked = Signal(str)
    mark_clicked = Signal(int)
    resized = Signal()

    def __init__(self, *, device_type: DeviceType, palette: Palette, parent: QWidget | None = None) -> None:
        self._built = False
        super().__init__(parent=parent, background=None)  # type: ignore[no-untyped-call]  # pyqtgraph ships no types
        self.device_type = device_type
        self.sensor = device_type.sensor
        self.view: SensorView | None = None
        self.values = ValueRange(minimum_extent=LEAST_EXTENT.get(self.sensor, 0.1))
        self.fit_focus = True
        self.frame = PlotFrame(QRectF(0, 0, 1, 1), 0.0, 1.0, 0.0, 1.0)
        self._order: tuple[str, ...] = ()
        self._focus_steps: dict[str, StepsItem] = {}
        self._palette = palette
        self._cross: float | None = None
        self._labels_shown = False
        self._press: QPointF | None = None
        self._drag: str = ""
        self._last = QPointF()
        self._build()
        self._built = True
        self.set_palette(palette)
        self._layout()

    def _build(self) -> None:
        hue = self._palette.sensors[self.sensor]
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.FullViewportUpdate)
        # Nothing behind it need be painted first.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setCacheMode(QGraphicsView.CacheModeFlag.CacheNone)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(72)
        self.setAccessibleName(f"Chart of {self.device_type.label}")
        self.setAccessibleDescription("Space pauses, left and right scroll, plus and minus zoom.")
        self.box: Any = _view_box(enableMouse=False, enableMenu=False, defaultPadding=0.0)
        self.box.disableAutoRange()
        self.axes = AxesItem(self._palette, self.font())
        self.envelope = EnvelopeItem(hue=hue, surface=self._palette.surface)
        self.steps = StepsItem(hue=hue, text=self._palette.text, surface=self._palette.surface)
        self.curves = CurvesItem(hue=hue, surface=self._palette.surface)
        self.labels = EndLabelsItem(self._palette, hue, self.font())
        self.crosshair = CrosshairItem(self._palette)
        self.readout = ReadoutItem(self._palette, self.font())
        self.band = BandItem(text=self._palette.text, surface=self._palette.surface)
        self.triangles = TrianglesItem(self._palette)
        around: tuple[tuple[float, Any], ...] = (
            (-200, self.axes),
            (-100, self.box),
            (5, self.triangles),
            (10, self.labels),
            (20, self.crosshair),
            (30, self.readout),
        )
        for z, item in around:
            item.setZValue(z)
            self.scene().addItem(item)
        layers: tuple[tuple[float, Layer], ...] = ((-10, self.band), (0, self.envelope), (20, self.curves), (30, self.steps))
        for z, layer in layers:
            self._add_layer(layer, z)

    def _add_layer(self, item: Layer, z: float) -> None:
        item.setZValue(z)
        self.box.addItem(item, ignoreBounds=True)

    # What it shows

    def set_times(self, start: float, end: float) -> None:
        """Show from `start` to `end` (seconds since the epoch)."""
        if (start, end) != (self.frame.start, self.frame.end):
            self._set_frame(PlotFrame(self.frame.rect, start, end, self.frame.low, self.frame.high))

    def draw(self, view: SensorView, order: tuple[str, ...], now: float = math.inf) -> None:
        """Draw `view`.

        Args:
            view: What to draw.
            order: All focus devices, in the order of the legend.
            now: When it was taken; a bucket that still fills then is left out.
        """
        self.view, self._order = view, order
        self._fit()
        focused = bool(view.curves)
        self.envelope.set_dimmed(focused)
        self.envelope.set_data(settled(view.envelope, now))
        self.band.set_data(view.expected)
        self.triangles.set_data(view.marks, self.frame)
        self.steps.set_strength(0.35 if focused else 1.0, band=not focused)
        self.steps.set_data(view.steps)
        self._draw_focus_steps(view)
        self.curves.set_data(view.curves, order)
        self.labels.set_data(view.curves, order, self.frame)
        self._read()

    def set_cross(self, at: float | None) -> None:
        """Put the crosshair at a time, or hide it."""
        self._cross = at
        self.crosshair.set_at(at)
        self._read()

    def set_highlighted(self, device_id: str | None) -> None:
        """Draw one focus device stronger."""
        self.curves.set_highlighted(device_id)
        self.labels.set_highlighted(device_id)

    def set_palette(self, palette: Palette) -> None:
        """Draw in other colours, at once."""
        self._palette = palette
        hue = palette.sensors[self.sensor]
        self.setBackgroundBrush(QColor(palette.surface))
        self.axes.set_palette(palette)
        self.band.set_colours(text=palette.text, surface=palette.surface)
        self.triangles.set_palette(palette)
        self.envelope.set_colours(hue=hue, surface=palette.surface)
        self.curves.set_colours(hue=hue, surface=palette.surface)
        for steps in (self.steps, *self._focus_steps.values()):
            steps.set_colours(hue=hue, text=palette.text, surface=palette.surface)
        self.labels.set_colours(palette, hue)
        self.crosshair.set_palette(palette)
        self.readout.set_palette(palette)

    def set_utc(self, utc: bool) -> None:
        """Label times in UTC, or in local time."""
        self.axes.set_utc(utc)
        self._read()

    def set_show_times(self, show: bool) -> None:
        """Whether the time labels stand below this chart."""
        if show != self.axes.show_times:
            self.axes.show_times = show
            self._layout()

    def set_label_room(self, room: bool) -> None:
        """Reserve the margin of the end labels; all charts of a page together, so that their time axes stay aligned."""
        if room != self._labels_shown:
            self._labels_shown = room
            self._layout()

    def set_autoscale(self, on: bool) -> None:
        """Let the value axis follow the data, or stand still."""
        if on:
            self.values.reset()
            self._fit()
        else:
            self.values.auto = False

    def set_fit_focus(self, on: bool) -> None:
        """Let autoscale follow the focus devices, where there are any, or the whole fleet."""
        self.fit_focus = on
        self.values.reset()
        self._fit()

    # Inside

    def _fit(self) -> None:
        view = self.view
        if view is None:
            return
        start, end = self.frame.start, self.frame.end
        extent = (math.nan, math.nan)
        if self.fit_focus and view.curves:
            extent = focus_extent(start, end, view.curves, view.focus_steps.values())
        if not math.isfinite(extent[0]):
            extent = value_extent(start, end, view.envelope, view.curves, view.steps)
        changed = self.values.fit(*extent) or self.axes.show_values != self.values.known
        if changed or (self.values.low, self.values.high) != (self.frame.low, self.frame.high):
            self._set_frame(PlotFrame(self.frame.rect, self.frame.start, self.frame.end, self.values.low, self.values.high))

    def _draw_focus_steps(self, view: SensorView) -> None:
        for gone in self._focus_steps.keys() - view.focus_steps.keys():
            self.box.removeItem(self._focus_steps.pop(gone))
        for device_id, steps in view.focus_steps.items():
            item = self._focus_steps.get(device_id)
            if item is None:
                palette = self._palette
                item = StepsItem(hue=palette.sensors[self.sensor], text=palette.text, surface=palette.surface)
                self._focus_steps[device_id] = item
                self._add_layer(item, 25)
            item.set_data(steps)

    def focus_steps_item(self, device_id: str) -> StepsItem | None:
        """The layer of a focus device's windows."""
        return self._focus_steps.get(device_id)

    def _read(self) -> None:
        if self._cross is None or self.view is None:
            self.readout.show_table(None, 0.0, self.frame)
            return
        table = table_of(read_at(self.view, self._cross), self.sensor, utc=self.axes.utc)
        self.readout.show_table(table, self._cross, self.frame)

    def _layout(self) -> None:
        right = LABEL_ROOM_PX if self._labels_shown else RIGHT_ROOM_PX
        bottom = TIME_ROOM_PX if self.axes.show_times else BOTTOM_ROOM_PX
        width = max(40.0, self.width() - LEFT_ROOM_PX - right)
        height = max(20.0, self.height() - TOP_ROOM_PX - bottom)
        rect = QRectF(LEFT_ROOM_PX, TOP_ROOM_PX, width, height)
        self.box.setGeometry(rect)
        self._set_frame(PlotFrame(rect, self.frame.start, self.frame.end, self.frame.low, self.frame.high))
        self.resized.emit()

    def _set_frame(self, frame: PlotFrame) -> None:
        self.frame = frame
        self.axes.show_values = self.values.known
        self.box.setRange(xRange=(frame.start, frame.end), yRange=(frame.low, frame.high), padding=0.0, disableAutoRange=False)
        self.axes.set_frame(frame)
        self.crosshair.set_frame(frame)
        self.readout.set_frame(frame)
        if self.view is not None:
            self.labels.set_data(self.view.curves, self._order, frame)
            self.triangles.set_data(self.view.marks, frame)

    def close(self) -> bool:
        """As any widget. pyqtgraph's own clears the scene under live references and takes the viewport away: it crashes."""
        return QWidget.close(self)

    # Gestures. pyqtgraph's own scene events are bypassed: the time axis belongs to the page, not to one chart.

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        super().resizeEvent(event)  # type: ignore[no-untyped-call]
        if self._built:
            self._layout()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        delta = event.angleDelta()
        scroll = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if scroll or abs(delta.x()) > abs(delta.y()):
            notches = (delta.x() or delta.y()) / 120
            self.panned.emit(-notches * WHEEL_SCROLL * (self.frame.end - self.frame.start))
        elif event.position().x() < self.frame.rect.left():
            self._zoom_values(WHEEL_ZOOM ** (delta.y() / 120), self.frame.value_at(event.position().y()))
        else:
            self.zoomed.emit(WHEEL_ZOOM ** (delta.y() / 120), self.frame.time_at(event.position().x()))
        event.accept()

    def _zoom_values(self, factor: float, anchor: float) -> None:
        self.values.zoom(factor, anchor)
        self._set_frame(PlotFrame(self.frame.rect, self.frame.start, self.frame.end, self.values.low, self.values.high))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self._press = self._last = event.position()
        boxing = event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
        self._drag = "box" if boxing else "pan"
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        at = event.position()
        if self._press is None:
            self._hover(at, event.globalPosition().toPoint())
            return
        if (at - self._press).manhattanLength() < _CLICK_PX and self._last == self._press:
            return
        if self._drag == "box":
            self.crosshair.set_box(QRectF(self._press, at).normalized() & self.frame.rect)
        else:
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
            seconds = (self._last.x() - at.x()) / self.frame.rect.width() * (self.frame.end - self.frame.start)
            if seconds:
                self.panned.emit(seconds)
            if not self.values.auto:
                shift = (at.y() - self._last.y()) / self.frame.rect.height() * (self.frame.high - self.frame.low)
                self.values.set(self.values.low + shift, self.values.high + shift)
        self._last = at

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if event.button() != Qt.MouseButton.LeftButton or self._press is None:
            return
        moved = self._last != self._press
        press, self._press = self._press, None
        self.viewport().unsetCursor()
        if not moved:
            label, mark = self.labels.label_at(press), self.triangles.mark_at(press)
            if label is not None:
                self.label_clicked.emit(label.device_id)
            elif mark is not None:
                self.mark_clicked.emit(mark)
        elif self._drag == "box" and self.crosshair.box is not None:
            self._finish_box(self.crosshair.box)
        self.crosshair.set_box(None)

    def _finish_box(self, box: QRectF) -> None:
        if box.width() < _CLICK_PX or box.height() < _CLICK_PX:
            return
        self.values.set(self.frame.value_at(box.bottom()), self.frame.value_at(box.top()))
        self.boxed.emit(self.frame.time_at(box.left()), self.frame.time_at(box.right()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if event.button() == Qt.MouseButton.LeftButton:
            self.set_autoscale(True)

    def _hover(self, at: QPointF, on_screen: QPoint) -> None:
        label, mark = self.labels.label_at(at), self.triangles.mark_at(at)
        if label is not None:
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
            QToolTip.showText(on_screen, tool_tip(label.device_id), self)
        elif mark is not None and self.view is not None:
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
            marks = self.view.marks
            QToolTip.showText(on_screen, tool_tip(f"{marks.device_ids[mark]}: {marks.reasons[mark]}"), self)
        else:
            self.viewport().unsetCursor()
        self.hovered.emit(self.frame.time_at(at.x()) if self.frame.rect.contains(at) else None)

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        self.hovered.emit(None)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802
        self.menu_wanted.emit(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        # Left to the page: its shortcuts hold for all charts.
        event.ignore()
