"""Scaling and updating paai under load fails no request; a bad update ends with the old version serving."""

from collections.abc import Iterator

import pytest

from stack.errors import StepFailedError
from tests.swarm.load import Load
from tests.swarm.system import LiveSwarm

_IMAGE, _KEPT = "paai-services:latest", "paai-services:good"

#: paai's module, and instead of it a server that answers 500 to everything. The generator and the operator are as they were.
_BROKEN = """FROM paai-services:good
USER root
RUN printf '%s\\n' 'from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer' \\
 'class Broken(BaseHTTPRequestHandler):' \\
 '    def do_GET(self) -> None: self.send_error(500)' \\
 '    do_POST = do_GET' \\
 'ThreadingHTTPServer(("0.0.0.0", 8000), Broken).serve_forever()' > /opt/paai/app/backend/paai/__main__.py
USER paai
"""


def test_scale_up_and_down_under_load(swarm: LiveSwarm) -> None:
    with Load(swarm.endpoints, "scale-") as load:
        load.wait_for(200)
        for number in (5, 3):
            for _ in swarm.target.scale("paai", number):
                pass
            assert len(swarm.containers("paai")) == number
            load.wait_for(200)
    assert load.failures == []
    with swarm.database() as database:
        load.stored_exactly_once(database)


def test_a_rolling_update_under_load(swarm: LiveSwarm) -> None:
    former = set(swarm.containers("paai"))
    with Load(swarm.endpoints, "update-") as load:
        load.wait_for(100)
        for _ in swarm.target.restart("paai"):
            pass
        load.wait_for(100)
    assert load.failures == []
    now = set(swarm.containers("paai"))
    assert len(now) == 3
    assert not now & former
    with swarm.database() as database:
        load.stored_exactly_once(database)


@pytest.fixture
def broken_image(swarm: LiveSwarm) -> Iterator[str]:
    """The services' image has a paai that answers 500; what there was comes back afterwards, and is deployed again."""
    good = _id_of(swarm, _IMAGE)
    swarm.docker("tag", _IMAGE, _KEPT)
    try:
        swarm.docker("build", "--tag", _IMAGE, "-", stdin=_BROKEN, timeout_s=300)
        yield good
    finally:
        swarm.docker("tag", _KEPT, _IMAGE)
        swarm.docker("rmi", _KEPT)
        for _ in swarm.target.up():
            pass


def test_an_update_that_answers_500_ends_with_the_old_version_serving(swarm: LiveSwarm, broken_image: str) -> None:
    with Load(swarm.endpoints, "bad-") as load:
        load.wait_for(100)
        with pytest.raises(StepFailedError) as caught:
            list(swarm.target.up())
        load.wait_for(100)
    assert caught.value.service == "paai"
    assert "rolled back" in caught.value.why
    assert "The former version serves on." in caught.value.why
    # A replica that was never healthy is never asked.
    assert load.failures == []
    row = swarm.rows()["paai"]
    assert (row.healthy, row.rolled_back) == (True, True)
    assert row.update.startswith("rolled back")
    running = [task for task in swarm.target.history("paai") if task.state == "running"]
    assert {task.image for task in running} == {broken_image}
    assert len(running) == 3
    with swarm.database() as database:
        load.stored_exactly_once(database)


def _id_of(swarm: LiveSwarm, image: str) -> str:
    return swarm.docker("image", "inspect", "--format", "{{.Id}}", image).strip()
