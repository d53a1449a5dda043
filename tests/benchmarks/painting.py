"""Run as a process: what a frame and a change of page or colours cost the GUI thread, without any system behind it.

``python -m tests.benchmarks.painting [--size 1920x1080] [--ratio 2] [--focus 4] [--cross] [--devices 10000]`` prints one line
of JSON. A thread decodes and stores readings meanwhile, as the real feed does. Times are of processor time of the GUI thread
(`cpu`), and by the clock (`wall`), which other processes lengthen.
"""

import argparse
import cProfile
import json
import os
import pstats
import statistics
import sys
import threading
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import msgspec
from PySide6.QtWidgets import QApplication

from backend.contract.devices import DEVICE_TYPES
from backend.contract.times import to_iso
from desktop.app import Desktop
from desktop.model.store import LiveStore
from desktop.services.decode import decode_batch
from desktop.services.kafka_records import Records
from desktop.views.live.page import LivePage
from tests.helpers.fake_connection import FakeConnection
from tests.helpers.fake_feed import FakeFeed
from tests.helpers.fake_target import FakeTarget
from tests.helpers.open_window import opened, spin
from tests.helpers.watchdog import watching

_SPAN_S = 300.0
_SLOT_S = 0.05
_FRAMES = 60


class Feeder(threading.Thread):
    """Decodes and stores one reading a device and second, in slots of 50 ms, until stopped."""

    def __init__(self, store: LiveStore, devices: int) -> None:
        super().__init__(name="feeder", daemon=True)
        self._store, self._devices = store, devices
        self._ids = [f"{DEVICE_TYPES[d % 4].id_prefix}-{d // 4 + 1:05d}" for d in range(devices)]
        self.ended = threading.Event()

    def run(self) -> None:
        encode = msgspec.json.Encoder().encode
        slot, due = 0, time.time()
        while not self.ended.wait(max(0.0, due - time.time())):
            now = to_iso(int(due * 1000))
            values = [
                encode(
                    {
                        "device_id": self._ids[d],
                        "timestamp": now,
                        "sensor": DEVICE_TYPES[d % 4].sensor,
                        "value": 50 + d % 20 + slot % 7,
                    }
                )
                for d in range(slot % 20, self._devices, 20)
            ]
            self._store.ingest(decode_batch(Records.of_values(values, arrival_ms=int(due * 1000)), received=due))
            due += _SLOT_S
            slot += 1


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--ratio", type=float, default=1.0)
    parser.add_argument("--focus", type=int, default=0)
    parser.add_argument("--cross", action="store_true")
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--span", type=float, default=_SPAN_S)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    if options.ratio != 1:
        os.environ["QT_SCALE_FACTOR"] = str(options.ratio)
    app = QApplication([])
    target = FakeTarget(up=True)
    width, height = map(int, options.size.split("x"))
    focus = [f"{DEVICE_TYPES[i % 4].id_prefix}-{i // 4 + 1:05d}" for i in range(options.focus)]
    result: dict[str, float | str] = {"size": options.size, "ratio": options.ratio, "focus": options.focus}
    with opened(
        app,
        target,
        connect=lambda endpoints: FakeConnection(target=target, endpoints=endpoints),
        size=(width, height),
        span_s=options.span,
        focus=focus,
    ) as desktop:
        result |= _measure(desktop, options)
    print(json.dumps({k: round(v, 1) if isinstance(v, float) else v for k, v in result.items()}), flush=True)


def _measure(desktop: Desktop, options: argparse.Namespace) -> dict[str, float]:
    """Frames, then changes of page and colours, while readings come in."""
    window, monitor = desktop.window, desktop.monitor
    while monitor.connection is None:
        spin(0.05)
    store = monitor.connection.store
    store.set_focus(monitor.focus)
    now = time.time()
    share = options.devices // 4
    FakeFeed(store, counts={t.tag: share for t in DEVICE_TYPES}, seed=1).play(now - options.span, now)
    feeder = Feeder(store, options.devices)
    feeder.start()
    page = next(p for p in window.pages if isinstance(p, LivePage))
    spin(1.5)
    if options.cross:
        page.board.set_cross(time.time() - options.span / 3)
    result = _frames(page, store, profile=options.profile)
    result |= _switches(desktop)
    if options.picture:
        window.grab().save(str(options.picture))
    feeder.ended.set()
    feeder.join(5)
    return result


def _frames(page: LivePage, store: LiveStore, *, profile: bool) -> dict[str, float]:
    """Snapshot, drawing and painting of whole frames, one after the other as fast as they go."""
    monitor = page.context.monitor
    monitor.set_view_source(None)
    spin(0.2)
    snapshot_ms: list[float] = []
    draw_ms: list[float] = []
    paint_ms: list[float] = []
    wall_ms: list[float] = []
    profiler = cProfile.Profile()
    for _ in range(_FRAMES):
        spin(0.03)
        if profile:
            profiler.enable()
        began = time.perf_counter()
        t0 = time.thread_time()
        snapshot = store.snapshot(page.request(time.time()))
        t1 = time.thread_time()
        page.draw(snapshot)
        t2 = time.thread_time()
        for chart in page.board.charts:
            chart.viewport().repaint()
        t3 = time.thread_time()
        profiler.disable()
        wall_ms.append(1000 * (time.perf_counter() - began))
        for times, seconds in ((snapshot_ms, t1 - t0), (draw_ms, t2 - t1), (paint_ms, t3 - t2)):
            times.append(1000 * seconds)
    monitor.set_view_source(page.request)
    if profile:
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(25)
    middle = {name: statistics.median(t) for name, t in (("snapshot", snapshot_ms), ("draw", draw_ms), ("paint", paint_ms))}
    total = sum(middle.values())
    return {
        **{f"{name}_cpu_ms": ms for name, ms in middle.items()},
        "frame_cpu_ms": total,
        "frame_wall_ms": statistics.median(wall_ms),
        "frames_per_s_of_cpu": 1000 / total,
    }


def _switches(desktop: Desktop) -> dict[str, float]:
    """The longest pauses of the event loop while pages and colours change."""
    window = desktop.window
    result = {}
    spin(0.3)
    with watching() as watch:
        spin(2.0)
    result["still_cpu_ms"], result["still_wall_ms"] = watch.longest_cpu_ms, watch.longest_ms
    for number in (1, 2):
        with watching() as watch:
            for key in ("history", "services", "live", "services", "history", "live"):
                window.show_key(key)
                spin(0.4)
        result[f"page{number}_cpu_ms"], result[f"page{number}_wall_ms"] = watch.longest_cpu_ms, watch.longest_ms
        with watching() as watch:
            for theme in ("dark", "light"):
                desktop.theme.set_choice(theme)
                spin(0.6)
        result[f"theme{number}_cpu_ms"], result[f"theme{number}_wall_ms"] = watch.longest_cpu_ms, watch.longest_ms
    return result


if __name__ == "__main__":
    main()
