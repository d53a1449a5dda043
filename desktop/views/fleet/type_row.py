"""One device type: its name, the number wanted, the slider, and how many really report."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics, QValidator
from PySide6.QtWidgets import QGridLayout, QSpinBox, QWidget

from backend.contract.devices import MAX_FLEET_PER_TYPE, DeviceType
from desktop.model.figures import THIN, thousands
from desktop.model.fleet import FleetState
from desktop.model.storing import devices_within, rounded
from desktop.qtmodels.fleet import FleetController
from desktop.qtmodels.fleet_scale import count_at, position_of
from desktop.qtmodels.storing import StoringLimit
from desktop.qtmodels.theme import ThemeController
from desktop.views.fleet.slider import FleetSlider
from desktop.views.widgets.roles import label, set_role


class CountBox(QSpinBox):
    """A number of devices, with thin spaces, typed freely or stepped with the arrow keys."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(0, MAX_FLEET_PER_TYPE)
        # By role: with NoButtons and a style sheet, Qt gives the text a width of 1.
        set_role(self, "plain")
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setKeyboardTracking(False)
        self.setFixedWidth(64)
        self.lineEdit().setTextMargins(0, 0, 4, 0)

    def textFromValue(self, value: int) -> str:  # noqa: N802 - Qt's names
        return thousands(value)

    def valueFromText(self, text: str) -> int:  # noqa: N802
        digits = "".join(c for c in text if c.isdecimal())  # of "²", a digit too, int() makes nothing
        return min(int(digits), MAX_FLEET_PER_TYPE) if digits else 0

    def validate(self, text: str, pos: int) -> tuple[QValidator.State, str, int]:
        plain = text.replace(THIN, "").replace(" ", "")
        state = QValidator.State.Acceptable if plain.isdecimal() else QValidator.State.Intermediate
        if plain and not plain.isdecimal():
            state = QValidator.State.Invalid
        return state, text, pos


class TypeRow(QWidget):
    """Slider and box say the same; both write to the controller and follow it, except while in the user's hands."""

    def __init__(
        self,
        *,
        kind: DeviceType,
        fleet: FleetController,
        storing: StoringLimit,
        theme: ThemeController,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._kind = kind
        self._fleet = fleet
        self._storing = storing
        self.name = label(kind.device_label)
        self.box = CountBox()
        self.box.setAccessibleName(f"Number of {kind.device_label.lower()}s")
        self.slider = FleetSlider(theme=theme, sensor=kind.sensor)
        self.slider.setAccessibleName(f"{kind.device_label}s, slider")
        self.reporting = label("", "caption")
        self.reporting.setFixedHeight(QFontMetrics(self.reporting.font()).height())
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(0)
        grid.addWidget(self.name, 0, 0)
        grid.addWidget(self.box, 0, 1)
        grid.addWidget(self.slider, 1, 0, 1, 2)
        grid.addWidget(self.reporting, 2, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        self.slider.sliderPressed.connect(lambda: fleet.hold(kind.tag))
        self.slider.sliderReleased.connect(lambda: fleet.release(kind.tag))
        self.slider.valueChanged.connect(self._slid)
        self.box.valueChanged.connect(lambda n: fleet.set_count(kind.tag, n))
        fleet.wish_changed.connect(self._follow)
        fleet.state_changed.connect(self._report)
        fleet.wish_changed.connect(self._mark)
        storing.changed.connect(self._mark)
        self._follow()
        self._mark()

    def _slid(self, position: int) -> None:
        # Only what the user does: a position set from a count that lies between two stops must not change the count.
        if position != position_of(self._fleet.count(self._kind.tag)):
            self._fleet.set_count(self._kind.tag, count_at(position))

    def _follow(self) -> None:
        count = self._fleet.count(self._kind.tag)
        if not self.box.hasFocus() or self.box.value() != count:
            self.box.blockSignals(True)
            self.box.setValue(count)
            self.box.blockSignals(False)
        if not self.slider.isSliderDown():
            self.slider.blockSignals(True)
            self.slider.setValue(position_of(count))
            self.slider.blockSignals(False)
            self.slider.update()

    def _mark(self) -> None:
        """Mark how many of these devices the system's storing has room for beside the other types."""
        limit, name = self._storing.limit, self._kind.device_label.lower()
        if limit is None:
            self.slider.set_limit(None, "")
            return
        most = devices_within(limit.per_s, self._fleet.counts, self._kind.tag, self._fleet.interval_s)
        if most > MAX_FLEET_PER_TYPE:
            words = f"Readings of {thousands(MAX_FLEET_PER_TYPE)} {name}s are stored in time"
        else:
            words = f"With more than about {thousands(rounded(most))} {name}s, stored readings fall behind"
        self.slider.set_limit(most if most <= MAX_FLEET_PER_TYPE else None, words)

    def _report(self, state: FleetState) -> None:
        n = state.reporting.get(self._kind.tag, 0)
        known = state.known
        self.slider.set_reporting(n if known and (n or self._fleet.count(self._kind.tag)) else -1)
        self.reporting.setText(f"{thousands(n)} reporting" if known else "")
