"""A device that comes into focus gets its past from MongoDB."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from pymongo import MongoClient

from desktop.model.readings import TimeArray, ValueArray
from desktop.services.focus_history import FocusHistory
from tests.helpers.fake_mongo import FakeMongo
from tests.helpers.wait import wait_until

T0 = datetime(2026, 11, 24, 5, 30, tzinfo=UTC)


class Sink:
    def __init__(self) -> None:
        self.got: dict[tuple[str, str], list[float]] = {}

    def ingest_focus_history(self, device_id: str, sensor: str, t_ms: TimeArray, value: ValueArray) -> None:
        self.got[device_id, sensor] = value.tolist()


def test_the_last_hour_of_every_sensor_and_again_after_an_outage() -> None:
    mongo, sink = FakeMongo(), Sink()
    for age_s, sensor, value in ((7200, "humidity", 1.0), (60, "humidity", 2.0), (30, "pressure", 1003.0)):
        mongo["processed_messages"].documents.append(
            {"device_id": "a", "sensor": sensor, "timestamp": T0 - timedelta(seconds=age_s), "value": value}
        )
    history = FocusHistory(
        client=cast(MongoClient[dict[str, Any]], mongo), sink=sink, clock=lambda: T0.timestamp(), retry_s=0.1
    )
    stop = threading.Event()
    thread = threading.Thread(target=history.run, args=(stop,))
    mongo.down = True
    thread.start()
    try:
        history.set_focus(("a",))
        wait_until(lambda: mongo["processed_messages"].queries, 5, "a first try", interval_s=0.005)
        mongo.down = False
        wait_until(lambda: len(sink.got) == 2, 5, "both sensors")
        assert sink.got == {("a", "humidity"): [2.0], ("a", "pressure"): [1003.0]}
    finally:
        stop.set()
        thread.join(5)
    assert not thread.is_alive()
