"""The life of a streaming job: wait for the topic, check the checkpoint, run the query, begin again when it fails."""

import logging
import threading
import time
from abc import ABC, abstractmethod
from typing import Final

from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from backend.contract import names
from spark.checkpoint import (
    DamagedCheckpointError,
    Position,
    TopicRange,
    TopicReader,
    TopicUnavailableError,
    check,
    read_position,
    remember_topic,
    set_aside_unfinished,
)
from spark.failure import is_checkpoint_damage, quietly, reason
from spark.settings import JobSettings
from spark.state_file import StateFile
from spark.waiting import WaitWatch

#: How often a running job looks whether the topic is still the one it reads.
TOPIC_CHECK_S: Final = 10.0
#: So many failures in a row because of a file of the checkpoint are no coincidence.
_DAMAGED_AFTER: Final = 3

log = logging.getLogger("spark")


class NoModelError(Exception):
    """There is nothing to score with any more."""


class StreamingJob(ABC):
    """See the module. A job says how its query is run, and what its failure means to people."""

    def __init__(
        self, *, service: str, session: SparkSession, settings: JobSettings, state: StateFile, stop: threading.Event
    ) -> None:
        self._service, self._session, self._state, self._stop = service, session, state, stop
        self._topic_wait_s, self._checkpoint_dir = settings.topic_wait_s, settings.checkpoint_dir
        self._waiting = WaitWatch()
        self._topic = TopicReader(bootstrap=settings.kafka_bootstrap, topic=names.TOPIC_MESSAGES)

    def run(self) -> None:
        """Until stopped.

        Raises:
            ResetNeededError: the checkpoint does not belong to the topic any more.
            TopicUnavailableError: the topic did not appear in time.
        """
        failures = 0
        if done := set_aside_unfinished(self._checkpoint_dir):
            log.warning("%s", done)
        while not self._stop.is_set():
            self._wait_for_topic()
            if self._stop.is_set():
                return
            began = time.monotonic()
            try:
                self._run_query()
            except StreamingQueryException as error:
                failures = 1 if time.monotonic() - began > 120 else failures + 1
                if failures >= _DAMAGED_AFTER and is_checkpoint_damage(error):
                    raise DamagedCheckpointError(f"A file of the checkpoint is damaged: {reason(error)}.") from error
                self._explain(error, failures)
                self._stop.wait(min(30.0, 2.0**failures))

    @abstractmethod
    def _start(self) -> StreamingQuery:
        """Begin the query."""

    def _prepare(self) -> None:  # noqa: B027  # a job may need none
        """Called before the query begins, until it raises no `TopicUnavailableError`."""

    def _while_running(self) -> None:  # noqa: B027
        """Called about once a second while the query runs."""

    def _note(self) -> str:
        """What to say while all is well; may be empty. Asked every second.

        Raises:
            NoModelError: the job has nothing to do any more.
        """
        return ""

    @abstractmethod
    def _explain(self, error: StreamingQueryException, failures: int) -> None:
        """Say in the state file why the query ended; it is begun again after a pause."""

    def _run_query(self) -> None:
        """Until it ends or the job is stopped."""
        query = self._start()
        well, checked = self._topic_is_well(), time.monotonic()
        if well:
            self._state.say(ok=True, message=self._note())
        try:
            while not self._stop.is_set():
                if query.awaitTermination(1):
                    return
                self._while_running()
                if time.monotonic() - checked > TOPIC_CHECK_S:
                    checked = time.monotonic()
                    well = self._topic_is_well()
                if well:
                    self._state.say(ok=True, message=self._note())
        finally:
            quietly(query.stop)

    def _topic_is_well(self) -> bool:
        try:
            waits = self._waiting.look(*self._check_topic())
        except TopicUnavailableError as error:
            self._state.say(ok=False, message=f"Kafka does not answer Spark: {error}")
            return False
        if waits:
            self._state.say(ok=False, message=waits)
        return not waits

    def _wait_for_topic(self) -> None:
        deadline = time.monotonic() + self._topic_wait_s
        while not self._stop.is_set():
            try:
                self._check_topic()
                self._prepare()
            except TopicUnavailableError as error:
                if time.monotonic() > deadline:
                    raise
                self._state.say(ok=False, message=f"waits for the Kafka topic {names.TOPIC_MESSAGES}: {error}")
                self._stop.wait(0.5)
            else:
                return

    def _check_topic(self) -> tuple[Position | None, TopicRange]:
        topic = self._topic.read()
        position = read_position(self._checkpoint_dir, names.TOPIC_MESSAGES)
        check(position, topic, name=names.TOPIC_MESSAGES)
        if position is None or not position.topic_id:
            remember_topic(self._checkpoint_dir, topic.topic_id)
        return position, topic
