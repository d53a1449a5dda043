"""paai's queries over the stored raw readings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import httpx
import msgspec

from backend.contract import times
from desktop.model.refused.requests import RejectedRequest, RejectedRequests
from desktop.services.errors import ProtocolError
from desktop.services.http import HttpClient
from stack.target import Endpoints

Quantity = Literal["average", "maximum", "minimum"]


class Statistics(msgspec.Struct, frozen=True):
    """All readings of one device and sensor in a time frame."""

    device_id: str
    sensor: str
    average: float
    maximum: float
    minimum: float
    count: int


class KnownDevice(msgspec.Struct, frozen=True):
    """A device and sensor of which readings are stored; `first` and `last` are ISO 8601 times."""

    device_id: str
    sensor: str
    first: str
    last: str
    count: int


class DevicesPage(msgspec.Struct, frozen=True):
    """A page of devices; `next` is the `after` of the page that follows, None on the last."""

    devices: list[KnownDevice]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One device and sensor.

    Attributes:
        value: The average, maximum or minimum that was asked for.
    """

    device_id: str
    sensor: str
    value: float


@dataclass(frozen=True, slots=True)
class QueryResult:
    """What a query covers and found.

    Attributes:
        start, end: start ≤ timestamp < end, seconds since the epoch.
        rows: By device and sensor; a device without data is absent.
    """

    start: float
    end: float
    rows: tuple[Row, ...]


class _Answer(msgspec.Struct):
    from_: str | float | None = msgspec.field(name="from", default=None)
    to: str | float | None = None
    data: list[dict[str, Any]] = msgspec.field(default_factory=list)


class _StatisticsAnswer(msgspec.Struct):
    data: list[Statistics]


class _RefusalCount(msgspec.Struct):
    field: str
    reason: str
    count: int


class _Rejected(msgspec.Struct):
    at: str
    path: str
    status: int
    field: str
    reason: str
    message: str
    text: str
    size: int
    index: int | None = None


class _RejectedRequests(msgspec.Struct):
    total: int
    since: str | None = None
    counts: list[_RefusalCount] = msgspec.field(default_factory=list)
    newest: list[_Rejected] = msgspec.field(default_factory=list)


class _RefusalsAnswer(msgspec.Struct):
    requests: _RejectedRequests


class PaaiClient:
    """Blocking calls, at most `timeout_s` each. Times are seconds since the epoch; None = earliest, or now.

    Raises (all calls): ServiceError.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        timeout_s: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = HttpClient(name="paai", base_url=base_url, token=token, timeout_s=timeout_s, transport=transport)

    def average(
        self, device_ids: Sequence[str], *, start: float | None = None, end: float | None = None, sensor: str | None = None
    ) -> QueryResult:
        """Mean of each device's readings with start ≤ t < end."""
        return self.query("average", device_ids, start=start, end=end, sensor=sensor)

    def maximum(
        self, device_ids: Sequence[str], *, start: float | None = None, end: float | None = None, sensor: str | None = None
    ) -> QueryResult:
        """Largest of each device's readings with start ≤ t < end."""
        return self.query("maximum", device_ids, start=start, end=end, sensor=sensor)

    def minimum(
        self, device_ids: Sequence[str], *, start: float | None = None, end: float | None = None, sensor: str | None = None
    ) -> QueryResult:
        """Smallest of each device's readings with start ≤ t < end."""
        return self.query("minimum", device_ids, start=start, end=end, sensor=sensor)

    def query(
        self,
        quantity: Quantity,
        device_ids: Sequence[str],
        *,
        start: float | None = None,
        end: float | None = None,
        sensor: str | None = None,
    ) -> QueryResult:
        """`average`, `maximum` or `minimum` by name."""
        content = self._http.request("POST", f"/api/v1/{quantity}", body=_body(device_ids, start, end, sensor))
        answer = self._http.decode(content, _Answer)
        try:
            rows = tuple(Row(str(d["device_id"]), str(d["sensor"]), float(d[quantity])) for d in answer.data)
            return QueryResult(_seconds(answer.from_), _seconds(answer.to), rows)
        except (KeyError, TypeError, ValueError) as error:
            raise ProtocolError("paai answered something unexpected", why=f"{type(error).__name__}: {error}.") from error

    def statistics(
        self, device_ids: Sequence[str], *, start: float | None = None, end: float | None = None, sensor: str | None = None
    ) -> list[Statistics]:
        """Average, maximum, minimum and count at once."""
        content = self._http.request("POST", "/api/v1/statistics", body=_body(device_ids, start, end, sensor))
        shape: Any = _StatisticsAnswer if content.lstrip()[:1] == b"{" else list[Statistics]
        answer: Any = self._http.decode(content, shape)
        found: list[Statistics] = answer.data if isinstance(answer, _StatisticsAnswer) else answer
        return found

    def devices(
        self, *, sensor: str | None = None, prefix: str = "", limit: int = 100, after: str | None = None
    ) -> DevicesPage:
        """Devices with stored readings, a page at a time."""
        params = {"sensor": sensor, "prefix": prefix, "limit": limit, "after": after}
        return self._http.decode(self._http.request("GET", "/api/v1/devices", params=params), DevicesPage)

    def refusals(self) -> RejectedRequests:
        """Return the rejected requests of all processes of paai."""
        found = self._http.decode(self._http.request("GET", "/api/v1/refusals"), _RefusalsAnswer).requests
        try:
            return RejectedRequests(
                total=found.total,
                counts=tuple((row.field, row.reason, row.count) for row in found.counts),
                newest=tuple(
                    RejectedRequest(**(msgspec.structs.asdict(item) | {"at": _seconds(item.at)})) for item in found.newest
                ),
                since=None if found.since is None else _seconds(found.since),
            )
        except ValueError as error:
            raise ProtocolError("paai answered something unexpected", why=f"{error}.") from error

    def close(self) -> None:
        """Drop the connections."""
        self._http.close()


def _body(device_ids: Sequence[str], start: float | None, end: float | None, sensor: str | None) -> dict[str, Any]:
    body: dict[str, Any] = {"device_ids": list(device_ids)}
    if start is not None:
        body["from"] = times.to_iso(round(start * 1000))
    if end is not None:
        body["to"] = times.to_iso(round(end * 1000))
    if sensor is not None:
        body["sensor"] = sensor
    return body


def _seconds(value: str | float | None) -> float:
    if isinstance(value, str):
        return times.from_iso(value) / 1e3
    return float("nan") if value is None else float(value)


def has_stored(endpoints: Endpoints) -> bool:
    """Whether any device's readings are stored. Blocking.

    Raises:
        ServiceError: paai does not answer.
    """
    client = PaaiClient(endpoints.paai, token=endpoints.token)
    try:
        return bool(client.devices(limit=1).devices)
    finally:
        client.close()
