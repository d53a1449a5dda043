"""RefusedFeeds: dead letters, rejected requests, and the comparison of the readers' counters with them. No Qt."""

import dataclasses
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from pymongo import MongoClient

from backend.contract.names import TOPIC_DEAD_LETTERS
from desktop.model.refused.compare import Comparison, Reader
from desktop.model.refused.letters import LetterStore, RefusedRecords
from desktop.model.refused.requests import RejectedRequests
from desktop.services.dead_letters import MAX_BACKFILL, SPAN_S, LetterSink
from desktop.services.errors import ServiceError
from desktop.services.kafka_feed import KafkaFeed, KafkaLogin
from desktop.services.mongo import Document
from desktop.services.refused import fetch_readers

POLL_S: Final = 3.0


class RequestSource(Protocol):
    """paai, as far as it is asked here."""

    def refusals(self) -> RejectedRequests: ...


class RefusedFeeds:
    """What was refused, kept up to date. Reading from it is quick and may happen on any thread.

    Args:
        login: Where Kafka is.
        paai: Who is asked for rejected requests.
        mongo: For the jobs' counters.
        window: Gives what this desktop's own reader refused; None while it cannot say.
        committed: Gives the sink's committed offsets by partition.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        *,
        login: KafkaLogin,
        paai: RequestSource,
        mongo: MongoClient[Document],
        window: Callable[[], Reader | None],
        committed: Callable[[], Mapping[int, int]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._paai, self._mongo, self._window, self._committed, self._clock = paai, mongo, window, committed, clock
        self._letters = LetterStore()
        self._sink = LetterSink(self._letters)
        self.feed = KafkaFeed(
            login=login,
            sink=self._sink,
            decode=self._sink.decode,
            topic=TOPIC_DEAD_LETTERS,
            span_s=SPAN_S,
            max_backfill=MAX_BACKFILL,
            clock=clock,
            on_recreated=self._letters.clear,
        )
        self._comparison = Comparison(self._letters)
        self._requests = RejectedRequests()
        self._wake = threading.Event()

    def refresh(self) -> None:
        """Ask paai now; any thread."""
        self._wake.set()

    def records(self) -> RefusedRecords:
        """Return the dead letters as known now."""
        state, held = self.feed.state, self.feed.records_held
        return RefusedRecords(
            total=-1 if held < 0 else max(0, held - self._letters.repeats),
            newest=self._letters.newest(),
            read=state.caught_up,
            trouble="" if state.answering else state.reason,
            topic_missing=state.topic_missing,
            version=self._letters.version,
        )

    def requests(self) -> RejectedRequests:
        """Return what paai said last."""
        return self._requests

    @property
    def difference(self) -> str:
        """A sentence for each reader whose counter differs from the dead letters."""
        return self._comparison.difference

    def run(self, stop: threading.Event) -> None:
        """Ask paai and the jobs until `stop` is set."""
        while not stop.is_set():
            try:
                self._requests = self._paai.refusals()
            except ServiceError as error:
                self._requests = dataclasses.replace(self._requests, trouble=str(error))
            self._compare()
            deadline = self._clock() + POLL_S
            while not stop.is_set() and self._clock() < deadline and not self._wake.wait(0.25):
                pass
            self._wake.clear()

    def _compare(self) -> None:
        if not (self.feed.state.caught_up and self._sink.lag == 0):
            return
        try:
            readers = fetch_readers(self._mongo)
        except ServiceError:
            return
        own = self._window()
        self._comparison.look(
            [*readers, own] if own else readers,
            now=self._clock(),
            committed=self._committed(),
            oldest_letter=None if self._knows_all() else self._letters.oldest(),
        )

    def _knows_all(self) -> bool:
        first, _ = self.feed.span
        return self._letters.complete and all(offset == 0 for offset in first.values())
