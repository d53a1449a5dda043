"""How good a model is, beside simple forecasts: a row a sensor, a panel a question, a shape a contender.

Contenders differ in shape and fill, never in colour alone; the model is in its sensor's hue.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import pyqtgraph as pg
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QWidget

from desktop.model.figures import percent
from desktop.model.palette import CAPTION_PX, Palette
from desktop.model.predictor.card import Card, sensor_label
from desktop.plots.layer import blend, colour, pen

#: pyqtgraph ships no types.
_pg: Final[Any] = pg
_ROW_PX: Final = 29
_FRAME_PX: Final = 64
_MODEL_PX, _OTHER_PX = 13, 10
#: Marks that are nearer than this part of the axis hide each other; how far beside its row one then stands, in rows.
_NEAR, _BESIDE = 0.03, 0.3

_TICKS: Final = (
    [(float(power), f"{2.0**power:g}") for power in range(-6, 12)],
    [(v / 10, f"{v * 10} %") for v in range(11)],
    [(v / 4, f"{v / 4:g}") for v in range(5)],
)


@dataclass(frozen=True, slots=True)
class Contender:
    """Who is compared.

    Attributes:
        key: Name of its figures in the card.
        title: For people.
        symbol: pyqtgraph's name of its shape.
    """

    key: str
    title: str
    symbol: str


MODEL: Final = Contender("model", "this model", "o")
LAST: Final = Contender("last_value", "last value", "s")
MEAN: Final = Contender("device_mean", "device mean", "d")
ROLLING: Final = Contender("rolling_median", "rolling median and MAD", "t1")
FOREST: Final = Contender("isolation_forest", "IsolationForest", "x")
#: The shapes in words, for a line below the picture.
LEGEND: Final = "     ".join(
    f"{sign} {who.title}" for sign, who in zip("●□◇△✕", (MODEL, LAST, MEAN, ROLLING, FOREST), strict=True)
)


@dataclass(frozen=True, slots=True)
class Mark:
    """One figure.

    Attributes:
        panel: Index of its panel.
        sensor: Its row.
        contender: Whose.
        value: In the panel's unit.
    """

    panel: int
    sensor: str
    contender: Contender
    value: float


ERROR, COVERAGE, SPIKES = 0, 1, 2
TITLES: Final = (
    "Forecast error (× noise)  ·  left is better",
    "Readings in the band  ·  at the line is best",
    "Spikes found  ·  right is better",
)


def marks_of(card: Card) -> list[Mark]:
    """Everything that the picture shows of a card; figures that are not known are absent."""
    found = []
    for sensor, told in card.sensors.items():
        held, seen = told.held_out, told.detectors
        figures = (
            (ERROR, MODEL, held.model.mae),
            (ERROR, LAST, held.last_value.mae),
            (ERROR, MEAN, held.device_mean.mae),
            (ERROR, ROLLING, held.rolling_median.mae),
            (COVERAGE, MODEL, held.model.coverage),
            (COVERAGE, ROLLING, held.rolling_median.coverage),
            (SPIKES, MODEL, seen.matched_filters),
            (SPIKES, FOREST, seen.isolation_forest),
            (SPIKES, ROLLING, seen.rolling_median),
        )
        found += [Mark(panel, sensor, who, value) for panel, who, value in figures if math.isfinite(value)]
    return found


class ScoresChart(pg.GraphicsLayoutWidget):
    """Draws a card's scores. GUI thread.

    Attributes:
        marks: What is drawn.
        panels: One plot a question.
    """

    def __init__(self, *, palette: Palette, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)  # type: ignore[no-untyped-call]  # pyqtgraph ships no types
        self._palette = palette
        self._card = Card()
        self.marks: list[Mark] = []
        self.panels: list[Any] = []
        self.setFrameShape(self.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Scores against simple forecasts")
        self._font = QFont(self.font())
        self._font.setPixelSize(CAPTION_PX)
        layout: Any = self.ci
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(18)
        for column, stretch in ((ERROR, 5), (COVERAGE, 3), (SPIKES, 3)):
            plot = layout.addPlot(row=0, col=column)
            plot.setMenuEnabled(False)
            plot.setMouseEnabled(False, False)
            plot.hideButtons()
            plot.vb.setDefaultPadding(0.0)
            plot.getAxis("left").setWidth(84 if column == ERROR else 8)
            layout.layout.setColumnStretchFactor(column, stretch)
            self.panels.append(plot)
        self.set_palette(palette)

    def set_palette(self, palette: Palette) -> None:
        """Draw in other colours."""
        self._palette = palette
        self.setBackground(colour(palette.surface))  # type: ignore[no-untyped-call]
        self._draw()

    def show_card(self, card: Card) -> None:
        """Show another card."""
        if card != self._card:
            self._card = card
            self._draw()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(640, self.height_wanted())

    def height_wanted(self) -> int:
        """Logical pixels that the rows need."""
        return _FRAME_PX + _ROW_PX * max(1, len(self._card.sensors))

    # Inside

    def _draw(self) -> None:
        self.marks = marks_of(self._card)
        sensors = list(self._card.sensors)
        self.setFixedHeight(self.height_wanted())
        self.setAccessibleDescription(describe(self.marks))
        for number, plot in enumerate(self.panels):
            plot.clear()
            self._dress(plot, number, sensors)
            mine = [m for m in self.marks if m.panel == number]
            low, high = _range(number, mine)
            plot.setXRange(low, high, padding=0)
            plot.setYRange(-0.5, max(len(sensors), 1) - 0.5, padding=0)
            if number == COVERAGE:
                line = _pg.InfiniteLine(self._card.coverage, pen=pen(colour(self._palette.text), 1.0, (4.0, 3.0)))
                line.setZValue(-1)
                plot.addItem(line)
            for row, sensor in enumerate(reversed(sensors)):
                self._row(plot, row, [m for m in mine if m.sensor == sensor], reach=_NEAR * (high - low))

    def _dress(self, plot: Any, number: int, sensors: Sequence[str]) -> None:
        palette = self._palette
        plot.setTitle(TITLES[number], color=palette.muted, size=f"{CAPTION_PX}px", justify="left")
        plot.showGrid(x=True, y=False, alpha=0.25)
        for name in ("left", "bottom"):
            axis = plot.getAxis(name)
            axis.setPen(pen(colour(palette.line)))
            axis.setTextPen(colour(palette.text if name == "left" else palette.muted))
            axis.setStyle(tickFont=self._font, tickLength=0 if name == "left" else -4, maxTickLevel=0)
        names = [(row, sensor_label(s)) for row, s in enumerate(reversed(sensors))]
        plot.getAxis("left").setTicks([names if number == ERROR else []])
        plot.getAxis("bottom").setTicks([_TICKS[number]])

    def _row(self, plot: Any, row: int, marks: Sequence[Mark], *, reach: float) -> None:
        if not marks:
            return
        palette = self._palette
        hue = palette.sensors.get(marks[0].sensor, palette.accent)
        values = [_place(m.panel, m.value) for m in marks]
        line = _pg.PlotDataItem([min(values), max(values)], [row, row], pen=pen(blend(hue, palette.surface, 0.35), 2.0))
        plot.addItem(line)
        # The model last: it lies over the others.
        for mark in sorted(marks, key=lambda m: m.contender is MODEL):
            own = mark.contender is MODEL
            near = neighbours(mark, marks, reach)
            # Beside the model's own dot, which would hide it.
            beside = not own and any(m.contender is MODEL for m in near)
            spot = _pg.ScatterPlotItem(
                [_place(mark.panel, mark.value)],
                [row + (_BESIDE if beside else 0.0)],
                symbol=mark.contender.symbol,
                size=_MODEL_PX if own else _OTHER_PX,
                pen=pen(colour(palette.surface if own else palette.text), 1.4),
                brush=colour(hue if own else palette.surface),
                hoverable=True,
                tip=partial(_tip, "\n".join(words_of(m) for m in near)),
                antialias=True,
            )
            plot.addItem(spot)


def _tip(words: str, **_: Any) -> str:
    return words


def neighbours(mark: Mark, marks: Sequence[Mark], reach: float) -> list[Mark]:
    """Those of a row that stand within `reach` of `mark` on its axis, itself included; the model's first, then by place."""
    place = _place(mark.panel, mark.value)
    near = [m for m in marks if abs(_place(m.panel, m.value) - place) <= reach]
    return sorted(near, key=lambda m: (m.contender is not MODEL, _place(m.panel, m.value)))


def words_of(mark: Mark) -> str:
    """The figure in words: the tooltip, and what screen readers say."""
    value = percent(mark.value, 1) if mark.panel == COVERAGE else f"{mark.value:.3f}"
    return f"{sensor_label(mark.sensor)}, {mark.contender.title}: {value}"


def describe(marks: Sequence[Mark]) -> str:
    """All figures as text."""
    parts = []
    for panel, title in enumerate(TITLES):
        mine = "; ".join(words_of(m) for m in marks if m.panel == panel)
        parts.append(f"{title.partition('  ·')[0]}: {mine}.")
    return " ".join(parts)


def _place(panel: int, value: float) -> float:
    """Where a figure stands on its axis: errors by their ratio, or one bad forecast would push the others together."""
    return math.log2(max(value, 1e-6)) if panel == ERROR else value


def _range(panel: int, marks: Sequence[Mark]) -> tuple[float, float]:
    """Of the axis."""
    places = [_place(m.panel, m.value) for m in marks] or [0.5]
    if panel == ERROR:
        return min(*places, -1.0) - 0.2, max(*places, 1.0) + 0.2
    if panel == COVERAGE:
        return min(0.77, min(places) - 0.03), 1.03
    return -0.05, 1.06
