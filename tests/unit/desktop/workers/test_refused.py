"""What paai said last stays while it does not respond; nothing is compared before the dead letters are read."""

import threading
from typing import Any

from desktop.model.refused.requests import RejectedRequests
from desktop.services.errors import UnreachableError
from desktop.services.kafka_feed import KafkaLogin
from desktop.workers.refused import RefusedFeeds
from tests.helpers.wait import wait_until


class Paai:
    def __init__(self) -> None:
        self.down = False
        self.asked = 0

    def refusals(self) -> RejectedRequests:
        self.asked += 1
        if self.down:
            raise UnreachableError("paai cannot be reached")
        return RejectedRequests(total=7)


def test_an_outage_keeps_the_last_answer() -> None:
    paai, nowhere = Paai(), None
    mongo: Any = nowhere  # it is not asked before the dead letters are read
    feeds = RefusedFeeds(login=KafkaLogin("nowhere"), paai=paai, mongo=mongo, window=lambda: None, committed=dict)
    assert (feeds.records().total, feeds.requests().total, feeds.difference) == (-1, -1, "")
    stop = threading.Event()
    thread = threading.Thread(target=feeds.run, args=(stop,))
    thread.start()
    try:
        wait_until(lambda: feeds.requests().total == 7, 5, "the answer")
        paai.down = True
        feeds.refresh()
        wait_until(lambda: feeds.requests().trouble, 5, "the outage")
        assert feeds.requests().total == 7
        assert "paai cannot be reached" in feeds.requests().trouble
        paai.down = False
        feeds.refresh()
        wait_until(lambda: not feeds.requests().trouble, 5, "its end")
    finally:
        stop.set()
        feeds.refresh()
        thread.join(5)
    assert not thread.is_alive()
