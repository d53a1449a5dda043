"""Run as a process: the real window on a real topic, with a feeder that publishes one reading a device and second."""

import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from stack.choose import choose_target
from tests.helpers.open_window import opened

_SETTLE_S, _MEASURE_S = 40.0, 60.0

#: Publishes for ever: one reading a device and second, in slots of 50 ms.
_FEEDER = """
import sys, time
import msgspec
from confluent_kafka import Producer
from backend.contract.devices import DEVICE_TYPES
from backend.contract.times import to_iso
kafka, devices = sys.argv[1], int(sys.argv[2])
producer, encoder = Producer({"bootstrap.servers": kafka, "linger.ms": 5, "compression.type": "snappy"}), msgspec.json.Encoder()
ids = [f"{DEVICE_TYPES[d % 4].id_prefix}-{d // 4 + 1:05d}" for d in range(devices)]
slot, due = 0, time.time()
while True:
    due += 0.05
    time.sleep(max(0.0, due - time.time()))
    t = to_iso(int(due * 1000))
    for d in range(slot % 20, devices, 20):
        value = {"device_id": ids[d], "timestamp": t, "sensor": DEVICE_TYPES[d % 4].sensor, "value": 50 + d % 20 + slot % 7}
        producer.produce("processed_messages", encoder.encode(value), ids[d])
    producer.poll(0)
    slot += 1
"""


def main(kafka: str, data_dir: Path, devices: int) -> None:
    """Print one line of JSON."""
    app = QApplication([])
    target = choose_target("local", port_offset=None, data_dir=data_dir)
    with opened(app, target) as desktop:
        feeder = subprocess.Popen([sys.executable, "-c", _FEEDER, kafka, str(devices)])
        gaps: list[float] = []
        last = [time.perf_counter()]

        def tick() -> None:
            now = time.perf_counter()
            gaps.append((now - last[0]) * 1000)
            last[0] = now

        timer = QTimer()
        timer.timeout.connect(tick)
        frames = [0]
        desktop.monitor.frame.connect(lambda _: frames.__setitem__(0, frames[0] + 1))
        result: dict[str, float] = {}

        def begin() -> None:
            gaps.clear()
            last[0] = time.perf_counter()
            frames[0] = 0
            result["begun"] = time.perf_counter()
            timer.start(1)

        def end() -> None:
            took = time.perf_counter() - result.pop("begun")
            ordered = sorted(gaps)
            connection = desktop.monitor.connection
            stats = connection.store.stats() if connection is not None else None
            result.update(
                frames_per_s=frames[0] / took,
                rss_mb=psutil.Process().memory_info().rss / 1e6,
                gap_p99_ms=ordered[int(len(ordered) * 0.99)],
                gap_max_ms=ordered[-1],
                readings_per_s=stats.readings_per_s if stats else 0.0,
            )
            app.quit()

        QTimer.singleShot(int(_SETTLE_S * 1000), begin)
        QTimer.singleShot(int((_SETTLE_S + _MEASURE_S) * 1000), end)
        app.exec()
        feeder.kill()
        feeder.wait(10)
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
