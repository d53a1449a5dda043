"""Choosing the faults that the generator puts into its signals."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QWidget

from desktop.model.faults import PRESETS
from desktop.qtmodels.faults import FaultsController

#: What was asked for elsewhere.
_OTHER = "Others"
_EXPLAINS = (
    "Let the generator make some devices misbehave: spikes, drifts, stuck sensors, silences.\n"
    "With a promoted model they show on the charts and on the Anomalies page."
)


class FaultsBox(QComboBox):
    """The presets; what is on and is none of them stands below those, and cannot be chosen."""

    def __init__(self, *, faults: FaultsController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._faults = faults
        for preset in PRESETS:
            self.addItem(preset.label, preset.key)
        self.setAccessibleName("Faults that the generator injects")
        self.setToolTip(_EXPLAINS)
        self.setFixedWidth(96)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.activated.connect(lambda index: faults.choose(str(self.itemData(index))))
        faults.changed.connect(self._follow)
        self._follow()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        super().showEvent(event)
        self._faults.refresh()

    def _follow(self) -> None:
        known, preset = self._faults.known, self._faults.preset
        self.setEnabled(known)
        other = self.findText(_OTHER)
        if known and preset is None:
            if other < 0:
                self.addItem(_OTHER, "")
            self.setCurrentIndex(self.findText(_OTHER))
            return
        if other >= 0:
            self.removeItem(other)
        self.setCurrentIndex(self.findData(preset.key if preset is not None else PRESETS[0].key))
