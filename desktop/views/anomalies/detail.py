"""What is known of the selected event, in full."""

from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from backend.contract.devices import BY_SENSOR
from desktop.model.figures import plural
from desktop.model.palette import GAP_LARGE, GAP_SMALL, GRID
from desktop.model.predictions.event import Event
from desktop.model.predictions.words import kind_word
from desktop.plots.figures import SHORT_UNIT, value_text
from desktop.views.anomalies.table import Look, moment_text, sensor_word
from desktop.views.widgets.figure import Elided
from desktop.views.widgets.roles import label, set_role


class EventDetail(QFrame):
    """Title, reason, facts. Its height does not depend on what it says, so that the table above never jumps."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "panel")
        self.title = Elided(role="strong")
        self.reason = label("", wrap=True)
        self.reason.setMinimumHeight(2 * self.reason.fontMetrics().height() + 2)
        self.facts = Elided(role="muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP_SMALL, GAP_LARGE, GAP_SMALL)
        layout.setSpacing(GRID)
        for widget in (self.title, self.reason, self.facts):
            layout.addWidget(widget)

    def show_event(self, event: Event | None, look: Look, chosen: int = 1) -> None:
        """Show one; without one say what to do."""
        if event is None:
            self.title.set_text(f"{plural(chosen, 'anomaly', 'anomalies')} selected" if chosen > 1 else "")
            self.reason.setText("" if chosen > 1 else "Select an anomaly to read all of it; Enter shows it on the chart.")
            self.facts.set_text("")
            return
        self.title.set_text(f"{event.key.device_id}  ·  {sensor_word(event)}  ·  {kind_word(event.key.kind)}")
        self.reason.setText(event.reason)
        self.facts.set_text("  ·  ".join(_facts(event, look)))


def _facts(event: Event, look: Look) -> list[str]:
    sensor = event.key.sensor
    known = BY_SENSOR.get(sensor)
    unit = SHORT_UNIT.get(sensor, known.unit) if known else ""
    facts = []
    if event.value == event.value:
        facts.append(f"read {value_text(sensor, event.value, more=1)} {unit}")
    if event.expected == event.expected:
        facts.append(f"expected {value_text(sensor, event.expected, more=1)} {unit}")
    if event.readings > 1:
        facts.append(plural(event.readings, "abnormal reading"))
    facts.append(f"score {event.score:.2f}")
    if event.model:
        facts.append(f"model {event.model}")
    if event.acknowledged:
        facts.append(
            f"acknowledged by {event.acknowledged_by or 'an unknown user'} at {moment_text(event.acknowledged_at, look)}"
        )
    return facts
