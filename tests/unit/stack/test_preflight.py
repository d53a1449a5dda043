"""The checks before a start: what they find, and that each failure has a remedy."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from backend.contract.ports import Ports
from stack import preflight
from stack.errors import JarsError, JavaMissingError, PortInUseError
from stack.limits import GroupLimit
from tests.helpers import own_mounts
from tests.helpers.own_mounts import needs_own_mounts
from tests.helpers.wait import wait_until


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A listening socket of this process."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def port_of(server: socket.socket) -> int:
    port: int = server.getsockname()[1]
    return port


def test_every_check_is_there_and_every_failure_has_a_remedy(tmp_path: Path) -> None:
    checks = preflight.run_checks(Ports(9000), tmp_path / "not" / "yet")

    assert [check.name for check in checks][:10] == [
        "Platform", "Java", "JVM artifacts", "MongoDB", "Prediction", "Memory", "Open files", "Processes",
        "Data folder", "Disk",
    ]  # fmt: skip
    assert all(check.detail for check in checks)
    assert all(check.ok or check.remedy for check in checks)
    assert not (tmp_path / "not").exists()


def test_local_ports_are_shifted_all_of_them() -> None:
    base, shifted = preflight.local_ports(Ports()), preflight.local_ports(Ports(100))

    assert len(set(base.values())) == len(base)
    assert {name: port + 100 for name, port in base.items()} == shifted


def test_free_ports_make_one_finding() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = port_of(probe)

    (check,) = preflight.check_ports({"paai": port})

    assert check.ok
    assert str(port) in check.detail


def test_a_taken_port_is_named_with_service_and_holder(listener: socket.socket) -> None:
    (check,) = preflight.check_ports({"paai": port_of(listener)})

    assert not check.ok
    assert check.name == f"Port {port_of(listener)}"
    assert "paai needs it" in check.detail
    assert f"(process {os.getpid()})" in check.detail
    assert "--port-offset" in check.remedy


@pytest.fixture
def beside() -> Iterator[socket.socket]:
    """A listener on IPv6 loopback alone."""
    try:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")
    with server:
        yield server


def test_a_listener_where_localhost_leads_first_is_named(beside: socket.socket) -> None:
    (check,) = preflight.check_ports({"paai": port_of(beside)})

    assert (check.ok, check.name) == (False, f"Port {port_of(beside)}")
    assert check.detail.startswith("paai needs it; ")
    assert f"(process {os.getpid()}) (on [::1], where `localhost` leads first) holds it" in check.detail
    with pytest.raises(PortInUseError, match=r"paai cannot use port \d+: .* \(on \[::1\], where"):
        preflight.raise_first([check])


def test_it_is_no_obstacle_when_it_is_ones_own(beside: socket.socket) -> None:
    assert preflight.check_ports({"paai": port_of(beside)}, own_pids=[os.getpid()])[0].ok


def test_a_port_that_is_held_at_both_addresses_is_one_finding() -> None:
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        (check,) = preflight.check_ports({"paai": port_of(server)})
    assert not check.ok


def test_a_listener_on_every_address_counts(tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        assert not preflight.port_is_free(port_of(server))


def test_a_bound_port_that_does_not_listen_yet_counts() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))

        assert not preflight.port_is_free(port_of(other))


def test_a_connection_that_is_only_closing_does_not_count() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = port_of(server)
        client = socket.create_connection(("127.0.0.1", port))
        accepted, _ = server.accept()
        accepted.close()  # this side closes first: it stays behind in TIME_WAIT
        assert client.recv(1) == b""
        client.close()

    assert preflight.port_is_free(port)


def test_ones_own_processes_are_no_obstacle(listener: socket.socket) -> None:
    (check,) = preflight.check_ports({"paai": port_of(listener)}, own_pids=[os.getpid()])

    assert check.ok


def test_nor_are_their_children(tmp_path: Path) -> None:
    said = tmp_path / "port"
    code = (
        "import socket, sys, time, pathlib; s = socket.create_server(('127.0.0.1', 0));"
        f"p = pathlib.Path({str(said)!r}); p.with_suffix('.new').write_text(str(s.getsockname()[1]));"
        "p.with_suffix('.new').rename(p); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as child:
        try:
            wait_until(said.exists, 20, "the child to listen")
            port = int(said.read_text())
            assert preflight.check_ports({"paai": port}, own_pids=[os.getpid()])[0].ok
            assert not preflight.check_ports({"paai": port}, own_pids=[child.pid + 1_000_000])[0].ok
        finally:
            child.kill()


def test_a_holder_that_only_root_may_know(monkeypatch: pytest.MonkeyPatch, listener: socket.socket) -> None:
    connection = SimpleNamespace(status="LISTEN", laddr=SimpleNamespace(port=port_of(listener)), pid=None)
    monkeypatch.setattr("psutil.net_connections", lambda kind: [connection])

    (check,) = preflight.check_ports({"paai": port_of(listener)}, own_pids=[os.getpid()])

    assert "a process of another user holds it" in check.detail


@pytest.mark.parametrize(("available_gib", "ok"), [(3.4, False), (3.6, True)])
def test_memory(monkeypatch: pytest.MonkeyPatch, available_gib: float, ok: bool) -> None:
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=available_gib * 1024**3))

    check = preflight.check_memory()

    assert check.ok is ok
    assert f"{available_gib} GiB" in check.detail


def test_the_memory_limit_of_a_control_group(monkeypatch: pytest.MonkeyPatch) -> None:
    gib = 1024**3
    group = GroupLimit(4 * gib, 1 * gib, Path("/sys/fs/cgroup/box/memory.max"))
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=16 * gib))
    monkeypatch.setattr("stack.limits.memory_limit", lambda: group)

    check = preflight.check_memory()

    assert not check.ok
    assert check.detail == ("The control group's limit is 4.0 GiB, of which 3.0 GiB are available, and 3.5 GiB are needed")
    assert check.remedy.startswith("Type: echo 5G | sudo tee /sys/fs/cgroup/box/memory.max")


def test_what_the_system_itself_uses_is_there_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=int(3.49 * 1024**3)))
    monkeypatch.setattr("stack.limits.memory_limit", lambda: None)
    assert not preflight.check_memory().ok
    assert preflight.check_memory([os.getpid()]).ok


@pytest.mark.parametrize(("free_gib", "ok"), [(2.9, False), (3.1, True)])
def test_disk_is_that_of_the_nearest_folder_that_exists(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free_gib: float, ok: bool
) -> None:
    asked: list[Path] = []

    def usage(path: Path) -> SimpleNamespace:
        asked.append(path)
        return SimpleNamespace(free=free_gib * 1024**3)

    monkeypatch.setattr("shutil.disk_usage", usage)

    assert preflight.check_disk(tmp_path / "a" / "b").ok is ok
    assert set(asked) == {tmp_path}


def test_a_file_in_the_place_of_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    check = preflight.check_data_dir(tmp_path / "data")

    assert not check.ok
    assert "--data-dir" in check.remedy


def test_a_folder_that_may_not_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)

    assert not preflight.check_data_dir(tmp_path / "data").ok


def test_java_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise JavaMissingError((), min_major=17)

    monkeypatch.setattr("stack.preflight.find_java", missing)

    check = preflight.check_java()

    assert not check.ok
    assert "openjdk-17-jre-headless" in check.remedy


def test_a_missing_part_of_prediction_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "PREDICTION_PACKAGES", ("sys", "no_such_package"))
    check = preflight.check_prediction()
    assert (check.ok, check.detail) == (False, "no_such_package cannot be imported")
    assert "make setup" in check.remedy


def test_jars_that_are_not_there_yet_are_no_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PAAI_CACHE_DIR", str(tmp_path / "cache"))

    check = preflight.check_jars()

    assert check.ok
    assert "downloaded once" in check.detail


def test_a_broken_lock_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> bool:
        raise JarsError("jars.lock is incomplete", remedy="Type: make lock-jars")

    monkeypatch.setattr("stack.preflight.is_resolved", broken)

    check = preflight.check_jars()

    assert (check.ok, check.detail, check.remedy) == (False, "jars.lock is incomplete", "Type: make lock-jars")


def test_a_port_whose_last_listener_is_gone_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([False, False, True])
    monkeypatch.setattr(preflight, "port_is_free", lambda _port: next(answers))
    monkeypatch.setattr(preflight, "port_holders", lambda _ports: {})
    assert [check.ok for check in preflight.check_ports({"broker": 9092})] == [True]


def test_a_listener_whose_process_cannot_be_seen_any_more_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([False, False, True])
    monkeypatch.setattr(preflight, "port_is_free", lambda _port: next(answers))
    monkeypatch.setattr(preflight, "port_holders", lambda ports: dict.fromkeys(ports))
    assert [check.ok for check in preflight.check_ports({"broker": 9092})] == [True]


def test_a_port_that_nobody_listens_on_and_that_stays_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "CLOSING_S", 0.05)
    monkeypatch.setattr(preflight, "port_is_free", lambda _port: False)
    monkeypatch.setattr(preflight, "port_holders", lambda _ports: {})
    [check] = preflight.check_ports({"broker": 9092})
    assert not check.ok
    assert "another user" not in check.detail


@pytest.mark.parametrize("folder", ["/proc/paai", "/etc/passwd/paai"])
def test_a_folder_that_cannot_be_made_is_said_to_be_one(folder: str) -> None:
    check = preflight.check_data_dir(Path(folder))
    assert not check.ok
    assert "cannot be written" in check.detail


@needs_own_mounts
def test_a_data_folder_that_is_mounted_noexec_is_named(tmp_path: Path) -> None:
    code = (
        "import dataclasses, json, pathlib, sys\n"
        "from stack.preflight import check_data_dir\n"
        "print(json.dumps(dataclasses.asdict(check_data_dir(pathlib.Path(sys.argv[1], 'not', 'yet')))))"
    )
    check = own_mounts.output(own_mounts.run(code, tmp_path, mounts={tmp_path: "noexec"}))
    assert not check["ok"]
    assert check["detail"].startswith(f"{tmp_path}/not/yet is on a file system mounted noexec")
    assert check["remedy"].startswith(f"Type: sudo mount -o remount,exec {tmp_path}, or")


@pytest.mark.parametrize(("name", "bad"), [("Jürgen", ""), ("a:b", ":"), ("🌡️", "🌡")])
def test_a_cache_that_java_cannot_load_classes_from_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, bad: str
) -> None:
    monkeypatch.setenv("PAAI_CACHE_DIR", str(tmp_path / name))
    check = preflight.check_jars()
    assert check.ok is not bool(bad)
    if bad:
        assert check.detail == f"{tmp_path / name} cannot be in a class path: its name contains {bad!r}"
        assert "PAAI_CACHE_DIR" in check.remedy


def test_an_environment_that_java_cannot_load_classes_from_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.prefix", "/home/🌡/paai/.venv")
    assert "Move this project" in preflight.check_java().remedy
