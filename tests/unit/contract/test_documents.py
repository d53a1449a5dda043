"""Typed fields of stored documents, and the count of those left out."""

import ast
from datetime import UTC, datetime
from pathlib import Path

import bson
import pytest
from bson import DatetimeMS, Decimal128, Int64
from bson.codec_options import CodecOptions, DatetimeConversion

from backend.contract import documents
from backend.contract.documents import DECODING, DamagedError, LeftOut

ROOT = Path(__file__).resolve().parents[3]


def test_every_client_decodes_dates_and_text_without_raising() -> None:
    """One client without the options is enough for a stored year 10000 to stop its reader."""
    without = []
    clients = 0
    for package in ("backend", "desktop", "spark", "stack"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("MongoClient"):
                    clients += 1
                    options = [ast.unparse(k.value) for k in node.keywords if k.arg is None]
                    if "DECODING" not in options:
                        without.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert clients >= 10
    assert not without


def test_decoding_survives_what_other_clients_store() -> None:
    options: CodecOptions[dict[str, object]] = CodecOptions(
        tz_aware=DECODING["tz_aware"],
        datetime_conversion=DatetimeConversion[DECODING["datetime_conversion"]],
        unicode_decode_error_handler=DECODING["unicode_decode_error_handler"],
    )
    raw = bson.encode({"kXXk": "aXXb", "t": DatetimeMS(253402300800000), "u": DatetimeMS(-(2**63))})
    damaged = raw.replace(b"aXXb", b"a\xff\xfeb").replace(b"kXXk", b"k\xff\xfek")
    with pytest.raises(bson.errors.InvalidBSON):
        bson.decode(damaged)
    assert set(bson.decode(damaged, options)) == {"k��k", "t", "u"}


@pytest.mark.parametrize("value", [None, "21,5", True, float("nan"), float("inf"), 1e101, [1.0], {"a": 1}, Decimal128("2")])
def test_what_is_no_number(value: object) -> None:
    with pytest.raises(DamagedError, match="avg is not a number"):
        documents.number({"avg": value}, "avg")


def test_numbers() -> None:
    assert documents.number({"a": {"b": Int64(3)}}, "a.b") == 3.0
    assert documents.optional_number({"a": None}, "a") is None
    assert documents.optional_number({}, "a") is None
    assert documents.count({"n": 3.0}, "n", least=1) == 3
    for n in (0, -1, 1.5, 2**60, "3"):
        with pytest.raises(DamagedError, match="n is not"):
            documents.count({"n": n}, "n", least=1)


@pytest.mark.parametrize(
    "value", [None, "2026-11-28", 0, DatetimeMS(253402300800000), datetime(1, 1, 1, tzinfo=UTC), [datetime.now(UTC)]]
)
def test_what_is_no_time(value: object) -> None:
    with pytest.raises(DamagedError, match=r"window.start is not a date of the years 1583 to 9999"):
        documents.time_ms({"window": {"start": value}}, "window.start")


def test_times_and_texts() -> None:
    assert documents.time_ms({"t": datetime(2023, 3, 28, 20, 4, 22, tzinfo=UTC)}, "t") == 1_680_033_862_000
    assert documents.device_id({"device_id": "a"}) == "a"
    for bad in ("", "a" * 129, 5, None, ["a"]):
        with pytest.raises(DamagedError, match="device_id"):
            documents.device_id({"device_id": bad})
    with pytest.raises(DamagedError, match="window is missing"):
        documents.text({}, "window")
    with pytest.raises(DamagedError, match=r"window.start is missing"):
        documents.time_ms({"window": "x"}, "window.start")


def test_each_document_counts_once_and_each_collection_is_reported_once() -> None:
    now = [0.0]
    said: list[str] = []
    left_out = LeftOut(said.append, clock=lambda: now[0])
    rows: list[dict[str, object]] = [{"_id": 1, "n": 1}, {"_id": 2, "n": "x"}, {"_id": {"odd": []}}]
    for _ in range(3):
        assert list(left_out.read("c", rows, lambda d: documents.number(d, "n"))) == [1.0]
        left_out.report()
    assert left_out.counts() == {"c": 2}
    assert said == ["2 documents of c left out: n is not a number (_id 2). Correct or delete such documents in MongoDB."]
    left_out.note("c", 7, "n is missing")
    left_out.report()
    assert len(said) == 1
    now[0] = documents.REPORT_S
    left_out.report()
    assert len(said) == 2
    assert said[1].startswith("3 documents of c")
