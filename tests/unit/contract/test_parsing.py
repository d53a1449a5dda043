"""Readings: the fast path and the models are one contract; bad items never hold back good ones."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.contract.devices import BY_TAG, DEVICE_TYPES
from backend.contract.limits import FIRST_TIME_MS, MAX_BATCH_READINGS, MAX_JSON_DEPTH
from backend.contract.messages import DeviceMessage
from backend.contract.nesting import is_too_deep
from backend.contract.parsing import ReadingParser, to_utf8
from backend.contract.readings import InvalidBatchError, InvalidReadingError, describe
from backend.contract.times import to_iso

NOW = 1_700_000_000_000
PARSER = ReadingParser()


class Broken:
    """A decoder that takes nothing."""

    def decode(self, _: bytes) -> Any:
        raise ValueError


def slow_parser() -> ReadingParser:
    """One that leaves everything to the models."""
    parser = ReadingParser()
    parser._fast_one = parser._fast_list = Broken()  # type: ignore[assignment]
    return parser


SLOW = slow_parser()

ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)
IDS = st.text(max_size=130) | st.integers() | ODD
TIMES = (
    st.integers(-10, NOW // 1000 + 5)
    | st.integers(FIRST_TIME_MS // 1000 - 2, FIRST_TIME_MS // 1000 + 2)
    | st.floats(0, NOW / 1000 + 2)
    | st.integers(0, NOW + 2000).map(to_iso)
    | ODD
)
VALUES = st.floats(-100, 1300) | st.integers(-100, 400) | st.floats(-100, 400).map(str) | ODD


@st.composite
def bodies(draw: st.DrawFn) -> str:
    tag = draw(st.sampled_from([*BY_TAG, "Other"]))
    field = BY_TAG[tag].field if tag in BY_TAG else "temperature"
    pairs = [("tag", tag), ("device_id", draw(IDS)), ("timestamp", draw(TIMES)), (field, draw(VALUES))]
    pairs += draw(st.lists(st.tuples(st.sampled_from(["x", "device_id", "timestamp", field]), ODD), max_size=2))
    pairs = draw(st.permutations(pairs))[: draw(st.integers(3, 6))]
    # By hand, since a dict could not hold a key twice.
    return "{" + ",".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in pairs) + "}"


def outcome(parser: ReadingParser, body: bytes) -> DeviceMessage | str:
    try:
        return parser.parse(body, now_ms=NOW)
    except InvalidReadingError as error:
        return "; ".join(str(item["loc"]) for item in error.errors)


@given(bodies())
def test_fast_path_and_models_agree(body: str) -> None:
    assert outcome(PARSER, body.encode()) == outcome(SLOW, body.encode())


@given(st.lists(bodies(), min_size=1, max_size=6))
def test_a_batch_is_its_items(items: list[str]) -> None:
    body = ("[" + ",".join(items) + "]").encode()
    single = [outcome(PARSER, item.encode()) for item in items]
    for parser in (PARSER, SLOW):
        batch = parser.parse_batch(body, now_ms=NOW)
        assert batch.messages == [one for one in single if isinstance(one, DeviceMessage)]
        assert [index for index, _ in batch.rejected] == [i for i, one in enumerate(single) if isinstance(one, str)]


@given(st.binary(max_size=100) | st.text(alphabet='[]{},":\\1aN ', max_size=40).map(str.encode))
def test_any_bytes_are_an_answer(body: bytes) -> None:
    with suppress(InvalidReadingError):
        PARSER.parse(body, now_ms=NOW)
    with suppress(InvalidBatchError):
        PARSER.parse_batch(body, now_ms=NOW)


@pytest.mark.parametrize("device", DEVICE_TYPES, ids=lambda device: device.tag)
@pytest.mark.parametrize("parser", [PARSER, SLOW], ids=["fast", "models"])
def test_limits_are_inclusive(device: Any, parser: ReadingParser) -> None:
    def body(value: float) -> bytes:
        return json.dumps({"device_id": "1", "tag": device.tag, "timestamp": 1, device.field: value}).encode()

    for value in (device.minimum, device.maximum):
        message = parser.parse(body(value), now_ms=NOW)
        assert message == DeviceMessage("1", "1970-01-01T00:00:01.000Z", device.sensor, value)
    for value in (device.minimum - 1e-9, device.maximum + 1e-9):
        with pytest.raises(InvalidReadingError, match=device.field):
            parser.parse(body(value), now_ms=NOW)


GOOD = '{"device_id":"1","tag":"Thermostat","timestamp":1,"temperature":1}'


@pytest.mark.parametrize(
    "bad",
    ["NaN", "-Infinity", "1", '"\\ud800"', "9" * 5000, GOOD.replace('"1"', '"\\udc00"'),
     GOOD[:-1] + ',"x":NaN,"timestamp":true}',
     GOOD[:-1] + ',"x":' + "[" * 3000 + "]" * 3000 + "}", "{]", "nonsense"],
)  # fmt: skip
def test_an_item_that_is_no_json_is_bad_alone(bad: str) -> None:
    batch = PARSER.parse_batch(f"[{GOOD},{bad},{GOOD}]".encode(), now_ms=NOW)
    assert (len(batch.messages), [index for index, _ in batch.rejected]) == (2, [1])
    assert describe(batch.rejected[0][1])


@pytest.mark.parametrize("parser", [PARSER, SLOW], ids=["fast", "models"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_depth_that_is_taken_is_the_same_everywhere(parser: ReadingParser, encoding: str) -> None:
    def nested(levels: int) -> str:
        return (
            GOOD[:-1]
            + ',"x":'
            + '[{"y]\\"":' * (levels // 2)
            + "[" * (levels % 2)
            + "]" * (levels % 2)
            + ("1" * (1 - levels % 2) + "}]" * (levels // 2) + "}")
        )

    taken, refused = nested(MAX_JSON_DEPTH - 1), nested(MAX_JSON_DEPTH)
    assert json.loads(refused)["device_id"] == "1"
    assert parser.parse(taken.encode(encoding), now_ms=NOW).device_id == "1"
    with pytest.raises(InvalidReadingError, match="nested deeper than 100 levels"):
        parser.parse(refused.encode(encoding), now_ms=NOW)
    batch = parser.parse_batch(f"[{taken},{refused},{GOOD},{nested(3000)}]".encode(encoding), now_ms=NOW)
    assert (len(batch.messages), [index for index, _ in batch.rejected]) == (2, [1, 3])


@pytest.mark.parametrize(
    ("body", "too_deep"),
    [
        (b"[" * 100 + b"]" * 100, False),
        (b"[" * 101 + b"]" * 101, True),
        (b"[" * 101, True),
        (b"[]" * 4_000_000, False),
        (b'"' + b"[" * 200 + b'"', False),
        (b'"\\"' + b"[" * 200 + b'"', False),
        (b'"\\\\"' + b"[" * 200 + b'"', True),
        (b"]" * 200, False),
        (b"[{" * 60 + b"}]" * 60, True),
    ],
)
def test_depth(body: bytes, too_deep: bool) -> None:
    assert is_too_deep(body) is too_deep


def test_counts() -> None:
    for n in (1, MAX_BATCH_READINGS):
        assert len(PARSER.parse_batch(("[" + ",".join([GOOD] * n) + "]").encode(), now_ms=NOW).messages) == n
    for body in ("[]", " [ ] ", "[" + ",".join([GOOD] * (MAX_BATCH_READINGS + 1)) + "]", "[" + "1," * 3_000_000 + "1]"):
        with pytest.raises(InvalidBatchError, match=r"at least one|at most"):
            PARSER.parse_batch(body.encode(), now_ms=NOW)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_other_encodings_of_json(encoding: str) -> None:
    assert to_utf8(GOOD.encode(encoding)) == GOOD.encode()
    assert PARSER.parse(GOOD.encode(encoding), now_ms=NOW).device_id == "1"
    assert len(PARSER.parse_batch(f"[{GOOD}]".encode(encoding), now_ms=NOW).messages) == 1


@pytest.mark.parametrize("parser", [PARSER, SLOW], ids=["fast", "models"])
def test_a_batch_of_plain_types_is_checked_item_by_item(parser: ReadingParser) -> None:
    def item(**changes: Any) -> dict[str, Any]:
        return {"device_id": "1", "tag": "Thermostat", "timestamp": 1680033862.001, "temperature": 25.2} | changes

    items = [
        item(),
        item(device_id="a\x07b"),
        item(timestamp=NOW / 1000 + 1.001),
        item(timestamp=NOW / 1000 + 1),
        item(timestamp=-1),
        item(timestamp=-0.5),
        item(timestamp=-12_212_553_600.5),
        item(timestamp=1680033862),
        item(timestamp="2023-03-28T20:04:22.123Z"),
        item(timestamp=1680033862000),
        item(timestamp="never"),
    ]
    batch = parser.parse_batch(json.dumps(items).encode(), now_ms=NOW)
    assert [message.timestamp for message in batch.messages] == [
        "2023-03-28T20:04:22.001Z",
        "2023-11-14T22:13:21.000Z",
        "1969-12-31T23:59:59.000Z",
        "1969-12-31T23:59:59.500Z",
        "2023-03-28T20:04:22.000Z",
        "2023-03-28T20:04:22.123Z",
    ]
    assert [(index, errors[0]["loc"][0]) for index, errors in batch.rejected] == [
        (1, "device_id"),
        (2, "timestamp"),
        (6, "timestamp"),
        (9, "timestamp"),
        (10, "timestamp"),
    ]
