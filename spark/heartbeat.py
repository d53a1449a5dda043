"""The last windows of a stream that stops: once no reading came for a while, a heartbeat makes the open windows leave.

Windows leave when newer readings move the watermark past their end; without readings they would stay. A heartbeat is a record
without content on an internal topic that the same query reads. It moves no watermark: the windows leave as they are and stay
open, so that nothing becomes late by it (see WindowFunction.java).
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from confluent_kafka import KafkaException, Producer

from backend.contract import names
from spark.checkpoint import TopicUnavailableError
from spark.transform import OBSERVED_INPUT

#: No reading for so long, in seconds: the stream has stopped.
SILENT_S: Final = 5.0
_SEND_S: Final = 5.0

log = logging.getLogger("spark-job")


class Heartbeat:
    """Decides when a heartbeat is due: one for each silence, and one after a start.

    `note` is called from Spark's listener thread, `look` from the job's.
    """

    def __init__(
        self, send: Callable[[], None], *, silent_s: float = SILENT_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Args:
        send: Publish a heartbeat; returns once it is stored, raises `TopicUnavailableError` where it is not.
        """
        self._send, self._silent_s, self._clock = send, silent_s, clock
        self._lock = threading.Lock()
        self._newest, self._due = clock(), True

    def note(self, progress: Mapping[str, Any]) -> None:
        """Take in one batch: Spark's StreamingQueryProgress as decoded JSON."""
        rows = (progress.get("observedMetrics", {}).get(OBSERVED_INPUT) or {}).get("rows")
        if rows:
            began = self._clock() - float(progress.get("durationMs", {}).get("triggerExecution", 0)) / 1000
            with self._lock:
                self._newest, self._due = began, True

    def look(self, all_read: Callable[[], bool]) -> None:
        """Send a heartbeat if one is due.

        Args:
            all_read: Asked only after a silence: whether Kafka holds nothing unread, also nothing of an open transaction. May
                raise `TopicUnavailableError`.
        """
        with self._lock:
            newest = self._newest
            if not self._due or self._clock() - newest < self._silent_s:
                return
        try:
            if not all_read():
                return
            self._send()
        except TopicUnavailableError as error:
            log.debug("no heartbeat: %s", error)
            return
        with self._lock:
            self._due = self._newest != newest


class HeartbeatSender:
    """Publishes heartbeats."""

    def __init__(self, *, bootstrap: str) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "client.id": "spark-job",
                "log_level": 0,
                "acks": "all",
                "message.timeout.ms": int(_SEND_S * 1000),
                "linger.ms": 0,
            }
        )

    def __call__(self) -> None:
        """Publish one.

        Raises:
            TopicUnavailableError: Kafka did not acknowledge it.
        """
        problems: list[str] = ["no answer in time"]

        def on_delivery(error: object, _message: object) -> None:
            problems[:] = [] if error is None else [str(error)]

        try:
            self._producer.produce(names.TOPIC_HEARTBEATS, b"", on_delivery=on_delivery)
            self._producer.flush(_SEND_S + 1)
        except (BufferError, KafkaException) as error:
            raise TopicUnavailableError(str(error)) from error
        if problems:
            raise TopicUnavailableError(problems[0])
