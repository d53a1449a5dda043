"""What Docker's client says becomes a sentence with a remedy."""

import pytest

from stack.errors import EngineError, EngineTimeoutError, EngineUnreachableError, NotASwarmError, NotRunningError, StackError
from stack.swarm.trouble import translate


@pytest.mark.parametrize(
    ("stderr", "kind", "what", "remedy"),
    [
        (
            ("Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: "
            "Get http://%2Fvar%2Frun%2Fdocker.sock/v1.24/info: dial unix /var/run/docker.sock: connect: permission denied"),
            EngineUnreachableError, "This user may not use Docker", "usermod -aG docker",
        ),
        (
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
            EngineUnreachableError, "cannot be reached", "systemctl start docker",
        ),
        (
            "error during connect: Get https://10.0.0.7:2376/v1.41/info: dial tcp 10.0.0.7:2376: i/o timeout",
            EngineUnreachableError, "cannot be reached", "DOCKER_HOST",
        ),
        ('context "office" does not exist', EngineUnreachableError, "no such Docker context", "docker context ls"),
        (
            ('Error response from daemon: This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to '
            "connect this node to swarm and try again."),
            NotASwarmError, "not in swarm mode", "docker swarm init",
        ),
        (
            ("Error response from daemon: This node is not a swarm manager. Worker nodes can't be used to view or modify "
            "cluster state. Please run this command on a manager node or promote the current node to a manager."),
            NotASwarmError, "is a worker", "docker node promote",
        ),
        (
            "Error response from daemon: Swarm is encrypted and needs to be unlocked before it can be used.",
            NotASwarmError, "locked", "docker swarm unlock",
        ),
        ("no such task or service: paai_broker", NotRunningError, "does not run", ""),
        ("write /data/x: no space left on device", EngineError, "could not build", "docker system prune"),
        (
            ('Error response from daemon: Get "https://registry.example/v2/": dial tcp: lookup registry.example: '
            "no such host"),
            EngineError, "could not build", "",
        ),
        ("Error response from daemon: network paai_paai not found", EngineError, "could not build", ""),
    ],
)  # fmt: skip
def test_words(stderr: str, kind: type[StackError], what: str, remedy: str) -> None:
    error = translate("build", 1, stderr, timeout_s=20)
    assert type(error) is kind
    assert what in error.what
    assert remedy in error.remedy
    assert not error.why.startswith("Error response")


@pytest.mark.parametrize("code", [124, 137])
def test_a_command_that_was_ended_for_its_time(code: int) -> None:
    error = translate("list tasks", code, "", timeout_s=20)
    assert type(error) is EngineTimeoutError
    assert "did not list tasks within 20 s" in str(error)


def test_a_long_answer_is_cut() -> None:
    assert len(str(translate("build", 1, "x" * 100_000, timeout_s=20))) < 700
