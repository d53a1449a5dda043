"""The contract's generator table, against the application with a fake clock and a fake paai."""

import asyncio
import gzip
import itertools
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.contract.times import from_iso
from backend.generator.main import create_app
from backend.generator.settings import GeneratorSettings
from tests.unit.generator.fakes import FakeClock, FakePaai

TAGS = ("Thermostat", "Barometer", "Hygrometer", "HeartRateMeter")


class Rig:
    """One running generator.

    Attributes:
        http: Its client.
        paai: What it posts to.
    """

    def __init__(self, http: httpx.AsyncClient, paai: FakePaai, clock: FakeClock) -> None:
        self.http, self.paai, self.clock = http, paai, clock

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self.http.request(method, f"/api/v1/{path}", **options)

    async def fleet(self) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.call("GET", "fleet")).json()
        return answer

    async def put(self, **body: Any) -> httpx.Response:
        return await self.call("PUT", "fleet", json=body)


@asynccontextmanager
async def generator(
    state_dir: Path | None, *, clock: FakeClock | None = None, paai: FakePaai | None = None, **settings: Any
) -> AsyncIterator[Rig]:
    clock = clock or FakeClock()
    paai = paai or FakePaai(clock)
    # No flush at the end: nobody moves the clock then.
    app = create_app(GeneratorSettings(state_dir=state_dir, flush_s=0, **settings), clock=clock, transport=paai.transport)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://generator") as http:
            yield Rig(http, paai, clock)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with generator(tmp_path) as running:
        yield running


async def test_start_status_stop_as_the_original(rig: Rig) -> None:
    assert (await rig.call("GET", "status")).json() == {"status": "stopped", "numDevices": 0, "devices": []}
    for n in (0, -3):
        assert (await rig.call("POST", f"start?numDevices={n}")).status_code == 406
    assert (await rig.call("POST", "start?numDevices=12")).status_code == 200
    assert (await rig.call("POST", "start?numDevices=3")).status_code == 208
    status = (await rig.call("GET", "status")).json()
    assert (status["status"], status["numDevices"]) == ("running", 12)
    assert [d["device_id"] for d in status["devices"]] == [str(i) for i in range(1, 13)]
    assert [d["tag"] for d in status["devices"]][:4] == ["HeartRateMeter", "Hygrometer", "Hygrometer", "Barometer"]
    await rig.clock.advance(3.0)
    assert len(rig.paai.arrivals) == 36
    assert {a.device_id: a.tag for a in rig.paai.arrivals} == {d["device_id"]: d["tag"] for d in status["devices"]}
    assert (await rig.call("POST", "stop")).status_code == 200
    assert (await rig.call("POST", "stop")).status_code == 200
    await rig.clock.advance(3.0)
    assert len(rig.paai.arrivals) == 36
    status = (await rig.call("GET", "status")).json()
    assert (status["status"], status["numDevices"]) == ("stopped", 12)
    assert (await rig.call("POST", "start?numDevices=3")).status_code == 200
    assert (await rig.call("GET", "status")).json()["numDevices"] == 3


@pytest.mark.parametrize("query", ["", "?numDevices=", "?numDevices=x", "?numDevices=1.5", "?numDevices=20001", "?n=3"])
async def test_start_without_a_usable_number(rig: Rig, query: str) -> None:
    response = await rig.call("POST", f"start{query}")
    assert response.status_code == 422
    assert "numDevices" in response.text


async def test_the_fleet_s_answer_and_ids(rig: Rig) -> None:
    response = await rig.put(Thermostat=2, HeartRateMeter=1)
    assert response.status_code == 200
    assert response.json() == {
        "Thermostat": 2,
        "Barometer": 0,
        "Hygrometer": 0,
        "HeartRateMeter": 1,
        "interval_s": 1.0,
        "running": True,
        "wanted_per_s": 3.0,
        "sent_per_s": 0.0,
        "acknowledged": 0,
        "retried": 0,
        "given_up": 0,
        "backlog": 0,
        "behind_ms": 0.0,
    }
    await rig.clock.advance(10.0)
    fleet = await rig.fleet()
    assert (fleet["acknowledged"], fleet["sent_per_s"]) == (30, 3.0)
    assert {a.device_id for a in rig.paai.arrivals} == {"thermostat-00001", "thermostat-00002", "heartratemeter-00001"}
    assert {path for path, _ in rig.paai.posts} == {"/api/v1/device"}  # three lone readings a second


async def test_readings_of_a_slot_travel_together_at_their_phase(rig: Rig) -> None:
    await rig.put(**dict.fromkeys(TAGS, 100))
    await rig.clock.advance(10.0)
    assert len(rig.paai.posts) == 200
    assert {n for _, n in rig.paai.posts} == {20}  # evenly spread
    assert len(rig.paai.arrivals) == 4000
    for a in rig.paai.arrivals:
        assert 0 <= a.arrived_ms - a.at_ms <= 50
    for device_id in ("thermostat-00001", "hygrometer-00100"):
        stamps = rig.paai.of(device_id)
        assert {b - a for a, b in itertools.pairwise(stamps)} == {1000}
    assert max(rig.paai.identities().values()) == 1


async def test_joining_and_leaving_disturb_nobody(rig: Rig) -> None:
    alone = FakePaai(FakeClock())
    async with generator(None, clock=alone.clock, paai=alone) as other:
        await other.put(Thermostat=10)
        await alone.clock.advance(12.02)
    await rig.put(Thermostat=10)
    await rig.clock.advance(3.3)
    assert (await rig.put(Barometer=500, Thermostat=40)).json()["Thermostat"] == 40
    await rig.clock.advance(3.3)
    await rig.put(Barometer=0)
    await rig.put(Thermostat=10)
    await rig.clock.advance(5.42)

    def of_ten(paai: FakePaai) -> dict[tuple[str, int], float]:
        return {
            (a.device_id, a.at_ms): a.value for a in paai.arrivals if a.device_id <= "thermostat-00010" and a.tag == TAGS[0]
        }

    assert of_ten(rig.paai) == of_ten(alone)  # same times, same values
    assert len(of_ten(alone)) == 120
    last = max(a.at_ms for a in rig.paai.arrivals if a.tag == "Barometer")
    assert last < rig.clock.wall() * 1000 - 5000


async def test_all_zero_is_stopped_and_the_interval_is_followed(rig: Rig) -> None:
    await rig.put(Thermostat=4, interval_s=0.5)
    await rig.clock.advance(5.0)
    assert len(rig.paai.arrivals) == 40
    fleet = (await rig.put(Thermostat=0)).json()
    assert (fleet["running"], fleet["wanted_per_s"]) == (False, 0.0)
    assert (await rig.call("GET", "status")).json()["status"] == "stopped"
    await rig.clock.advance(5.0)
    assert len(rig.paai.arrivals) == 40
    assert (await rig.put(interval_s=2.0)).json()["running"] is False
    await rig.put(Thermostat=4)
    await rig.clock.advance(10.0)
    assert len(rig.paai.arrivals) == 60


async def test_a_numbered_fleet_counts_by_type(rig: Rig) -> None:
    await rig.call("POST", "start?numDevices=40")
    status = (await rig.call("GET", "status")).json()
    fleet = await rig.fleet()
    assert {tag: fleet[tag] for tag in TAGS} == Counter(d["tag"] for d in status["devices"])
    assert fleet["wanted_per_s"] == 40.0


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"Thermostat": -1}, "Thermostat"),
        ({"Thermostat": 5001}, "Thermostat"),
        ({"Barometer": 1.5}, "Barometer"),
        ({"Barometer": "3"}, "Barometer"),
        ({"Barometer": True}, "Barometer"),
        ({"thermostat": 1}, "thermostat"),
        ({"interval_s": 0}, "interval_s"),
        ({"interval_s": 0.01}, "interval_s"),
        ({"interval_s": 3601}, "interval_s"),
        ({"interval_s": "1"}, "interval_s"),
        ([], "body"),
    ],
)
async def test_a_fleet_that_cannot_be(rig: Rig, body: Any, names: str) -> None:
    await rig.put(Thermostat=1)
    response = await rig.call("PUT", "fleet", json=body)
    assert response.status_code == 422
    assert names in response.text
    assert (await rig.fleet())["Thermostat"] == 1


@pytest.mark.parametrize("content", [b"", b"{", b'{"Thermostat": NaN}', b"\xff\xfe", b"[" * 10_000])
async def test_a_body_that_is_no_json(rig: Rig, content: bytes) -> None:
    for path in ("fleet", "faults"):
        response = await rig.call("PUT", path, content=content, headers={"content-type": "application/json"})
        assert response.status_code == 422


async def test_a_packed_body_is_unpacked_and_bounded(rig: Rig) -> None:
    async def put(body: bytes, coding: str) -> httpx.Response:
        return await rig.call("PUT", "fleet", content=body, headers={"content-encoding": coding})

    packers: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
    for n, (coding, pack) in enumerate(packers.items(), 1):
        assert (await put(pack(b'{"Thermostat": %d}' % n), coding)).status_code == 200
        assert (await rig.fleet())["Thermostat"] == n
        assert (await put(pack(b" " * (20 * 1024 * 1024)), coding)).status_code == 413
        assert (await put(b"{}", f"{coding}, gzip")).status_code == 415
    assert (await rig.fleet())["Thermostat"] == 2


@pytest.mark.parametrize("start", ["start?numDevices=8", None])
async def test_the_fleet_is_kept_over_a_restart(tmp_path: Path, start: str | None) -> None:
    clock = FakeClock()
    async with generator(tmp_path, clock=clock) as first:
        if start:
            await first.call("POST", start)
        else:
            await first.put(Thermostat=3, Hygrometer=2, interval_s=2)
        await first.call("PUT", "faults", json={"spike": {"share": 0.5}})
        before = await first.fleet(), (await first.call("GET", "status")).json(), (await first.call("GET", "faults")).json()
    async with generator(tmp_path, clock=clock) as second:
        after = await second.fleet(), (await second.call("GET", "status")).json(), (await second.call("GET", "faults")).json()
        assert after == before
        await clock.advance(2.0)
        assert second.paai.arrivals
        await second.call("POST", "stop")
    async with generator(tmp_path, clock=clock) as third:
        assert (await third.fleet())["running"] is False
        await clock.advance(2.0)
        assert third.paai.arrivals == []


async def test_a_change_that_cannot_be_saved_is_not_made(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.put(Thermostat=1)

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    response = await rig.put(Thermostat=2)
    assert response.status_code == 503
    assert "No space left" in response.json()["detail"]
    assert "retry-after" in response.headers
    assert (await rig.fleet())["Thermostat"] == 1


async def test_an_outage_is_counted_and_caught_up(rig: Rig) -> None:
    rig.paai.answer = lambda _: httpx.Response(503, headers={"Retry-After": "1"})
    await rig.put(Thermostat=20)
    await rig.clock.advance(10.0)
    fleet = await rig.fleet()
    assert (fleet["sent_per_s"], fleet["acknowledged"], fleet["backlog"]) == (0.0, 0, 200)
    assert fleet["retried"] > 0
    assert fleet["behind_ms"] < 50  # measured in time all the same
    rig.paai.answer = lambda _: None
    await rig.clock.advance(10.0)
    fleet = await rig.fleet()
    assert (fleet["acknowledged"], fleet["backlog"], fleet["given_up"]) == (400, 0, 0)
    assert set(rig.paai.identities().values()) == {1}
    stamps = sorted(rig.paai.of("thermostat-00007"))
    assert {b - a for a, b in itertools.pairwise(stamps)} == {1000}


async def test_stopping_in_an_outage_is_bounded(rig: Rig) -> None:
    rig.paai.answer = lambda _: httpx.Response(503)
    await rig.put(Thermostat=20)
    await rig.clock.advance(3.0)
    stop = asyncio.create_task(rig.call("POST", "stop"))
    for _ in range(100):  # the state is saved in a thread first
        if stop.done():
            break
        await rig.clock.advance(0.1)
        await asyncio.sleep(0.01)
    assert (await stop).status_code == 200
    fleet = await rig.fleet()
    assert fleet["backlog"] == 0
    assert 60 <= fleet["given_up"] <= 80  # those of the moments until the state was saved too


async def test_faults_and_their_log(rig: Rig) -> None:
    assert (await rig.call("GET", "faults")).json() == {"seed": 0}
    await rig.put(Thermostat=60)
    await rig.clock.advance(2.0)
    plan = {
        "seed": 3,
        "dropout": {"share": 0.2, "duration_s": 5},
        "late": {"share": 0.1, "magnitude": 2},
        "duplicate": {"share": 0.1},
    }
    answer = (await rig.call("PUT", "faults", json=plan)).json()
    assert answer["dropout"] == {"share": 0.2, "magnitude": 8.0, "duration_s": 5.0}
    await rig.clock.advance(30.0)
    events: list[dict[str, Any]] = []
    after = 0
    while True:
        page = (await rig.call("GET", f"faults/log?after={after}")).json()
        if not page["events"]:
            break
        events += page["events"]
        after = page["next"]
    assert [e["n"] for e in events] == list(range(1, len(events) + 1))
    by_kind = Counter(e["kind"] for e in events)
    assert set(by_kind) == {"dropout", "late", "duplicate"}
    await rig.call("PUT", "faults", json={})
    await rig.clock.advance(5.0)

    arrived = {(a.device_id, a.at_ms): a for a in rig.paai.arrivals}
    for e in events:
        start, end = from_iso(e["start"]), from_iso(e["end"])
        if e["kind"] == "dropout":
            assert not any(d == e["device_id"] and start <= t < min(end, rig.clock.wall() * 1000 - 5001) for d, t in arrived)
        else:
            copies = [a for a in rig.paai.arrivals if (a.device_id, a.at_ms) == (e["device_id"], start)]
            assert max(a.arrived_ms for a in copies) - end < 2100 + 60
            assert max(a.arrived_ms for a in copies) >= end
            assert len({a.value for a in copies}) == 1
    twice = {k for k, n in rig.paai.identities().items() if n == 2}
    assert twice == {(e["device_id"], from_iso(e["start"])) for e in events if e["kind"] == "duplicate"}
    assert max(rig.paai.identities().values()) == 2


async def test_nothing_that_was_held_back_is_sent_after_the_stop(rig: Rig) -> None:
    await rig.call("PUT", "faults", json={"late": {"share": 1, "magnitude": 30}})
    await rig.put(Thermostat=10)
    await rig.clock.advance(5.0)
    assert rig.paai.arrivals == []
    await rig.call("POST", "stop")
    arrived = len(rig.paai.arrivals)
    assert arrived >= 50
    await rig.clock.advance(60.0)
    assert len(rig.paai.arrivals) == arrived


@pytest.mark.parametrize("body", [{"spike": {"share": 2}}, {"spike": {}}, {"glitch": {"share": 0.1}}, {"seed": "x"}, [], 3])
async def test_bad_faults_are_refused_and_change_nothing(rig: Rig, body: Any) -> None:
    await rig.call("PUT", "faults", json={"drift": {"share": 0.1}})
    before = (await rig.call("GET", "faults")).json()
    assert (await rig.call("PUT", "faults", json=body)).status_code == 422
    assert (await rig.call("GET", "faults")).json() == before


@pytest.mark.parametrize("after", ["-1", "x", "1.5", str(2**70)])
async def test_a_bad_place_in_the_log(rig: Rig, after: str) -> None:
    assert (await rig.call("GET", f"faults/log?after={after}")).status_code == 422


async def test_readiness_and_metrics(rig: Rig) -> None:
    assert (await rig.http.get("/healthz")).status_code == 200
    assert (await rig.http.get("/readyz")).status_code == 200
    await rig.put(Thermostat=5)
    await rig.clock.advance(5.0)
    text = (await rig.http.get("/metrics")).text
    assert 'generator_devices{tag="Thermostat"} 5.0' in text
    acknowledged = next(line for line in text.splitlines() if line.startswith("generator_readings_acknowledged_total "))
    assert 15 <= float(acknowledged.split()[1]) <= 25
    assert "generator_slot_lag_seconds_count 25.0" in text


async def test_the_token_is_asked_for_and_sent_on(tmp_path: Path) -> None:
    seen: set[str | None] = set()

    def answer(request: httpx.Request) -> None:
        seen.add(request.headers.get("authorization"))

    clock = FakeClock()
    async with generator(tmp_path, clock=clock, paai=FakePaai(clock, answer), token="secret\nolder") as rig:
        assert (await rig.put(Thermostat=1)).status_code == 401
        rig.http.headers["authorization"] = "Bearer secret"
        assert (await rig.put(Thermostat=1)).status_code == 200
        await clock.advance(2.0)
    assert seen == {"Bearer secret"}
