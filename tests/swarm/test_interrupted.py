"""A deployment that was interrupted can be taken down or run again; data outlive both."""

import threading

import pytest

from backend.contract.names import COLLECTION_MESSAGES
from stack.errors import CancelledError
from tests.swarm.load import Load
from tests.swarm.system import LiveSwarm


def test_interrupted_taken_down_and_run_again(swarm: LiveSwarm) -> None:
    with Load(swarm.endpoints, "kept-") as load:
        load.wait_for(100)
    with swarm.database() as database:
        load.stored_exactly_once(database)
    for _ in swarm.target.down():
        pass
    interrupt_after(swarm, "deploy")
    assert swarm.target.is_up()
    for _ in swarm.target.down():
        pass
    assert swarm.docker("ps", "--all", "--quiet", "--filter", f"label=com.docker.stack.namespace={swarm.site.stack}") == ""
    interrupt_after(swarm, "zookeeper")
    for _ in swarm.target.up():
        pass
    with swarm.database() as database:
        assert database[COLLECTION_MESSAGES].count_documents({"device_id": {"$gte": "kept-", "$lt": "kept-~"}}) == len(
            load.acknowledged
        )


def interrupt_after(swarm: LiveSwarm, key: str) -> None:
    """`up`, cancelled once that step is done."""
    cancel = threading.Event()
    steps = swarm.target.up(cancel=cancel)
    next(step for step in steps if step.key == key and step.state == "done")
    cancel.set()
    with pytest.raises(CancelledError):
        for _ in steps:
            pass
