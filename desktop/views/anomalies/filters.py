"""Which events the page lists: by device, sensor, kind, severity, and whether they are acknowledged."""

from typing import Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QWidget

from backend.contract.devices import DEVICE_TYPES
from desktop.model.palette import GAP_SMALL
from desktop.model.predictions.event import EventFilter
from desktop.model.predictions.record import Grade
from desktop.model.predictions.words import KINDS

_TYPING_MS: Final = 150


class FilterBar(QWidget):
    """Search field and choices.

    Signals:
        changed(): another choice.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Device or reason contains …")
        self.search.setAccessibleName("Search anomalies by device or reason")
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(140)
        self.sensor = _box("Sensor", [("All sensors", ""), *((t.label, t.sensor) for t in DEVICE_TYPES)])
        self.kind = _box("Kind", [("All kinds", ""), *((word, kind) for kind, word in KINDS.items())])
        self.grade = _box(
            "Severity",
            [("Every severity", Grade.INFO), ("Warning and critical", Grade.WARNING), ("Critical only", Grade.CRITICAL)],
        )
        self.state = _box("State", [("All anomalies", True), ("Unacknowledged only", False)])
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(self.changed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_SMALL)
        layout.addWidget(self.search, 1)
        for box in self._boxes:
            layout.addWidget(box)
            box.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.search.textChanged.connect(lambda _: self._typing.start())

    @property
    def _boxes(self) -> tuple[QComboBox, ...]:
        return self.sensor, self.kind, self.grade, self.state

    @property
    def is_clear(self) -> bool:
        """Whether everything is wanted."""
        return not self.search.text().strip() and all(box.currentIndex() == 0 for box in self._boxes)

    def clear(self) -> None:
        """Want everything."""
        for box in self._boxes:
            box.blockSignals(True)
            box.setCurrentIndex(0)
            box.blockSignals(False)
        self.search.blockSignals(True)
        self.search.clear()
        self.search.blockSignals(False)
        self.changed.emit()

    def wanted(self) -> EventFilter:
        """What is chosen."""
        sensor, kind = self.sensor.currentData(), self.kind.currentData()
        return EventFilter(
            text=self.search.text().strip(),
            sensors=frozenset({sensor} if sensor else ()),
            kinds=frozenset({kind} if kind else ()),
            least=Grade(self.grade.currentData()),
            acknowledged=bool(self.state.currentData()),
        )


def _box(name: str, choices: list[tuple[str, object]]) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    for text, data in choices:
        box.addItem(text, data)
    return box
