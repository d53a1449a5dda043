"""The generator's and paai's clients: what they send, what they make of answers, and their errors."""

import contextlib
import json
import math
from collections.abc import Callable

import httpx
import pytest

from desktop.model.services_clock import ServicesClock
from desktop.services.errors import (
    BusyError,
    InvalidRequestError,
    ProtocolError,
    RefusedError,
    ServiceError,
    UnauthorisedError,
    UnreachableError,
)
from desktop.services.generator_client import GeneratorClient
from desktop.services.paai_client import PaaiClient, Row

FLEET = {
    "Thermostat": 3, "Barometer": 0, "Hygrometer": 0, "HeartRateMeter": 1, "interval_s": 0.5, "running": True,
    "wanted_per_s": 8.0, "sent_per_s": 7.9, "acknowledged": 100, "retried": 2, "given_up": 1, "backlog": 4, "behind_ms": 12.5,
}  # fmt: skip


class Server:
    """Answers by method and path, and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.answer: Callable[[httpx.Request], httpx.Response] = lambda _: httpx.Response(200, json=FLEET)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer(request)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self)

    @property
    def bodies(self) -> list[object]:
        return [json.loads(r.content) if r.content else None for r in self.asked]


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def generator(server: Server) -> GeneratorClient:
    return GeneratorClient("http://g", token="secret", transport=server.transport, clock=lambda: 5.0)


@pytest.fixture
def paai(server: Server) -> PaaiClient:
    return PaaiClient("http://p", transport=server.transport)


def test_the_fleet(server: Server, generator: GeneratorClient) -> None:
    fleet = generator.get_fleet()
    assert dict(fleet.counts) == {"Thermostat": 3, "Barometer": 0, "Hygrometer": 0, "HeartRateMeter": 1}
    assert (fleet.devices, fleet.interval_s, fleet.running, fleet.backlog, fleet.behind_ms) == (4, 0.5, True, 4, 12.5)
    assert (fleet.as_of, fleet.known, fleet.error) == (5.0, True, "")
    assert server.asked[0].headers["Authorization"] == "Bearer secret"


def test_changing_the_fleet_sends_only_what_changes(server: Server, generator: GeneratorClient) -> None:
    generator.put_fleet({"Barometer": 7})
    generator.put_fleet({}, interval_s=2.0)
    assert server.bodies == [{"Barometer": 7}, {"interval_s": 2.0}]
    assert {r.method for r in server.asked} == {"PUT"}


def test_start_goes_on_with_the_kept_fleet_and_stop_keeps_it(server: Server, generator: GeneratorClient) -> None:
    generator.start()
    generator.stop()
    assert [(r.method, r.url.path) for r in server.asked] == [
        ("GET", "/api/v1/fleet"), ("PUT", "/api/v1/fleet"), ("POST", "/api/v1/stop"), ("GET", "/api/v1/fleet"),
    ]  # fmt: skip
    assert server.bodies[1] == {"Thermostat": 3, "Barometer": 0, "Hygrometer": 0, "HeartRateMeter": 1}


def test_faults(server: Server, generator: GeneratorClient) -> None:
    event = {"n": 1, "device_id": "a", "sensor": "humidity", "kind": "spike", "start": "2026-11-24T05:30:00.000Z"}
    server.answer = lambda r: httpx.Response(200, json={"events": [event], "next": 2})
    log = generator.faults_log(1)
    assert (log.next, log.events[0].kind, server.asked[0].url.params["after"]) == (2, "spike", "1")


def refusal(status: int, detail: object = "because", **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, json={"detail": detail}, headers=headers)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, UnauthorisedError), (422, InvalidRequestError), (413, InvalidRequestError), (503, BusyError), (500, RefusedError)],
)
def test_a_refusal_has_its_type_and_reason(
    server: Server, generator: GeneratorClient, status: int, kind: type[RefusedError]
) -> None:
    server.answer = refusal(status)
    with pytest.raises(kind) as caught:
        generator.get_fleet()
    assert (caught.value.status, caught.value.why) == (status, "because.")
    assert "Traceback" not in str(caught.value)


def test_busy_says_when_to_come_again(server: Server, generator: GeneratorClient) -> None:
    server.answer = lambda _: httpx.Response(503, json={"detail": "x"}, headers={"Retry-After": "7"})
    with pytest.raises(BusyError) as caught:
        generator.get_fleet()
    assert caught.value.retry_after_s == 7.0


def test_a_list_of_wrong_fields_becomes_a_sentence(server: Server, paai: PaaiClient) -> None:
    server.answer = refusal(422, [{"loc": ["body", "from"], "msg": "is not a time"}])
    with pytest.raises(InvalidRequestError) as caught:
        paai.average(["a"])
    assert caught.value.why == "body.from: is not a time."


def test_a_page_of_megabytes_is_not_echoed(server: Server, paai: PaaiClient) -> None:
    server.answer = lambda _: httpx.Response(500, text="x" * 10**6)
    with pytest.raises(RefusedError) as caught:
        paai.average(["a"])
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("cut")])
def test_nobody_there(server: Server, generator: GeneratorClient, error: Exception) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    server.answer = fail
    with pytest.raises(UnreachableError) as caught:
        generator.get_fleet()
    assert caught.value.remedy


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"Thermostat": "many"}'])
def test_another_shape_is_a_protocol_error(server: Server, generator: GeneratorClient, content: bytes) -> None:
    server.answer = lambda _: httpx.Response(200, content=content)
    with pytest.raises(ProtocolError):
        generator.get_fleet()


@pytest.mark.parametrize("quantity", ["average", "maximum", "minimum"])
def test_queries(server: Server, paai: PaaiClient, quantity: str) -> None:
    server.answer = lambda _: httpx.Response(
        200,
        json={"from": "2026-11-24T05:30:00.000Z", "to": "2026-11-24T05:31:00.000Z",
              "data": [{"device_id": "a", "sensor": "humidity", quantity: 5.5}]},
    )  # fmt: skip
    found = getattr(paai, quantity)(["a", "b"], start=1_795_498_200.0, sensor="humidity")
    assert found.rows == (Row("a", "humidity", 5.5),)
    assert found.end - found.start == 60
    assert server.asked[0].url.path == f"/api/v1/{quantity}"
    assert server.bodies == [{"device_ids": ["a", "b"], "from": "2026-11-24T05:30:00.000Z", "sensor": "humidity"}]


def test_a_query_without_bounds(server: Server, paai: PaaiClient) -> None:
    server.answer = lambda _: httpx.Response(200, json={"from": None, "to": 5, "data": []})
    found = paai.average(["a"])
    assert math.isnan(found.start)
    assert (found.end, found.rows) == (5.0, ())


def test_a_row_without_its_value_is_a_protocol_error(server: Server, paai: PaaiClient) -> None:
    server.answer = lambda _: httpx.Response(200, json={"data": [{"device_id": "a", "sensor": "humidity"}]})
    with pytest.raises(ProtocolError):
        paai.average(["a"])


@pytest.mark.parametrize("wrapped", [True, False])
def test_statistics(server: Server, paai: PaaiClient, wrapped: bool) -> None:
    row = {"device_id": "a", "sensor": "humidity", "average": 2.0, "maximum": 3.0, "minimum": 1.0, "count": 9}
    server.answer = lambda _: httpx.Response(200, json={"from": None, "to": None, "data": [row]} if wrapped else [row])
    assert [s.count for s in paai.statistics(["a"])] == [9]


def test_devices(server: Server, paai: PaaiClient) -> None:
    device = {"device_id": "a", "sensor": "humidity", "first": "2026-11-24T05:30:00.000Z", "last": "x", "count": 1}
    server.answer = lambda _: httpx.Response(200, json={"devices": [device], "next": "a"})
    page = paai.devices(prefix="a", limit=1)
    assert (page.devices[0].device_id, page.next) == ("a", "a")
    assert dict(server.asked[0].url.params) == {"prefix": "a", "limit": "1"}


def test_every_error_of_the_tree_is_a_service_error() -> None:
    assert all(issubclass(kind, ServiceError) for kind in (UnreachableError, RefusedError, BusyError, ProtocolError))


REFUSALS = {
    "requests": {
        "total": 5,
        "since": "2023-03-28T20:04:22.000Z",
        "counts": [{"field": "tag", "reason": "missing", "count": 5}],
        "newest": [
            {
                "at": "2023-03-28T20:04:22.500Z", "path": "/api/v1/devices", "status": 200, "index": 3, "field": "tag",
                "reason": "missing", "message": "tag: Field required", "text": "{}", "size": 2,
            }
        ],
    },
    "records": {"total": 0, "counts": [], "as_of": None},
}  # fmt: skip


def test_rejected_requests(server: Server, paai: PaaiClient) -> None:
    server.answer = lambda _: httpx.Response(200, json=REFUSALS)
    found = paai.refusals()
    assert server.asked[0].url.path == "/api/v1/refusals"
    assert (found.total, found.since, found.counts) == (5, 1680033862.0, (("tag", "missing", 5),))
    (item,) = found.newest
    assert (item.at, item.index, item.text, item.size) == (1680033862.5, 3, "{}", 2)


@pytest.mark.parametrize("answer", [{}, {"requests": {"total": "x"}}, {"requests": {"total": 1, "since": "noon"}}])
def test_rejected_requests_of_another_shape(server: Server, paai: PaaiClient, answer: dict[str, object]) -> None:
    server.answer = lambda _: httpx.Response(200, json=answer)
    with pytest.raises(ProtocolError):
        paai.refusals()


@pytest.mark.parametrize("status", [200, 503])
def test_every_answer_tells_the_services_time(server: Server, status: int) -> None:
    """Refusals too."""
    server.answer = lambda _: httpx.Response(status, json=FLEET, headers={"Date": "Sat, 28 Nov 2026 17:00:00 GMT"})
    wrong = 1_795_885_200.0 + 3600.0  # an hour after that date
    clock = ServicesClock(wall=lambda: wrong)
    client = GeneratorClient("http://generator", transport=server.transport, clock=clock)
    with contextlib.suppress(BusyError):
        client.get_fleet()
    assert clock.skew_s == pytest.approx(-3600.0, abs=1.0)
    assert clock() == pytest.approx(1_795_885_200.0, abs=1.0)
