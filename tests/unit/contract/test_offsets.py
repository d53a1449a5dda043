"""What waits for a group, and what an open transaction holds."""

from backend.contract.backlog import Backlog
from backend.contract.held import Ends, HeldWatch


class Log:
    """One partition: offsets of its records; all others up to the end are markers or aborted."""

    def __init__(self, end: int, *records: int) -> None:
        self.end, self.records = end, records
        self.reads: list[int] = []

    def find(self, partition: int, offset: int) -> tuple[int, bool] | None:
        self.reads.append(offset)
        first = min((r for r in self.records if r >= offset), default=None)
        return (self.end, False) if first is None else (first, True)


def test_what_stands_still_is_read_once() -> None:
    log = Log(13, 0, 4)
    backlog = Backlog(log.find)
    assert backlog.count({0: 5}, {0: 13}) == {0: 8}  # may move yet
    assert [backlog.count({0: 5}, {0: 13}) for _ in range(3)] == [{0: 0}] * 3
    assert log.reads == [5]


def test_a_record_behind_aborted_ones_waits_and_is_not_looked_for_again() -> None:
    log = Log(20, 15, 17)
    backlog = Backlog(log.find)
    backlog.count({0: 5}, {0: 20})
    assert [backlog.count({0: 5}, {0: 20}) for _ in range(3)] == [{0: 5}] * 3
    assert log.reads == [5]
    log.end = 30
    assert backlog.count({0: 5}, {0: 30}) == {0: 15}
    assert backlog.count({0: 16}, {0: 30}) == {0: 14}


def test_only_what_is_new_is_read_when_more_is_aborted() -> None:
    log = Log(13)
    backlog = Backlog(log.find)
    for log.end in (13, 13, 14, 15):
        backlog.count({0: 5}, {0: log.end})
    assert log.reads == [5, 13, 14]


def test_without_an_answer_it_still_waits() -> None:
    backlog = Backlog(lambda partition, offset: None)
    assert [backlog.count({0: 5}, {0: 13}) for _ in range(2)] == [{0: 8}, {0: 8}]


def test_a_transaction_that_does_not_end_holds_its_partition_since_it_was_first_seen() -> None:
    watch = HeldWatch(after_s=5)
    ends = {0: Ends(10, 12), 1: Ends(7, 7)}
    assert watch.look(100, ends) == ()
    assert watch.look(104, ends) == ()
    (held,) = watch.look(106, {**ends, 0: Ends(10, 15)})
    assert (held.partition, held.since, held.records) == (0, 100, 5)
    assert watch.look(107, {0: Ends(16, 16)}) == ()


def test_one_transaction_after_another_holds_nothing() -> None:
    watch = HeldWatch(after_s=5)
    for second in range(100):
        assert watch.look(second, {0: Ends(second, second + 2)}) == ()
