"""When a heartbeat is sent."""

from typing import Any

import pytest

from spark.checkpoint import TopicUnavailableError
from spark.heartbeat import Heartbeat


class Job:
    """A heartbeat with a clock, a topic and a broker of its own."""

    def __init__(self) -> None:
        self.now, self.sent, self.asked = 100.0, 0, 0
        self.all_read = self.broker_is_up = True
        self.heartbeat = Heartbeat(self._send, silent_s=5.0, clock=lambda: self.now)

    def _send(self) -> None:
        if not self.broker_is_up:
            raise TopicUnavailableError("down")
        self.sent += 1

    def batch(self, rows: int, *, took_ms: int = 400) -> None:
        progress: dict[str, Any] = {"durationMs": {"triggerExecution": took_ms}, "observedMetrics": {"input": {"rows": rows}}}
        self.heartbeat.note(progress)

    def look(self, after_s: float) -> int:
        def all_read() -> bool:
            self.asked += 1
            return self.all_read

        self.now += after_s
        self.heartbeat.look(all_read)
        return self.sent


@pytest.fixture
def job() -> Job:
    return Job()


def test_one_is_sent_for_each_silence(job: Job) -> None:
    job.batch(48)
    assert [job.look(4.0), job.look(0.7), job.look(1.0), job.look(60.0)] == [0, 1, 1, 1]
    job.batch(0)  # the heartbeat's own batch
    assert job.look(60.0) == 1
    job.batch(3)
    assert job.look(6.0) == 2


def test_kafka_is_asked_only_after_a_silence(job: Job) -> None:
    for _ in range(20):
        job.batch(48)
        job.look(1.0)
    assert (job.asked, job.sent) == (0, 0)


def test_none_is_sent_while_readings_are_unread(job: Job) -> None:
    """A backlog, or a job that was restarted."""
    job.all_read = False
    assert job.look(600.0) == 0
    job.all_read = True
    assert job.look(1.0) == 1


def test_one_that_was_not_stored_is_sent_again(job: Job) -> None:
    job.broker_is_up = False
    assert job.look(6.0) == 0
    job.broker_is_up = True
    assert job.look(1.0) == 1
