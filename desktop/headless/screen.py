"""What the terminal shows, built from the model: renderables for a terminal, one line for a log."""

import math
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from backend.contract.devices import DEVICE_TYPES
from desktop.headless.spark import sparkline
from desktop.model.figures import UNKNOWN, milliseconds, plural, size, thousands
from desktop.model.fleet import FleetState
from desktop.model.health import Health, Severity
from desktop.model.predictions.record import Grade
from desktop.model.predictions.status import Stage
from desktop.model.predictions.store import PredictionStore
from desktop.model.snapshot import FeedStats, LiveSnapshot
from stack.target import ServiceStatus

#: As `ui.md` gives them for a dark surface.
_HUES = {"temperature": "#FF8A4C", "pressure": "#56B4E9", "humidity": "#2FCB9A", "heart_rate": "#E59CC5"}
_SPARK_CHARS = 48
_HEALTHY = "Stream healthy"


def sign(service: ServiceStatus) -> tuple[str, str, str]:
    """Sign, colour and word of a service's state."""
    if service.running == 0:
        return ("■", "bright_black", "stopped") if service.stopped or not service.wanted else ("✕", "red", "failed")
    if service.healthy and service.running >= service.wanted:
        return "●", "green", "running"
    return ("▲", "yellow", "degraded") if service.restarts else ("◐", "yellow", "starting")


def render(
    *,
    where: str,
    services: Sequence[ServiceStatus],
    fleet: FleetState,
    snapshot: LiveSnapshot,
    health: Health,
    note: str = "",
    anomalies: str = "",
    refused: Sequence[str] = (),
) -> RenderableType:
    """The whole screen; `note` is a sentence below the figures, `anomalies` what `anomalies_line` says, `refused` the line of
    what was refused and the newest of it.
    """
    return Group(
        Text(f"PAAI Monitor — {where}", style="bold"),
        Text(),
        _services(services),
        Text(),
        _sensors(snapshot, fleet),
        Text(),
        Text(stats_line(snapshot.stats, fleet)),
        *([Text(anomalies)] if anomalies else []),
        *(_refused_line(line, muted=i > 0) for i, line in enumerate(refused) if line),
        Text(health.sentence or _HEALTHY, style="yellow" if health.severity > Severity.INFO else "green"),
        *([Text(note, style="bright_black")] if note else []),
        Text("Ctrl+C leaves; the system keeps running.", style="bright_black"),
    )


def _refused_line(text: str, *, muted: bool) -> Text:
    return Text(text, style="bright_black" if muted else "", no_wrap=True, overflow="ellipsis")


def _services(services: Sequence[ServiceStatus]) -> RenderableType:
    if not services:
        return Text("The state of the services is being read …", style="bright_black")
    line = Text()
    for service in services:
        mark, colour, word = sign(service)
        line.append(f"{mark} ", style=colour)
        line.append(service.service)
        if service.wanted > 1:
            line.append(f" {service.running}/{service.wanted}", style="bright_black")
        if word != "running":
            line.append(f" {word}", style=colour)
        elif service.note:
            line.append(f" {service.note}", style="bright_black")
        line.append("   ")
    return line


def _sensors(snapshot: LiveSnapshot, fleet: FleetState) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bright_black")
    table.add_column("")
    for title in ("devices", "mean", "lowest", "highest", "window"):
        table.add_column(title, justify="right")
    table.add_column("last 5 minutes")
    for kind in DEVICE_TYPES:
        view = snapshot.views[kind.sensor]
        wanted = fleet.counts.get(kind.tag, 0) if fleet.known else 0
        devices = thousands(view.devices) + (f" of {thousands(wanted)}" if wanted and wanted != view.devices else "")
        stored = ~view.steps.provisional
        window = float(view.steps.avg[stored][-1]) if stored.any() else math.nan
        table.add_row(
            Text(kind.label, style=_HUES[kind.sensor]),
            devices,
            f"{_value(view.mean)} {kind.unit}",
            _value(view.low),
            _value(view.high),
            _value(window),
            Text(sparkline(view.envelope.mean, _SPARK_CHARS), style=_HUES[kind.sensor]),
        )
    return table


def _value(value: float) -> str:
    return thousands(value, 1) if math.isfinite(value) else UNKNOWN


def stats_line(stats: FeedStats, fleet: FleetState) -> str:
    """The status bar."""
    lag = UNKNOWN if stats.consumer_lag < 0 else thousands(stats.consumer_lag)
    delay = f"windows {stats.window_delay_s:.1f} s after end" if math.isfinite(stats.window_delay_s) else "no windows yet"
    sending = (
        f"{thousands(fleet.sent_per_s)} / {thousands(fleet.wanted_per_s)} per s sent · "
        if fleet.known and fleet.running
        else ""
    )
    return (
        f"{sending}{thousands(stats.readings_per_s)} readings/s · {milliseconds(stats.latency_ms)} device→here · lag {lag} · "
        f"{delay} · late {thousands(stats.late_rows)} · {size(stats.buffer_bytes)}"
    )


def anomalies_line(predictions: PredictionStore, now: float) -> str:
    """How many anomalies nobody has seen to, or why there can be none; empty while nothing is known."""
    status = predictions.status
    stage = status.stage(now)
    if stage in (Stage.LOADING, Stage.UNREACHABLE) or not status.past_read:
        return ""
    open_ = predictions.open_by_grade()
    critical, warnings = open_.get(Grade.CRITICAL, 0), open_.get(Grade.WARNING, 0)
    if critical or warnings:
        return f"{plural(critical + warnings, 'open anomaly', 'open anomalies')}, {thousands(critical)} critical"
    return "no model promoted: readings are not scored" if stage is Stage.NO_MODEL else "no open anomalies"


def plain(
    *,
    services: Sequence[ServiceStatus],
    fleet: FleetState,
    snapshot: LiveSnapshot,
    health: Health,
    anomalies: str = "",
    refused: str = "",
) -> str:
    """One line for a log."""
    healthy = sum(s.healthy and s.running >= s.wanted for s in services)
    parts = [f"{healthy} of {plural(len(services), 'service')} healthy"]
    parts += [f"{service.service}: {service.note}" for service in services if service.note]
    for kind in DEVICE_TYPES:
        view = snapshot.views[kind.sensor]
        if view.devices:
            among = f"{_value(view.low)}–{_value(view.high)}, {plural(view.devices, 'device')}"
            parts.append(f"{kind.label} {_value(view.mean)} {kind.unit} ({among})")
    parts.append(stats_line(snapshot.stats, fleet))
    if anomalies:
        parts.append(anomalies)
    if refused:
        parts.append(refused)
    parts.append(health.sentence or _HEALTHY)
    return " · ".join(parts)
