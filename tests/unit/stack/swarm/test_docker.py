"""The real client wrapper, on a script in place of Docker's client."""

import threading
import time
from pathlib import Path

import pytest

from stack.errors import EngineError, EngineTimeoutError, EngineUnreachableError
from stack.swarm.docker import DockerEngine
from stack.swarm.state import StackState
from stack.swarm.stream import to_bytes
from tests.helpers.wait import wait_until


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that becomes `docker`; its arguments go to ``args`` beside it, its input to ``stdin``."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    return folder / "docker"


def write(script: Path, body: str) -> DockerEngine:
    script.write_text(f'#!/bin/sh\necho "$@" >> {script.parent}/args\n{body}\n')
    script.chmod(0o755)
    return DockerEngine(timeout_s=1)


def arguments(script: Path) -> str:
    return (script.parent / "args").read_text()


def test_without_a_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineUnreachableError, match="--target local"):
        DockerEngine()


def test_a_client_that_hangs_is_ended(script: Path) -> None:
    engine = write(script, "exec sleep 60")
    began = time.monotonic()
    with pytest.raises(EngineTimeoutError, match="did not answer within 1 s"):
        engine.info()
    assert time.monotonic() - began < 10


def test_what_the_client_says_becomes_a_sentence(script: Path) -> None:
    engine = write(script, "echo 'Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?' >&2; exit 1")
    with pytest.raises(EngineUnreachableError, match="systemctl start docker"):
        engine.state("paai")
    with pytest.raises(EngineUnreachableError):
        engine.image("x")


def test_an_older_client_reports_it_in_its_answer(script: Path) -> None:
    engine = write(script, """echo '{"ServerErrors": ["Cannot connect to the Docker daemon at unix:///x."]}'""")
    with pytest.raises(EngineUnreachableError):
        engine.info()


def test_an_answer_that_is_no_json(script: Path) -> None:
    with pytest.raises(EngineError, match="not understood"):
        write(script, "echo hello").info()


def test_a_secret_is_in_no_command_line_and_no_exception(script: Path) -> None:
    engine = write(script, f"cat > {script.parent}/stdin")
    engine.create_secret("paai_token_v1", "s3cret", {"a": "b"})
    assert (script.parent / "stdin").read_text() == "s3cret"
    assert arguments(script).strip() == "secret create --label a=b paai_token_v1 -"
    engine = write(script, "cat > /dev/null; echo 'it exists' >&2; exit 1")
    with pytest.raises(EngineError) as caught:
        engine.create_secret("paai_token_v1", "s3cret", {})
    assert "s3cret" not in f"{caught.value!r} {caught.value.__cause__}"


def test_a_service_that_goes_away_between_two_calls_is_gone(script: Path) -> None:
    body = 'case "$1 $2" in "service ls") echo abc ;; *) echo "Error: no such service: abc" >&2; exit 1 ;; esac'
    assert write(script, body).state("paai") == StackState()


def test_a_task_that_is_forgotten_between_two_calls_takes_no_other_with_it(script: Path) -> None:
    task = '{"ID": "t1", "ServiceID": "s1", "CreatedAt": "2026-11-24T10:00:01.1Z", "Spec": {}, "Status": {"State": "running"}}'
    service = '{"ID": "s1", "Spec": {"Name": "paai_x", "TaskTemplate": {}, "Mode": {"Global": {}}}}'
    body = f"""case "$1 $2" in
"service ls") echo s1 ;;
"service inspect") echo '[{service}]' ;;
"service ps") echo t1; echo t2 ;;
*) echo '[{task}]'; echo 'Error response from daemon: task t2 not found' >&2; exit 1 ;;
esac"""
    state = write(script, body).state("paai")
    assert [(found.id, found.state) for found in state.tasks] == [("t1", "running")]
    assert state.services[0].name == "x"


def test_secrets_that_were_made_by_hand_are_seen(script: Path) -> None:
    body = """case "$2" in
ls) echo paai_token_v1; echo paai_other; echo paai-5_token_v1 ;;
*) echo '[{"Spec": {"Name": "paai_token_v1"}}]' ;;
esac"""
    (found,) = write(script, body).secrets("paai")
    assert (found.name, found.labels) == ("paai_token_v1", {})
    assert arguments(script).splitlines()[-1] == "secret inspect paai_token_v1"


def test_an_image_that_is_not_there(script: Path) -> None:
    assert write(script, "echo '[]'; echo 'Error: No such image: x' >&2; exit 1").image("x") is None


@pytest.mark.parametrize(
    ("address", "host", "local"),
    [
        ("unix:///var/run/docker.sock", "127.0.0.1", True),
        ("tcp://10.0.0.7:2376", "10.0.0.7", False),
        ("ssh://me@box.example", "box.example", False),
        ("tcp://[fd00::7]:2376", "fd00::7", False),
    ],
)
def test_endpoints_follow_the_engines_address(
    script: Path, monkeypatch: pytest.MonkeyPatch, address: str, host: str, local: bool
) -> None:
    engine = write(script, f"""echo '[{{"Endpoints": {{"docker": {{"Host": "{address}"}}}}}}]'""")
    assert (engine.host, engine.is_local) == (host, local)
    assert arguments(script).strip() == "context inspect"
    monkeypatch.setenv("DOCKER_HOST", address)
    assert DockerEngine().host == host


def test_a_context_is_handed_on(script: Path) -> None:
    write(script, "echo '{}'")
    DockerEngine(context="office").info()
    assert arguments(script).startswith("--context office info")
    assert DockerEngine(context="office").where == "Docker context office"


def test_logs_hold_what_went_to_stderr_too(script: Path) -> None:
    assert write(script, "echo one; echo two >&2").logs("paai_paai", lines=5) == ["one", "two"]


def test_following_ends_when_asked(script: Path) -> None:
    engine = write(script, "echo one; exec sleep 60")
    stop, seen = threading.Event(), list[str]()

    def follow() -> None:
        seen.extend(engine.follow_logs("paai_paai", lines=5, stop=stop))

    thread = threading.Thread(target=follow)
    lines = engine.follow_logs("paai_paai", lines=5, stop=threading.Event())
    assert next(lines) == "one"
    thread.start()
    wait_until(lambda: arguments(script).count("--follow") == 2, 10, "the second to have begun")
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_amounts_of_memory() -> None:
    assert [to_bytes(text) for text in ("512B", "1.5kB", "12.5MiB", "2GiB")] == [512, 1500, 13_107_200, 2 * 1024**3]
    with pytest.raises(ValueError, match="no amount"):
        to_bytes("--")


def test_output_of_health_checks_by_container(script: Path) -> None:
    engine = write(
        script,
        """cat <<'X'
c1 {"Status":"healthy","Log":[{"ExitCode":1,"Output":"waits"},{"ExitCode":0,"Output":"No model promoted\\n"}]}
c2 {"Status":"unhealthy","Log":[{"ExitCode":1,"Output":"waits for MongoDB\\n"}]}
c3 null
X
echo "Error: No such container: c4" >&2; exit 1""",
    )
    assert engine.check_outputs(["c1", "c2", "c3", "c4"]) == {"c1": "No model promoted", "c2": "", "c3": ""}
