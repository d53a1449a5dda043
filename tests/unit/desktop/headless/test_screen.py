"""What the terminal shows."""

import math

import numpy as np
import pytest
from rich.console import Console

from desktop.headless.screen import anomalies_line, plain, render
from desktop.headless.spark import sparkline
from desktop.model.fleet import FleetState
from desktop.model.health import Health, Message, Severity
from desktop.model.predictions.record import Grade, Prediction
from desktop.model.predictions.store import PredictionStore
from desktop.model.snapshot import LiveSnapshot, ViewRequest
from desktop.model.store import LiveStore
from stack.target import ServiceStatus
from tests.helpers.fake_feed import FakeFeed

T0 = 1_795_499_070.0
SERVICES = (ServiceStatus("broker", 1, 1, True, 0, ""), ServiceStatus("paai", 3, 2, False, 1, "one is starting"))
BAD = Health(messages=(Message("x", Severity.WARNING, "Spark is 14 s behind because batches take 3.1 s", "spark"),))


@pytest.fixture
def snapshot() -> LiveSnapshot:
    store = LiveStore(clock=lambda: T0 + 65)
    FakeFeed(store, counts={"Thermostat": 3}).play(T0, T0 + 65)
    return store.snapshot(ViewRequest(T0, T0 + 65, 300))


def test_the_screen_names_services_sensors_and_what_is_wrong(snapshot: LiveSnapshot) -> None:
    console = Console(width=140, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    fleet = FleetState(counts={"Thermostat": 5}, running=True, wanted_per_s=5, sent_per_s=5, as_of=T0)
    console.print(render(where="This machine", services=SERVICES, fleet=fleet, snapshot=snapshot, health=BAD))
    text = console.export_text()
    console.file.close()
    for part in (
        "This machine",
        "● broker",
        "▲ paai",
        "2/3",
        "Temperature",
        "3 of 5",
        "°C",
        "Heart rate",
        "Spark is 14 s behind",
    ):
        assert part in text


def test_one_line_for_a_log(snapshot: LiveSnapshot) -> None:
    line = plain(services=SERVICES, fleet=FleetState(), snapshot=snapshot, health=Health())
    assert "\n" not in line
    assert line.startswith("1 of 2 services healthy · Temperature ")
    assert line.endswith("Stream healthy")
    assert "Pressure" not in line


@pytest.mark.parametrize(
    ("values", "width", "drawn"),
    [
        ([], 10, ""),
        ([1.0, 1.0], 10, "▅▅"),
        ([0.0, 7.0], 10, "▁█"),
        ([0.0, math.nan, 7.0], 10, "▁ █"),
        ([math.nan], 10, " "),
        ([0, 0, 7, 7], 2, "▁█"),
    ],
)
def test_sparklines(values: list[float], width: int, drawn: str) -> None:
    assert sparkline(np.array(values, dtype=np.float64), width) == drawn


def test_open_anomalies_are_counted_in_one_line(snapshot: LiveSnapshot) -> None:
    store = PredictionStore()
    assert anomalies_line(store, T0) == "", "nothing is known yet"
    store.note(looked=True, past_read=True)
    assert anomalies_line(store, T0) == "no model promoted: readings are not scored"
    store.note(promoted="v1", told_at=T0)
    assert anomalies_line(store, T0) == "no open anomalies"
    for device, grade in (("a", Grade.CRITICAL), ("b", Grade.WARNING), ("c", Grade.INFO)):
        store.ingest([Prediction(device, device, "humidity", 5, anomaly=True, kind="stuck", grade=grade, since_ms=5)])
    line = anomalies_line(store, T0)
    assert line == "2 open anomalies, 1 critical"
    assert f" · {line} · " in plain(services=SERVICES, fleet=FleetState(), snapshot=snapshot, health=BAD, anomalies=line)


def test_what_was_refused_is_a_line_with_the_newest_below(snapshot: LiveSnapshot) -> None:
    long = "refused record 0/5: range: " + "x" * 300
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    lines = ["refused records 3 · rejected requests 0", long]
    console.print(render(where="", services=SERVICES, fleet=FleetState(), snapshot=snapshot, health=Health(), refused=lines))
    shown = console.export_text().splitlines()
    console.file.close()
    at = next(i for i, line in enumerate(shown) if line.startswith(lines[0]))
    assert shown[at + 1].startswith("refused record 0/5: range: xx")
    assert shown[at + 1].rstrip().endswith("…")
    assert f" · {lines[0]} · " in plain(
        services=SERVICES, fleet=FleetState(), snapshot=snapshot, health=Health(), refused=lines[0]
    )


def test_the_note_of_a_healthy_service_is_shown_calmly(snapshot: LiveSnapshot) -> None:
    services = (*SERVICES, ServiceStatus("spark-predict", 1, 1, True, 0, "", note="No model promoted"))
    with open("/dev/null", "w") as nowhere:  # noqa: PTH123
        console = Console(width=140, record=True, file=nowhere)
        console.print(render(where="Here", services=services, fleet=FleetState(), snapshot=snapshot, health=Health()))
    text = console.export_text()
    assert "● spark-predict No model promoted" in text
    assert "Stream healthy" in text
    line = plain(services=services, fleet=FleetState(), snapshot=snapshot, health=Health())
    assert line.startswith("2 of 3 services healthy · spark-predict: No model promoted · ")
