"""A real supervisord with small programs: it outlives its starter, shares sockets, counts, and leaves nothing behind."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from stack.errors import NotRunningError
from stack.local import daemon, jsonfile, processes, supervisord
from stack.local.layout import Layout
from stack.local.program import Program
from tests.helpers.wait import wait_until

#: Answers its process id to whoever connects to the socket it inherits.
SERVER = """
import os, socket
listener = socket.socket(fileno=0)
while True:
    connection, _ = listener.accept()
    connection.sendall(b"%d" % os.getpid())
    connection.close()
"""
SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def running(layout: Layout, port: int) -> Iterator[Layout]:
    """supervisord with a sleeper and a scaled server; nothing started."""
    script = layout.run / "server.py"
    script.write_text(SERVER)
    programs = (
        Program("broker", SLEEP, start_s=1),
        Program("paai", (sys.executable, str(script)), processes=4, socket_port=port, start_s=1),
    )
    layout.supervisor_conf.write_text(supervisord.render(layout, programs), "utf-8")
    daemon.start(layout)
    yield layout
    daemon.stop(layout, timeout_s=10)
    assert processes.marked(layout) == []


def pid_of(layout: Layout, full_name: str) -> int:
    return next(p.pid for p in daemon.connect(layout).processes() if p.full_name == full_name)


def is_running(layout: Layout, full_name: str) -> bool:
    """It has stayed up for a while. A signal sent sooner may find the forked supervisord in place of the program."""
    return any(p.full_name == full_name and p.state == "RUNNING" for p in daemon.connect(layout).processes())


def is_gone(layout: Layout, full_name: str) -> bool:
    return pid_of(layout, full_name) == 0


def ask(port: int) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        return int(connection.recv(20))


def test_it_leaves_our_session_and_hides_its_socket(running: Layout) -> None:
    pid = int(running.pid_file.read_text())
    assert os.getsid(pid) != os.getsid(0)
    assert running.socket.stat().st_mode & 0o077 == 0
    assert {p.group for p in daemon.connect(running).processes()} == {"broker", "paai"}
    assert {p.state for p in daemon.connect(running).processes()} == {"STOPPED"}


def test_starting_twice_and_stopping_twice_is_fine(running: Layout) -> None:
    supervisor = daemon.connect(running)
    for _ in range(2):
        supervisor.start("broker:broker")
    wait_until(partial(is_running, running, "broker:broker"), 10, "the start")
    for _ in range(2):
        supervisor.stop("broker:broker")
        wait_until(lambda: pid_of(running, "broker:broker") == 0, 5, "the stop")


def test_a_killed_process_comes_back_and_is_counted(running: Layout) -> None:
    supervisor = daemon.connect(running)
    supervisor.start("broker:broker")
    wait_until(partial(is_running, running, "broker:broker"), 10, "the start")
    first = pid_of(running, "broker:broker")
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: pid_of(running, "broker:broker") not in {0, first}, 10, "the restart")
    wait_until(lambda: jsonfile.read(running.restarts_file) == {"broker:broker": 1}, 5, "the count")


def test_any_replica_may_stop_while_the_others_serve(running: Layout, port: int) -> None:
    supervisor = daemon.connect(running)
    for n in range(3):
        supervisor.start(f"paai:{n}")
        wait_until(partial(is_running, running, f"paai:{n}"), 10, "the start")
    for gone in (0, 2):  # the first and the last
        supervisor.stop(f"paai:{gone}")
        wait_until(partial(is_gone, running, f"paai:{gone}"), 10, "the stop")
        left = {p.pid for p in supervisor.processes() if p.group == "paai" and p.pid}
        assert {ask(port) for _ in range(20)} <= left
    supervisor.start("paai:3")
    assert ask(port) > 0


def test_what_a_killed_supervisord_leaves_is_swept_away(running: Layout) -> None:
    daemon.connect(running).start("broker:broker")
    wait_until(partial(is_running, running, "broker:broker"), 10, "the start")
    orphan = pid_of(running, "broker:broker")
    os.kill(int(running.pid_file.read_text()), signal.SIGKILL)
    wait_until(lambda: not daemon.is_running(running), 5, "the end of supervisord")
    assert running.socket.exists()  # stale
    assert orphan in processes.marked(running)
    done = daemon.clean_up(running)
    assert f"({orphan})" in done
    assert processes.marked(running) == []
    assert not running.socket.exists()
    assert not running.pid_file.exists()


def test_processes_of_another_directory_are_not_touched(running: Layout, tmp_path: Path) -> None:
    daemon.connect(running).start("broker:broker")
    wait_until(lambda: pid_of(running, "broker:broker") in processes.marked(running), 10, "the start")
    other = Layout.of(tmp_path / "dat")  # a prefix of the first one's path
    other.create()
    assert daemon.clean_up(other) == ""
    assert pid_of(running, "broker:broker") in processes.marked(running)


def test_a_changed_program_is_taken_over(running: Layout) -> None:
    supervisor = daemon.connect(running)
    supervisor.start("broker:broker")
    wait_until(partial(is_running, running, "broker:broker"), 10, "the start")
    changed = (Program("broker", SLEEP, {"PAAI_X": "1"}, start_s=1), Program("generator", SLEEP))
    running.supervisor_conf.write_text(supervisord.render(running, changed), "utf-8")
    supervisor.reload()
    assert {(p.group, p.state) for p in supervisor.processes()} == {("broker", "STOPPED"), ("generator", "STOPPED")}


def test_nothing_runs_here(layout: Layout) -> None:
    assert not daemon.is_running(layout)
    with pytest.raises(NotRunningError, match="does not run here"):
        daemon.connect(layout).processes()
