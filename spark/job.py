"""The life of a streaming job: wait for the topic, check the checkpoint, run the query, begin again when it fails."""

import threading
import time
from abc import ABC, abstractmethod
from typing import Final

from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from backend.contract import names
from spark.checkpoint import TopicReader, TopicUnavailableError, check, read_position, remember_topic
from spark.failure import quietly
from spark.settings import JobSettings
from spark.state_file import StateFile

#: How often a running job looks whether the topic is still the one it reads.
TOPIC_CHECK_S: Final = 10.0


class StreamingJob(ABC):
    """See the module. A job says how its query is run, and what its failure means to people."""

    def __init__(
        self, *, service: str, session: SparkSession, settings: JobSettings, state: StateFile, stop: threading.Event
    ) -> None:
        self._service, self._session, self._state, self._stop = service, session, state, stop
        self._topic_wait_s, self._checkpoint_dir = settings.topic_wait_s, settings.checkpoint_dir
        self._topic = TopicReader(bootstrap=settings.kafka_bootstrap, topic=names.TOPIC_MESSAGES)

    def run(self) -> None:
        """Until stopped.

        Raises:
            ResetNeededError: the checkpoint does not belong to the topic any more.
            TopicUnavailableError: the topic did not appear in time.
        """
        failures = 0
        while not self._stop.is_set():
            self._wait_for_topic()
            if self._stop.is_set():
                return
            began = time.monotonic()
            try:
                self._run_query()
            except StreamingQueryException as error:
                failures = 1 if time.monotonic() - began > 120 else failures + 1
                self._explain(error, failures)
                self._stop.wait(min(30.0, 2.0**failures))

    @abstractmethod
    def _start(self) -> StreamingQuery:
        """Begin the query."""

    def _note(self) -> str:
        """What to say while all is well; may be empty."""
        return ""

    @abstractmethod
    def _explain(self, error: StreamingQueryException, failures: int) -> None:
        """Say in the state file why the query ended; it is begun again after a pause."""

    def _run_query(self) -> None:
        """Until it ends or the job is stopped."""
        query = self._start()
        well, checked = True, time.monotonic()
        self._state.say(ok=True, message=self._note())
        try:
            while not self._stop.is_set():
                if query.awaitTermination(1):
                    return
                if time.monotonic() - checked > TOPIC_CHECK_S:
                    checked = time.monotonic()
                    well = self._topic_is_well()
                if well:
                    self._state.say(ok=True, message=self._note())
        finally:
            quietly(query.stop)

    def _topic_is_well(self) -> bool:
        try:
            self._check_topic()
        except TopicUnavailableError as error:
            self._state.say(ok=False, message=f"Kafka does not answer Spark: {error}")
            return False
        return True

    def _wait_for_topic(self) -> None:
        deadline = time.monotonic() + self._topic_wait_s
        while not self._stop.is_set():
            try:
                self._check_topic()
            except TopicUnavailableError as error:
                if time.monotonic() > deadline:
                    raise
                self._state.say(ok=False, message=f"waits for the Kafka topic {names.TOPIC_MESSAGES}: {error}")
                self._stop.wait(0.5)
            else:
                return

    def _check_topic(self) -> None:
        topic = self._topic.read()
        position = read_position(self._checkpoint_dir, names.TOPIC_MESSAGES)
        check(position, topic, name=names.TOPIC_MESSAGES, service=self._service)
        if position is None or not position.topic_id:
            remember_topic(self._checkpoint_dir, topic.topic_id)
