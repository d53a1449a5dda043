"""The fleet's raw readings: minimum to maximum as a fill, the mean as a thin line, both in the sensor's hue."""

from typing import Final

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QPainter, QPainterPath
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from desktop.model.snapshot import Envelope
from desktop.plots.geometry import Vertices, envelope_shape, same_envelope
from desktop.plots.layer import Layer, blend, colour, path_of, stroke

FILL_ALPHA: Final = 0.12
LINE_ALPHA: Final = 0.60
LINE_PX: Final = 1.0
#: With focus devices in the chart the fleet steps back to be their background.
DIMMED_LINE_ALPHA: Final = 0.30

_EMPTY: Final = Vertices(np.empty(0), np.empty(0), np.empty(0, np.int32))


class EnvelopeItem(Layer):
    """Draws one `Envelope`.

    Attributes:
        outline: Vertices of the min–max fill.
        line: Vertices of the mean.
    """

    def __init__(self, *, hue: str, surface: str) -> None:
        super().__init__()
        self.outline = _EMPTY
        self.line = _EMPTY
        self._envelope: Envelope | None = None
        self._fill_path, self._line_path = QPainterPath(), QPainterPath()
        self._dimmed = False
        self.set_colours(hue=hue, surface=surface)

    def set_colours(self, *, hue: str, surface: str) -> None:
        """Draw in other colours."""
        self._hue, self._surface = hue, surface
        self._brush = QBrush(colour(hue, FILL_ALPHA))
        self._tint = blend(hue, surface, DIMMED_LINE_ALPHA if self._dimmed else LINE_ALPHA)
        self.update()

    def set_dimmed(self, dimmed: bool) -> None:
        """Step back behind focus curves."""
        if dimmed != self._dimmed:
            self._dimmed = dimmed
            self.set_colours(hue=self._hue, surface=self._surface)

    def set_data(self, envelope: Envelope) -> None:
        """Draw `envelope` from now on."""
        if self._envelope is not None and same_envelope(envelope, self._envelope):
            return
        self._envelope = envelope
        self.outline, self.line = envelope_shape(envelope)
        self._fill_path, self._line_path = path_of(self.outline), path_of(self.line)
        self.update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._brush)
        painter.drawPath(self._fill_path)
        stroke(painter, self._line_path, self._tint, LINE_PX)
