"""The command line: options before and after the command, exit codes, and what programs may rely on."""

import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stack.catalogue import SERVICES
from stack.cli import run as cli
from stack.cli.arguments import parse
from stack.cli.logs import lines_of
from stack.errors import NotRunningError, PortInUseError, UnknownServiceError
from stack.target import LogLine
from tests.helpers.fake_target import FakeTarget


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> FakeTarget:
    """The target that every command gets."""
    fake = FakeTarget(up=True)
    monkeypatch.setattr(cli, "target_of", lambda *_, **__: fake)
    return fake


def run(*arguments: str) -> int:
    return cli.run(parse(arguments))


def test_options_stand_before_and_after_the_command() -> None:
    for arguments in (
        ["--port-offset", "3000", "--data-dir", "x", "--target", "local", "--json", "status"],
        ["status", "--port-offset", "3000", "--data-dir", "x", "--target", "local", "--json"],
        ["--port-offset", "3000", "--json", "status", "--data-dir", "x", "--target", "local"],
    ):
        options = parse(arguments)
        assert (options.port_offset, options.data_dir, options.target, options.json) == (3000, Path("x"), "local", True)


def test_defaults() -> None:
    options = parse(["logs", "broker"])
    assert (options.port_offset, options.data_dir, options.target, options.json) == (None, None, "auto", False)
    assert (options.lines, options.follow) == (200, False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["fly"], "invalid choice: 'fly'"),
        (["up", "--port-offset", "-1"], "outside 0 … 38518"),
        (["up", "--port-offset", "38519"], "outside 0 … 38518"),
        (["up", "--port-offset", "x"], "'x' is not a whole number"),
        (["logs", "kafka"], "invalid choice: 'kafka'"),
        (["scale", "paai", "many"], "'many' is not a whole number"),
        (["up", "--target", "moon"], "invalid choice: 'moon'"),
    ],
)
def test_senseless_arguments_exit_with_2(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(arguments)
    assert caught.value.code == 2
    assert words in capsys.readouterr().err


def test_status_for_programs(target: FakeTarget, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("status", "--json") == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert [row["service"] for row in rows] == [service.name for service in SERVICES]
    assert {"service", "wanted", "running", "healthy", "restarts", "message"} <= set(rows[0])


def test_status_into_a_pipe_is_a_line_a_service(target: FakeTarget, capsys: pytest.CaptureFixture[str]) -> None:
    message = "The job cannot go on from its checkpoint, since the topic was wiped. " * 3
    target.services[7] = replace(target.services[7], healthy=False, message=message)
    assert run("status") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(SERVICES)
    assert message.strip() in lines[8]


def test_endpoints_for_programs(target: FakeTarget, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("endpoints", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {
        "paai", "generator", "predictor", "kafka", "mongo", "connect", "spark_ui", "admin_token", "token", "kafka_user",
        "kafka_password", "web_user", "web_password",
    }  # fmt: skip


def test_up_for_programs_is_a_step_a_line(target: FakeTarget, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", "up") == 0
    steps = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [step["key"] for step in steps if step["state"] == "done"] == [service.name for service in SERVICES]
    assert {"key", "title", "state", "detail", "elapsed_s", "service", "progress", "index", "total"} == set(steps[0])


def test_up_for_people_without_a_terminal(target: FakeTarget, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("up") == 0
    out = capsys.readouterr().out
    assert "✓ Kafka broker: answers" in out
    assert "\x1b" not in out  # no colours into a pipe
    assert "no mongod on PATH" in out
    assert "http://127.0.0.1:15000" in out


def test_up_shows_addresses_and_no_credentials(
    target: FakeTarget, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = replace(
        target.endpoints(), mongo="mongodb://u:s3cret@h:1/?x=y", token="s3cret", kafka_password="s3cret", web_password="s3cret"
    )
    monkeypatch.setattr(target, "endpoints", lambda: secret)
    assert run("up") == 0
    out = capsys.readouterr().out
    assert "mongodb://h:1/?x=y" in out
    assert "s3cret" not in out
    assert run("endpoints") == 0
    assert capsys.readouterr().out.count("s3cret") == 4


def test_a_failed_step_exits_with_1_and_says_what_to_do(target: FakeTarget, capsys: pytest.CaptureFixture[str]) -> None:
    target.fail_step = "broker"
    assert run("up") == 1
    captured = capsys.readouterr()
    assert "✗ Kafka broker" in captured.out
    assert "End the other system" in captured.err
    assert "Traceback" not in captured.err + captured.out


@pytest.mark.parametrize(
    ("error", "code"),
    [(PortInUseError(8000, "nginx (process 7)", service="paai"), 2), (NotRunningError("It does not run."), 1)],
)
def test_exit_codes(target: FakeTarget, error: Exception, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    target.error = error  # type: ignore[assignment]
    assert run("status") == code
    assert str(error) in capsys.readouterr().err


def test_errors_for_programs_leave_stdout_clean(target: FakeTarget, capsys: pytest.CaptureFixture[str]) -> None:
    target.error = NotRunningError("It does not run.")
    assert run("status", "--json") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["error"].startswith("It does not run.")


def test_logs(target: FakeTarget, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("logs", "broker", "-n", "2") == 0
    assert capsys.readouterr().out.splitlines() == [
        "2026-11-24T05:30:58.123Z INFO broker: line 58",
        "2026-11-24T05:30:59.123Z INFO broker: line 59",
    ]


def test_logs_of_several_services_are_merged_by_their_times(target: FakeTarget, capsys: pytest.CaptureFixture[str]) -> None:
    target.written["broker"] += ["2026-11-24T06:00:01.000Z one", "  its second line"]
    target.written["paai"] += ["2026-11-24T06:00:00.000Z two", "2026-11-24T06:00:02.000Z three"]
    assert run("logs", "broker", "paai", "-n", "2") == 0
    assert capsys.readouterr().out.splitlines() == [
        "paai   | 2026-11-24T06:00:00.000Z two",
        "broker | 2026-11-24T06:00:01.000Z one",
        "broker |   its second line",
        "paai   | 2026-11-24T06:00:02.000Z three",
    ]


def test_logs_of_all_services(target: FakeTarget, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("logs", "-n", "1", "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["service"] for line in lines} == {service.name for service in SERVICES}


def test_several_logs_are_followed_until_one_fails(target: FakeTarget) -> None:
    stop = threading.Event()
    lines = lines_of(target, ["broker", "paai"], lines=1, follow=stop)
    assert {next(lines).service, next(lines).service} == {"broker", "paai"}
    for service in ("paai", "broker"):
        target.write(service, "new")
        assert next(lines) == LogLine(service, 0, "new")
    stop.set()
    assert list(lines) == []

    with pytest.raises(UnknownServiceError, match="nobody"):
        list(lines_of(target, ["broker", "nobody"], lines=1, follow=threading.Event()))


def test_scale_restart_down(target: FakeTarget) -> None:
    assert run("scale", "paai", "5") == run("restart", "broker") == run("down") == 0
    assert target.calls == ["scale paai 5", "restart broker", "down"]


def test_what_only_a_swarm_can_do_is_said(target: FakeTarget, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rotate", "token") == 2
    assert "no such command" in capsys.readouterr().err
    assert run("build", "--base", "debian:12") == 2
    assert "--target swarm" in capsys.readouterr().err


def test_doctor_exits_with_2_when_something_is_missing(target: FakeTarget, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("doctor") == 0
    target.checks[1] = type(target.checks[1])("Java", False, "None is installed.", "Type: sudo apt-get install …")
    assert run("doctor") == 2
    assert "Type: sudo apt-get install …" in capsys.readouterr().out


def test_what_is_built_and_what_not_is_said(
    target: FakeTarget, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("stack.local.build.build", lambda **_: iter(()))
    assert run("build") == 0
    assert "Images for the Swarm stack are built where Docker's engine is in swarm mode" in " ".join(
        capsys.readouterr().out.split()
    )


def test_a_python_without_the_packages_is_told_what_to_do() -> None:
    """`python3 -m stack` on a fresh clone, instead of that of the environment."""
    root = Path(__file__).parents[3]
    answer = subprocess.run(
        [sys.executable, "-S", "-m", "stack", "doctor"], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 1
    assert "lacks the package" in answer.stderr
    assert "make setup" in answer.stderr
    assert "Traceback" not in answer.stderr
