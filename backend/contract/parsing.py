"""Request bodies → DeviceMessages.

`ReadingParser` takes the common case by msgspec, which accepts a strict subset of what the models of `readings` accept,
several times faster, and leaves the rest to the models. Every item of a batch stands for itself: bad ones never hold back
good ones.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import msgspec
from pydantic import TypeAdapter, ValidationError

from backend.contract.devices import BY_TAG, DEVICE_TYPES
from backend.contract.error_texts import message_of
from backend.contract.figures import grouped
from backend.contract.limits import MAX_BATCH_READINGS, MAX_DEVICE_ID_CHARS, MAX_EPOCH_SECONDS, MAX_JSON_DEPTH
from backend.contract.messages import DeviceMessage
from backend.contract.nesting import TOO_DEEP, is_too_deep
from backend.contract.printable import is_printable
from backend.contract.readings import NOT_PRINTABLE, FieldError, InvalidBatchError, InvalidReadingError, Reading
from backend.contract.timestamps import MAX_FUTURE_MS, check_not_future, iso_of, parse_timestamp


def _fast_type() -> Any:
    """A union of msgspec structs: what the models accept when every field has its plain JSON type."""
    structs = [
        msgspec.defstruct(
            f"Fast{device.tag}",
            [
                ("device_id", Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_DEVICE_ID_CHARS)]),
                ("timestamp", int | float | str),
                (
                    "value",
                    Annotated[float, msgspec.Meta(ge=device.minimum, le=device.maximum)],
                    msgspec.field(name=device.field),
                ),
            ],
            namespace={"sensor": device.sensor},
            tag_field="tag",
            tag=device.tag,
            frozen=True,
            gc=False,
        )
        for device in DEVICE_TYPES
    ]
    union = structs[0]
    for struct in structs[1:]:
        union = union | struct  # type: ignore[assignment]
    return union


#: What msgspec raises for JSON that it does not take. Whether that is an error is for the models to say.
_NOT_FAST: Final = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError)
_TOO_LONG: Final = f"must hold at most {grouped(MAX_BATCH_READINGS)} readings"
_TOKENS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)


@dataclass(slots=True)
class ParsedBatch:
    """A batch, item by item.

    Attributes:
        messages: The good ones, in the order of the body.
        rejected: Index in the body and the errors of each bad one, in the order of the body.
    """

    messages: list[DeviceMessage] = field(default_factory=list)
    rejected: list[tuple[int, list[FieldError]]] = field(default_factory=list)


class ReadingParser:
    """Turns request bodies into DeviceMessages. Keeps nothing between calls; not tied to a thread."""

    def __init__(self) -> None:
        fast = _fast_type()
        self._fast_one = msgspec.json.Decoder(fast)
        self._fast_list = msgspec.json.Decoder(list[fast])  # type: ignore[valid-type]
        self._raw_list = msgspec.json.Decoder(list[msgspec.Raw])
        self._model: TypeAdapter[Any] = TypeAdapter(Reading)

    def parse(self, body: bytes, *, now_ms: int) -> DeviceMessage:
        """One reading.

        Args:
            body: JSON.
            now_ms: The server's clock, milliseconds since the epoch.

        Raises:
            InvalidReadingError: says which field and why.
        """
        if body.count(b"[") + body.count(b"{") > MAX_JSON_DEPTH and is_too_deep(to_utf8(body)):
            raise InvalidReadingError([{"type": "json_invalid", "loc": (), "msg": TOO_DEEP}])
        try:
            reading = self._fast_one.decode(body)
        except _NOT_FAST:
            return self._parse_by_model(to_utf8(body), now_ms)
        return _finish(reading, now_ms)

    def parse_batch(self, body: bytes, *, now_ms: int) -> ParsedBatch:
        """A JSON array of 1 … 10 000 readings.

        Raises:
            InvalidBatchError: not such an array. Bad readings in it are no error of the batch.
        """
        try:
            readings: list[Any] = self._fast_list.decode(body)
        except _NOT_FAST:
            return self._parse_items(to_utf8(body), now_ms)
        _check_count(len(readings))
        # Of flat readings there are as many opening brackets as readings, and one of the array.
        if body.count(b"[") + body.count(b"{") > len(readings) + MAX_JSON_DEPTH and is_too_deep(body):
            return self._parse_items(body, now_ms)
        batch = ParsedBatch()
        add = batch.messages.append
        latest_ms = now_ms + MAX_FUTURE_MS
        for index, reading in enumerate(readings):
            device_id, timestamp = reading.device_id, reading.timestamp
            # Written out for the two plain forms of a time: the calls would cost as much as all the rest.
            if type(timestamp) is float and 0.0 <= timestamp <= MAX_EPOCH_SECONDS:
                epoch_ms = round(timestamp * 1e6) // 1000
            elif type(timestamp) is int and 0 <= timestamp <= MAX_EPOCH_SECONDS:
                epoch_ms = timestamp * 1000
            else:
                epoch_ms = latest_ms + 1
            if epoch_ms <= latest_ms and is_printable(device_id):
                add(DeviceMessage(device_id, iso_of(epoch_ms), reading.sensor, reading.value))
                continue
            try:
                add(_finish(reading, now_ms))
            except InvalidReadingError as error:
                batch.rejected.append((index, error.errors))
        return batch

    def items(self, body: bytes) -> list[bytes]:
        """Return the JSON text of each item of a batch that `parse_batch` took: for quoting what was refused of it."""
        return self._split(to_utf8(body))

    def _parse_items(self, body: bytes, now_ms: int) -> ParsedBatch:
        batch = ParsedBatch()
        for index, item in enumerate(self._split(body)):
            try:
                batch.messages.append(self.parse(item, now_ms=now_ms))
            except InvalidReadingError as error:
                batch.rejected.append((index, error.errors))
        return batch

    def _split(self, body: bytes) -> list[bytes]:
        """The JSON text of each item."""
        # More commas than any sensible batch has: do not make objects before the items are counted.
        if body.count(b",") <= 10 * MAX_BATCH_READINGS and not is_too_deep(body):
            try:
                items = [bytes(raw) for raw in self._raw_list.decode(body)]
            except _NOT_FAST:
                pass
            else:
                _check_count(len(items))
                return items
        return _split_by_tokens(body)

    def _parse_by_model(self, body: bytes, now_ms: int) -> DeviceMessage:
        try:
            reading = self._model.validate_json(body)
        except ValidationError as error:
            raise InvalidReadingError(_readable(error)) from None
        device = BY_TAG[reading.tag]
        return _message(reading.device_id, reading.timestamp, device.sensor, getattr(reading, device.field), now_ms)


def to_utf8(body: bytes) -> bytes:
    """The body without a byte order mark, and in UTF-8 should it be in another of JSON's encodings.

    Bytes that are no text are left as they are, for the parser to refuse.
    """
    encoding = json.detect_encoding(body)
    if encoding == "utf-8":
        return body
    try:
        return body.decode(encoding).encode()
    except UnicodeError:
        return body


def _finish(reading: Any, now_ms: int) -> DeviceMessage:
    """What is left to check of a struct."""
    device_id: str = reading.device_id
    errors = [] if is_printable(device_id) else [_error("device_id", NOT_PRINTABLE, device_id)]
    epoch_ms = 0
    try:
        epoch_ms = parse_timestamp(reading.timestamp)
    except ValueError as error:
        errors.append(_error("timestamp", str(error), reading.timestamp))
    if errors:
        raise InvalidReadingError(errors)
    return _message(device_id, epoch_ms, reading.sensor, reading.value, now_ms)


def _message(device_id: str, epoch_ms: int, sensor: str, value: float, now_ms: int) -> DeviceMessage:
    try:
        check_not_future(epoch_ms, now_ms)
    except ValueError as error:
        fault = {"type": "value_error", "reason": "future", "loc": ("timestamp",), "msg": str(error)}
        raise InvalidReadingError([fault]) from None
    return DeviceMessage(device_id, iso_of(epoch_ms), sensor, value)


def _error(name: str, message: str, value: object) -> FieldError:
    return {"type": "value_error", "loc": (name,), "msg": message, "input": value}


def _readable(error: ValidationError) -> list[FieldError]:
    """Errors of the tagged union, located by field: the union's own part of the location says nothing to a client."""
    result: list[FieldError] = []
    for item in error.errors(include_url=False, include_context=False):
        location = item["loc"]
        if item["type"] in ("union_tag_not_found", "union_tag_invalid"):
            missing = "is missing; " if item["type"] == "union_tag_not_found" else ""
            result.append({**item, "loc": ("tag",), "msg": f"{missing}must be one of {', '.join(BY_TAG)}"})
        else:
            location = location[1:] if location and location[0] in BY_TAG else location
            result.append({**item, "loc": location, "msg": message_of(item)})
    return result


def _check_count(count: int) -> None:
    if count == 0:
        raise _not_a_batch("too_short", "must hold at least one reading")
    if count > MAX_BATCH_READINGS:
        raise _not_a_batch("too_long", f"{_TOO_LONG}, not {grouped(count)}; send several batches")


def _split_by_tokens(body: bytes) -> list[bytes]:
    """The text of each item of an array that as a whole is no strict JSON.

    Python's own JSON writers put NaN and Infinity into it, others half a surrogate pair: only the items that hold such a
    thing are bad. Looks at brackets and strings only; what stands between them is for the parser of the item.
    """
    items: list[bytes] = []
    depth = start = 0
    for count, token in enumerate(_TOKENS.finditer(body)):
        if count > _MAX_TOKENS:
            raise _not_a_batch("too_long", f"{_TOO_LONG}; send several batches")
        first = token.group()[0]
        if first == _COMMA:
            if depth == 1:
                items.append(body[start : token.start()])
                start = token.end()
                if len(items) >= MAX_BATCH_READINGS:
                    raise _not_a_batch("too_long", f"{_TOO_LONG}; send several batches")
        elif first in b"[{":
            if depth == 0:
                if body[: token.start()].strip() or first != b"["[0] or start:
                    break
                start = token.end()
            depth += 1
        elif first in b"]}":
            depth -= 1
            if depth == 0:
                items.append(body[start : token.start()])
                if len(items) == 1 and not items[0].strip():
                    _check_count(0)
                if body[token.end() :].strip() or not all(item.strip() for item in items):
                    break
                return items
    if is_too_deep(body):
        raise _not_a_batch("json_invalid", TOO_DEEP)
    try:
        json.loads(body)
    except ValueError as error:
        raise _not_a_batch("json_invalid", f"Invalid JSON: {error}") from None
    raise _not_a_batch("list_type", "must be a JSON array of readings")


_COMMA: Final = b","[0]
#: A reading has fewer than 20; this leaves room for fields that are ignored.
_MAX_TOKENS: Final = 50 * MAX_BATCH_READINGS


def _not_a_batch(kind: str, message: str) -> InvalidBatchError:
    return InvalidBatchError([{"type": kind, "loc": (), "msg": message}])
