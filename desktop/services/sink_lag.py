"""How far Connect's sink is behind the topic: its group's committed offsets against the topic's ends."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from backend.contract.backlog import FINDER_CONFIG, Backlog, find_record
from backend.contract.names import DESKTOP_GROUP, SINK_GROUP, TOPIC_MESSAGES
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
    """Looks every two seconds. Its consumers belong to the thread in `run`; they join no group and commit nothing."""

    def __init__(
        self,
        *,
        login: KafkaLogin,
        topic: str = TOPIC_MESSAGES,
        clock: Callable[[], float] = time.time,
        make_consumer: Callable[[dict[str, Any]], Any] = Consumer,
        poll_s: float = POLL_S,
    ) -> None:
        """`make_consumer`: another client, for tests."""
        self._login, self._topic, self._clock = login, topic, clock
        self._make_consumer, self._poll_s = make_consumer, poll_s
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
        # Naming the group without subscribing reads its offsets and does not join it. Ends are those of committed records.
        config = self._login.config() | {"enable.auto.commit": False, "isolation.level": "read_committed", "log_level": 2}
        consumer = self._make_consumer(config | {"group.id": SINK_GROUP})
        finder = self._make_consumer({**self._login.config(), **FINDER_CONFIG, "group.id": DESKTOP_GROUP})
        backlog = Backlog(lambda partition, offset: find_record(finder, self._topic, partition, offset))
        try:
            while not stop.wait(self._poll_s):
                try:
                    positions = self._positions(consumer)
                    if positions is None:
                        continue
                    committed, ends = positions
                    lag = sum(backlog.count(committed, ends).values())
                except KafkaException:
                    continue  # the feed tells that Kafka does not answer; the old figure keeps its age
                end = sum(ends.values())
                self._progress = meter.add(self._clock(), end - lag, end)
        finally:
            finder.close()
            consumer.close()

    def _positions(self, consumer: Any) -> tuple[dict[int, int], dict[int, int]] | None:
        """Committed and end by partition; None while there is no topic."""
        topic = consumer.list_topics(self._topic, timeout=_TIMEOUT_S).topics.get(self._topic)
        if topic is None or topic.error is not None:
            return None
        partitions = [TopicPartition(self._topic, p) for p in topic.partitions]
        committed: dict[int, int] = {}
        reported: dict[int, int] = {}
        ends: dict[int, int] = {}
        for found in consumer.committed(partitions, timeout=_TIMEOUT_S):
            low, ends[found.partition] = consumer.get_watermark_offsets(found, timeout=_TIMEOUT_S, cached=False)
            committed[found.partition] = max(found.offset, low)
            reported[found.partition] = found.offset
        self._committed = reported
        return committed, ends
