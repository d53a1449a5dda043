"""An hour between this computer's clock and the services': the charts go on, and the clock is named."""

import json
import time
from dataclasses import replace

import pytest

from backend.contract.times import to_iso
from desktop.model.health import HealthInputs, assess
from desktop.model.services_clock import ServicesClock
from desktop.model.store import LiveStore
from desktop.model.windows import Window
from desktop.services.decode import decode_batch
from desktop.services.kafka_records import Records
from desktop.views.history.page import HistoryPage
from desktop.views.live.page import LivePage
from tests.gui.conftest import Bench

HOUR = 3600.0


@pytest.mark.parametrize("wrong_s", [HOUR, -HOUR])
def test_charts_follow_the_services_clock(bench: Bench, wrong_s: float) -> None:
    """The readings are stamped now, by the services; this computer's clock says another hour."""
    clock = ServicesClock(wall=lambda: time.time() + wrong_s)
    clock.observe(time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()), clock.local())
    connection = bench.attach()
    connection.store = LiveStore(clock=clock)
    bench.desktop.monitor._frames.set_store(connection.store)
    now = time.time()
    for age in range(60, 0, -1):
        t_ms = round((now - age) * 1000)
        values = [
            json.dumps(
                {"device_id": f"thermostat-{n:05d}", "timestamp": to_iso(t_ms), "sensor": "temperature", "value": 20.0 + n}
            ).encode()
            for n in range(5)
        ]
        connection.store.ingest(decode_batch(Records.of_values(values, arrival_ms=t_ms), received=clock()))
    start_ms = int(now // 10 - 3) * 10_000
    connection.store.ingest_windows(
        [
            Window("temperature", None, start_ms + k * 10_000, start_ms + (k + 1) * 10_000, 22.0, 20.0, 24.0, 50)
            for k in range(2)
        ]
    )
    bench.window.show_key("live")
    page = bench.window.current_page
    assert isinstance(page, LivePage)
    panel = page.board.panels["temperature"]
    bench.wait(lambda: len(panel.chart.envelope.line.x) > 20, "the readings are drawn")
    assert page.snapshot is not None
    start, end = page.snapshot.request.start, page.snapshot.request.end
    assert abs(end - time.time()) < 2.0, "the right edge is the services' now"
    assert start < now - 50
    assert not panel.is_empty()
    assert len(panel.chart.steps.bands.start) == 2, "stored windows are drawn as such, not dashed"
    bench.window.show_key("history")
    history = bench.window.current_page
    assert isinstance(history, HistoryPage)
    assert abs(history.frame.range()[1] - time.time()) < 90.0

    judgement = assess(
        HealthInputs(
            now=clock(),
            fleet=replace(connection.state, counts={"Thermostat": 5}, running=True, sent_per_s=5.0),
            stats=connection.store.stats(),
            started=now - 120,
            clock_skew_s=clock.skew_s,
        )
    )
    connection.judgement = judgement
    side = "ahead of" if wrong_s > 0 else "behind"
    assert f"This computer's clock is 1 h 0 min {side} the services' clock" in judgement.sentence
    assert not [m for m in judgement.messages if m.hop in ("spark", "paai")], "nobody else is blamed"
    bench.wait(lambda: "1 h 0 min" in bench.desktop.monitor.health, "the status bar")
