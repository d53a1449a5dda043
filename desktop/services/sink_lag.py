"""How far Connect's sink is behind the topic: its group's committed offsets against the topic's ends."""

import threading
import time
from collections import deque
from collections.abc import Callable

from confluent_kafka import Consumer, KafkaException, TopicPartition

from backend.contract.names import SINK_GROUP, TOPIC_MESSAGES
from desktop.model.progress import SinkProgress
from desktop.services.kafka_feed import KafkaLogin

_TIMEOUT_S = 3.0
POLL_S = 2.0
#: Connect commits every few seconds; a slope over less would jump.
_OVER_S = 30.0
#: Without a commit for so long while the topic grows, nothing is being stored. Twice Connect's ``offset.flush.interval.ms``.
_STILL_S = 20.0


class SlopeMeter:
    """Turns (time, committed, end) into rates over the last `_OVER_S` seconds.

    Committed offsets move in steps, so the rates are taken from one commit to another, never from the middle of a step.
    """

    def __init__(self) -> None:
        self._commits: deque[tuple[float, int, int]] = deque()
        self._last: tuple[float, int, int] | None = None

    def add(self, now: float, committed: int, end: int) -> SinkProgress:
        """What is known as of now."""
        last = self._last
        if last is not None and (committed < last[1] or end < last[2]):
            self._commits.clear()  # the topic or the group began anew
            last = None
        self._last = (now, committed, end)
        if last is None or committed != last[1] or end == committed:
            self._commits.append(self._last)
        while len(self._commits) > 2 and self._commits[1][0] < now - _OVER_S:
            self._commits.popleft()
        lag = max(0, end - committed)
        first, newest = self._commits[0], self._commits[-1]
        if now - newest[0] >= _STILL_S:
            newest = self._last
        took = newest[0] - first[0]
        if took < _OVER_S / 3:
            return SinkProgress(at=now, lag=lag)
        stored, produced = (newest[1] - first[1]) / took, (newest[2] - first[2]) / took
        return SinkProgress(now, lag, stored, produced, produced - stored)


class SinkLag:
    """Looks every two seconds. Its consumer belongs to the thread in `run`; it joins no group and commits nothing."""

    def __init__(self, *, login: KafkaLogin, topic: str = TOPIC_MESSAGES, clock: Callable[[], float] = time.time) -> None:
        self._login, self._topic, self._clock = login, topic, clock
        self._progress = SinkProgress()
        self._committed: dict[int, int] = {}

    @property
    def committed(self) -> dict[int, int]:
        """Committed offset of each partition, as last looked at; any thread."""
        return self._committed

    @property
    def progress(self) -> SinkProgress:
        """As last looked at; any thread."""
        return self._progress

    def run(self, stop: threading.Event) -> None:
        """Look until `stop` is set."""
        meter = SlopeMeter()
        # Naming the group without subscribing reads its offsets and does not join it.
        consumer = Consumer(self._login.config() | {"group.id": SINK_GROUP, "enable.auto.commit": False, "log_level": 2})
        try:
            while not stop.wait(POLL_S):
                try:
                    positions = self._positions(consumer)
                except KafkaException:
                    continue  # the feed tells that Kafka does not answer; the old figure keeps its age
                if positions is not None:
                    self._progress = meter.add(self._clock(), *positions)
        finally:
            consumer.close()

    def _positions(self, consumer: Consumer) -> tuple[int, int] | None:
        """Committed and end, summed over all partitions; None while there is no topic."""
        topic = consumer.list_topics(self._topic, timeout=_TIMEOUT_S).topics.get(self._topic)
        if topic is None or topic.error is not None:
            return None
        partitions = [TopicPartition(self._topic, p) for p in topic.partitions]
        committed = end = 0
        by_partition = {}
        for found in consumer.committed(partitions, timeout=_TIMEOUT_S):
            low, high = consumer.get_watermark_offsets(found, timeout=_TIMEOUT_S, cached=False)
            committed += max(found.offset, low)
            end += high
            by_partition[found.partition] = found.offset
        self._committed = by_partition
        return committed, end
