"""The monitor: attaching, frames, focus."""

import time

from desktop.model.snapshot import LiveSnapshot, ViewRequest
from desktop.qtmodels.monitor import MAX_FOCUS
from stack.errors import StackError
from tests.gui.conftest import Bench


def request(now: float) -> ViewRequest:
    return ViewRequest(now - 60, now, 400)


def test_frames_come_only_while_somebody_looks(bench: Bench) -> None:
    bench.attach()
    monitor = bench.desktop.monitor
    frames: list[LiveSnapshot] = []
    monitor.frame.connect(frames.append)
    monitor.set_view_source(None)
    bench.qtbot.wait(200)
    assert frames == []
    monitor.set_view_source(request)
    bench.wait(lambda: len(frames) > 5, "frames")
    assert frames[-1].request.pixels == 400
    assert monitor.frames_per_s > 0


def test_slow_snapshots_move_off_the_gui_thread(bench: Bench) -> None:
    import threading

    connection = bench.attach()
    monitor = bench.desktop.monitor
    threads: set[str] = set()
    quick = connection.store.snapshot

    def slow(wanted: ViewRequest) -> LiveSnapshot:
        threads.add(threading.current_thread().name)
        time.sleep(0.03)
        return quick(wanted)

    connection.store.snapshot = slow  # type: ignore[method-assign, assignment]
    monitor.set_view_source(request)
    bench.wait(lambda: any(name.startswith("task") for name in threads), "a worker takes over")
    main = threading.main_thread().name
    threads.clear()
    bench.wait(lambda: len(threads) > 0, "more frames")
    assert main not in threads


def test_a_held_system_is_not_attached(bench: Bench) -> None:
    bench.desktop.monitor.hold(True)
    bench.start()
    bench.wait(lambda: bench.desktop.monitor.status, "the status")
    bench.qtbot.wait(300)
    assert not bench.desktop.monitor.is_attached
    bench.desktop.monitor.hold(False)
    bench.wait(lambda: bench.desktop.monitor.is_attached, "it attaches")


def test_a_status_that_cannot_be_read_is_said(bench: Bench) -> None:
    bench.target.error = StackError("The supervisor does not answer", why="Its socket is gone.", remedy="Deploy again.")
    bench.start()
    bench.wait(lambda: "Its socket is gone." in bench.desktop.monitor.health, "the sentence")
    bench.target.error = None
    bench.wait(lambda: bench.desktop.monitor.is_attached, "it attaches later")
    bench.wait(lambda: bench.desktop.monitor.health == "", "the sentence goes")


def test_closing_while_attaching_leaves_no_feeds(bench: Bench) -> None:
    bench.start()
    bench.window.close()
    bench.desktop.close()
    bench.runner.shutdown(timeout_s=3)
    assert all(c.stopped for c in bench.connections if c.started)


def test_focus_is_bounded(bench: Bench) -> None:
    bench.attach()
    monitor = bench.desktop.monitor
    added = [monitor.add_focus(f"barometer-{i:05}") for i in range(MAX_FOCUS + 3)]
    assert added.count(True) == MAX_FOCUS
    assert len(monitor.focus) == MAX_FOCUS
    assert bench.settings.focus == list(monitor.focus)
    monitor.clear_focus()
    assert bench.connection.focus == ()
