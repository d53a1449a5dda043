"""Dead letters count each refused record once; readers are compared with them over the same span, and never added."""

import math

import pytest

from backend.contract.refusals import REASONS
from desktop.model.refused import words
from desktop.model.refused.compare import SETTLE_S, Comparison, Reader
from desktop.model.refused.letters import KEPT, DeadLetter, LetterStore, RefusedRecords
from desktop.model.refused.requests import RejectedRequests


def letter(offset: int, partition: int = 0, *, at: float = 1.0) -> DeadLetter:
    return DeadLetter(at, "processed_messages", partition, offset, "range", "range: too much", "k", b"{}", 2)


def test_a_record_with_two_letters_counts_once() -> None:
    store = LetterStore()
    store.add([letter(1), letter(2), letter(1)])
    store.add([letter(2)])
    assert [found.offset for found in store.newest()] == [2, 1]
    assert store.repeats == 2


def test_letters_without_a_source_are_listed_each() -> None:
    store = LetterStore()
    store.add([letter(-1), letter(-1)])
    assert (len(store.newest()), store.repeats) == (2, 0)


def test_the_list_is_bounded_and_the_same_object_while_nothing_comes() -> None:
    store = LetterStore()
    store.add([letter(i) for i in range(KEPT + 10)])
    assert len(store.newest()) == KEPT
    assert store.newest()[0].offset == KEPT + 9
    assert store.newest() is store.newest()
    assert store.complete
    store.clear()
    assert (store.newest(), store.repeats) == ((), 0)


def looks(comparison: Comparison, reader: Reader, committed: dict[int, int], times: int = 4, start: float = 0.0) -> str:
    for i in range(times):
        comparison.look([reader], now=start + i * SETTLE_S, committed=committed, oldest_letter=None)
    return comparison.difference


def test_equal_counts_say_nothing() -> None:
    store = LetterStore()
    store.add([letter(5), letter(7, 1), letter(99)])
    reader = Reader("Spark", 2, {0: 0, 1: 0}, {0: 50, 1: 50})
    assert looks(Comparison(store), reader, {0: 50, 1: 50}, 8) == ""


def test_a_difference_is_said_in_one_sentence_and_goes_when_it_is_gone() -> None:
    store = LetterStore()
    store.add([letter(5)])
    comparison = Comparison(store)
    reader = Reader("Spark", 3, {0: 0}, {0: 50})
    assert looks(comparison, reader, {0: 50}, 2) == ""  # once may be a moment between two counters
    assert looks(comparison, reader, {0: 50}, start=100) == "Spark refused 3 records; the same offsets have 1 dead letter."
    store.add([letter(6), letter(7)])
    assert looks(comparison, reader, {0: 50}, start=200) == ""


def test_a_span_is_compared_only_once_the_sink_has_passed_it() -> None:
    store, reader = LetterStore(), Reader("Spark", 3, {0: 0}, {0: 50})
    assert looks(Comparison(store), reader, {0: 49}, 20) == ""
    assert looks(Comparison(store), reader, {}, 20) == ""


def test_letters_outside_the_span_do_not_count() -> None:
    store = LetterStore()
    store.add([letter(5), letter(60), letter(3, 2)])
    assert store.count_between({0: 6}, {0: 60}) == 0
    assert store.count_between({0: 5}, {0: 61}) == 2
    assert store.count_between({2: 0}, {2: 4}) == 1


def test_what_reaches_back_beyond_the_known_letters_is_not_compared() -> None:
    store = LetterStore()
    store.add([letter(40)])
    comparison, reader = Comparison(store), Reader("Spark", 9, {0: 10}, {0: 50})
    for i in range(20):
        comparison.look([reader], now=i * SETTLE_S, committed={0: 50}, oldest_letter={0: 40})
    assert comparison.difference == ""


def test_a_reader_that_was_started_anew_or_is_gone_says_nothing_of_before() -> None:
    comparison = Comparison(LetterStore())
    assert looks(comparison, Reader("Spark", 3, {0: 0}, {0: 50}), {0: 50}, 8)
    comparison.look([Reader("Spark", 0, {0: 50}, {0: 50})], now=1e3, committed={0: 50}, oldest_letter=None)
    assert comparison.difference == ""
    assert looks(comparison, Reader("Spark", 3, {0: 0}, {0: 50}), {0: 50}, 8, start=2e3)
    comparison.look([], now=9e3, committed={0: 50}, oldest_letter=None)
    assert comparison.difference == ""


@pytest.mark.parametrize("code", REASONS)
def test_every_code_of_the_contract_is_recognised(code: str) -> None:
    assert words.code_of(f"{code}: {REASONS[code]}") == code


@pytest.mark.parametrize("message", ["", "range", "JsonConverter: no", "Range: no", "code=121 range: x"])
def test_any_other_message_is_other(message: str) -> None:
    assert words.code_of(message) == words.OTHER


def test_bytes_as_text_and_hex() -> None:
    data = "ü\n\u202e".encode() + b"\xff\x00"
    assert words.as_text(data) == "ü\\n\\u202e\\xff\\x00"
    assert words.as_hex(b"0123456789abcdef\x00") == (
        f"000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n000010  00{' ' * 45}  ."
    )
    assert words.bytes_of(5, 5) == "5 bytes"
    assert words.bytes_of(60_000, 4096) == "first 4\u202f096 of 60\u202f000 bytes"


def test_the_line_of_the_terminal() -> None:
    assert words.line(RefusedRecords(), RejectedRequests()) == ""
    known = words.line(RefusedRecords(total=3), RejectedRequests(total=1200), "Spark differs.")
    assert known == "refused records 3 · rejected requests 1\u202f200 · Spark differs."
    assert words.line(RefusedRecords(total=0), RejectedRequests()) == "refused records 0 · rejected requests –"
    assert words.recent(RefusedRecords(newest=(letter(5),)), RejectedRequests()) == ["refused record 0/5: range: too much: {}"]
    assert math.isfinite(letter(1).at)
