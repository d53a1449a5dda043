"""What clients of paai may rely on. One suite for the application on fakes and for the running system.

A subclass gives the fixture `paai_client`: an httpx.AsyncClient with a base URL. Every test uses device ids of its own.
"""

import asyncio
import json
import time
import uuid
from typing import Any

import httpx
import pytest

Json = dict[str, Any]

_FIELDS = {
    "Thermostat": ("temperature", -90, 200),
    "Barometer": ("pressure", 300, 1200),
    "Hygrometer": ("humidity", 0, 100),
    "HeartRateMeter": ("heart_rate", 0, 300),
}
#: Readings travel through Kafka and the sink before MongoDB has them.
_STORED_WITHIN_S = 60.0


def new_id() -> str:
    return f"contract-{uuid.uuid4().hex[:12]}"


def reading(device_id: Any, value: Any = 25.2, *, tag: str = "Thermostat", timestamp: Any = 1680033862, **extra: Any) -> Json:
    return {"device_id": device_id, "tag": tag, "timestamp": timestamp, _FIELDS[tag][0]: value, **extra}


async def post_device(client: httpx.AsyncClient, body: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await client.post("/api/v1/device", content=content)


async def post_devices(client: httpx.AsyncClient, body: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await client.post("/api/v1/devices", content=content)


async def rows(client: httpx.AsyncClient, kind: str = "statistics", **query: Any) -> list[Json]:
    answer = await client.post(f"/api/v1/{kind}", json=query)
    assert answer.status_code == 200, answer.text
    data: list[Json] = answer.json()["data"]
    return data


async def wait_stored(client: httpx.AsyncClient, device_ids: list[str], count: int) -> None:
    """Until `count` readings of these devices are stored."""
    deadline = time.monotonic() + _STORED_WITHIN_S
    while (found := sum(row["count"] for row in await rows(client, device_ids=device_ids))) < count:
        assert time.monotonic() < deadline, f"only {found} of {count} readings were stored within {_STORED_WITHIN_S:g} s"
        await asyncio.sleep(0.2)


def assert_refused(answer: httpx.Response, field: str | None = None) -> str:
    """It is a 422 that names the field; returns its text."""
    assert answer.status_code == 422, (answer.status_code, answer.text)
    detail = answer.json()["detail"]
    if field is not None:
        assert field in detail[0]["loc"], detail
    assert len(answer.content) < 20_000
    return json.dumps(detail, ensure_ascii=False)


class PaaiContract:
    """The suite."""

    # --- one reading --------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("tag", list(_FIELDS))
    async def test_each_tag_with_limits_inclusive(self, paai_client: httpx.AsyncClient, tag: str) -> None:
        field, low, high = _FIELDS[tag]
        for value in (low, high, (low + high) / 2, str(low)):
            answer = await post_device(paai_client, reading(new_id(), value, tag=tag))
            assert (answer.status_code, answer.content) == (200, b""), answer.text
        for value in (low - 0.001, high + 0.001):
            assert_refused(await post_device(paai_client, reading(new_id(), value, tag=tag)), field)

    @pytest.mark.parametrize(
        "timestamp",
        [1680033862, 1680033862.25, "1680033862", "1680033862.5", "2023-03-28T20:04:22Z", "2023-03-28T22:04:22.123456+02:00",
         "2023-03-28T20:04:22", "2023-03-28 20:04:22", "2023-03-28t20:04:22z", 0, -1, -0.5, "1583-01-01T00:00:00Z"],
    )  # fmt: skip
    async def test_timestamps_taken(self, paai_client: httpx.AsyncClient, timestamp: Any) -> None:
        assert (await post_device(paai_client, reading(new_id(), timestamp=timestamp))).status_code == 200

    @pytest.mark.parametrize(
        "timestamp",
        [True, None, [], {}, "", "yesterday", "2023-13-01T00:00:00Z", "9" * 400, 10**400, -(10**30), "0001-01-01T00:00:00Z",
         "1582-12-31T23:59:59.999Z", -1.3e10,
         "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", 99_999_999_999],
    )  # fmt: skip
    async def test_timestamps_refused(self, paai_client: httpx.AsyncClient, timestamp: Any) -> None:
        assert_refused(await post_device(paai_client, reading(new_id(), timestamp=timestamp)), "timestamp")

    async def test_milliseconds_by_mistake_are_named(self, paai_client: httpx.AsyncClient) -> None:
        for timestamp in (1680033862000, "1680033862000", 1.680033862e12):
            assert "milliseconds" in assert_refused(
                await post_device(paai_client, reading("1", timestamp=timestamp)), "timestamp"
            )

    async def test_the_future_is_refused_and_by_how_much(self, paai_client: httpx.AsyncClient) -> None:
        text = assert_refused(await post_device(paai_client, reading("1", timestamp=time.time() + 3600)), "timestamp")
        assert "59 min ahead" in text or "60 min ahead" in text
        assert (await post_device(paai_client, reading(new_id(), timestamp=time.time()))).status_code == 200

    @pytest.mark.parametrize("device_id", ["1", 1, -5, "a b", "Gerät-ü", "x" * 128, "温度", "$where", "a.b"])
    async def test_device_ids_taken(self, paai_client: httpx.AsyncClient, device_id: Any) -> None:
        assert (await post_device(paai_client, reading(device_id))).status_code == 200

    @pytest.mark.parametrize("device_id", ["", "x" * 129, True, None, 1.5, [], {}, "a\nb", "a\x00b", "\x7f", "​", 10**200])
    async def test_device_ids_refused(self, paai_client: httpx.AsyncClient, device_id: Any) -> None:
        assert_refused(await post_device(paai_client, reading(device_id)), "device_id")

    @pytest.mark.parametrize(
        "value", [True, None, "warm", "NaN", "inf", [], {}, float("nan"), float("inf"), -float("inf"), 10**400]
    )
    async def test_values_refused(self, paai_client: httpx.AsyncClient, value: Any) -> None:
        assert_refused(await post_device(paai_client, reading("1", value)), "temperature")

    async def test_a_billion_percent_is_refused(self, paai_client: httpx.AsyncClient) -> None:
        assert_refused(await post_device(paai_client, reading("1", 1e9, tag="Hygrometer")), "humidity")

    @pytest.mark.parametrize("missing", ["device_id", "tag", "timestamp", "temperature"])
    async def test_missing_fields_are_named(self, paai_client: httpx.AsyncClient, missing: str) -> None:
        body = reading("1")
        del body[missing]
        assert_refused(await post_device(paai_client, body), missing)

    async def test_extra_fields_are_ignored(self, paai_client: httpx.AsyncClient) -> None:
        body = reading(new_id(), extra=[{"deep": None}], unit="K")
        assert (await post_device(paai_client, body)).status_code == 200

    async def test_unknown_tag_is_named_and_not_echoed_at_length(self, paai_client: httpx.AsyncClient) -> None:
        text = assert_refused(await post_device(paai_client, {**reading("1"), "tag": "X" * 1_000_000}), "tag")
        assert "Thermostat" in text

    @pytest.mark.parametrize(
        "body",
        [b"", b" ", b"x", b"{", b"null", b"1", b'"x"', b"[]", b"\xff\xfe", b"\x00", b"{}x", b"[" * 100_000, b'{"a":' * 5000,
         b'{"device_id":"\\ud800","tag":"Thermostat","timestamp":1,"temperature":1}'],
    )  # fmt: skip
    async def test_what_is_no_reading_is_refused(self, paai_client: httpx.AsyncClient, body: bytes) -> None:
        assert_refused(await post_device(paai_client, body))
        assert_refused(await post_devices(paai_client, body))

    async def test_json_whatever_its_label(self, paai_client: httpx.AsyncClient) -> None:
        body = json.dumps(reading(new_id())).encode()
        for label in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8"):
            answer = await paai_client.post("/api/v1/device", content=body, headers={"content-type": label})
            assert answer.status_code == 200
        assert (await post_device(paai_client, b"\xef\xbb\xbf" + body)).status_code == 200

    # --- batches ------------------------------------------------------------------------------------------------------

    async def test_batch_of_good_ones(self, paai_client: httpx.AsyncClient) -> None:
        device = new_id()
        answer = await post_devices(paai_client, [reading(device, timestamp=1680033862 + i) for i in range(1000)])
        assert (answer.status_code, answer.json()) == (200, {"accepted": 1000, "rejected": []})

    async def test_bad_items_never_hold_back_good_ones(self, paai_client: httpx.AsyncClient) -> None:
        device = new_id()
        body: list[Any] = [
            reading(device, 1.0, timestamp=1),
            reading("", 2.0),
            reading(device, float("nan"), timestamp=2),
            17,
            reading(device, 3.0, timestamp="3"),
            reading(device, timestamp=time.time() + 60),
            None,
        ]
        text = json.dumps(body).replace("null", '{"device_id": "\\ud800"}').encode()
        answer = await post_devices(paai_client, text)
        assert answer.status_code == 200
        assert answer.json()["accepted"] == 2
        rejected = answer.json()["rejected"]
        assert [item["index"] for item in rejected] == [1, 2, 3, 5, 6]
        assert all(item["error"] for item in rejected)
        assert "device_id" in rejected[0]["error"]
        await wait_stored(paai_client, [device], 2)
        (row,) = await rows(paai_client, device_ids=[device])
        assert (row["minimum"], row["maximum"], row["count"]) == (1.0, 3.0, 2)

    async def test_batches_refused_as_a_whole(self, paai_client: httpx.AsyncClient) -> None:
        assert_refused(await post_devices(paai_client, []))
        assert_refused(await post_devices(paai_client, {}))
        assert_refused(await post_devices(paai_client, [reading(""), reading("1", 1e9)]))
        assert "10\u202f000" in assert_refused(await post_devices(paai_client, [reading("1")] * 10_001))
        assert "10\u202f000" in assert_refused(await post_devices(paai_client, [1] * 2_000_000))

    async def test_the_largest_batch(self, paai_client: httpx.AsyncClient) -> None:
        device = new_id()
        answer = await post_devices(paai_client, [reading(device, timestamp=i) for i in range(10_000)])
        assert answer.status_code == 200, answer.text
        assert answer.json()["accepted"] == 10_000

    # --- common rules -------------------------------------------------------------------------------------------------

    async def test_bodies_over_the_limit(self, paai_client: httpx.AsyncClient) -> None:
        async def stream() -> Any:
            for _ in range(9):
                yield b" " * 1024 * 1024

        for path in ("/api/v1/device", "/api/v1/devices", "/api/v1/average"):
            for content in (b" " * (8 * 1024 * 1024 + 1), stream()):
                answer = await paai_client.post(path, content=content)
                assert answer.status_code == 413
                assert isinstance(answer.json()["detail"], str)
        body = json.dumps(reading(new_id())).encode()
        assert (await post_device(paai_client, body + b" " * (8 * 1024 * 1024 - len(body)))).status_code == 200

    async def test_addresses_and_methods(self, paai_client: httpx.AsyncClient) -> None:
        for method, path, status in (
            ("GET", "/api/v1/device", 405),
            ("PUT", "/api/v1/devices", 405),
            ("DELETE", "/api/v1/average", 405),
            ("GET", "/nothing", 404),
            ("POST", "/api/v1/device/", 404),
        ):
            answer = await paai_client.request(method, path)
            assert answer.status_code == status, (method, path)
            assert "detail" in answer.json()
        options = await paai_client.options("/api/v1/device")
        assert (options.status_code, options.headers["allow"]) == (204, "POST, OPTIONS")
        assert (await paai_client.head("/healthz")).status_code == 200
        assert (await paai_client.head("/healthz")).content == b""

    async def test_health_metrics_docs(self, paai_client: httpx.AsyncClient) -> None:
        assert (await paai_client.get("/healthz")).status_code == 200
        assert (await paai_client.get("/readyz")).status_code == 200
        await post_device(paai_client, reading(new_id()))
        metrics = (await paai_client.get("/metrics")).text
        for name in ("paai_readings_accepted_total", "paai_ack_seconds_bucket", "paai_readings_in_flight"):
            assert name in metrics
        page = await paai_client.get("/docs")
        assert page.headers["content-type"].startswith("text/html")
        assert "://" not in page.text.replace("http://www.w3.org", "")
        paths = (await paai_client.get("/openapi.json")).json()["paths"]
        assert {"/api/v1/device", "/api/v1/devices", "/api/v1/average", "/api/v1/statistics"} <= set(paths)
        assert set(paths["/api/v1/devices"]) == {"get", "post"}

    # --- queries ------------------------------------------------------------------------------------------------------

    async def test_queries_are_exact(self, paai_client: httpx.AsyncClient) -> None:
        one, two = new_id(), new_id()
        base = 1_700_000_000
        stream = [reading(one, 20 + i / 4, timestamp=base + i) for i in range(20)]
        stream += [reading(two, 40 + i, tag="Hygrometer", timestamp=base + i / 2) for i in range(10)]
        assert (await post_devices(paai_client, [*stream, *stream[:5]])).json()["accepted"] == 35
        await wait_stored(paai_client, [one, two], 30)

        frame = {"from": base + 5, "to": base + 15}
        expected = [20 + i / 4 for i in range(5, 15)]
        asked = {"device_ids": [one, one, "nobody"], **frame}
        average = sum(expected) / len(expected)
        assert await rows(paai_client, "average", **asked) == [{"device_id": one, "sensor": "temperature", "average": average}]
        assert await rows(paai_client, "maximum", **asked) == [{"device_id": one, "sensor": "temperature", "maximum": 23.5}]
        assert await rows(paai_client, "minimum", **asked) == [{"device_id": one, "sensor": "temperature", "minimum": 21.25}]
        both = await rows(paai_client, "statistics", device_ids=[two, one])
        assert [row["device_id"] for row in both] == sorted([one, two])
        counts = {row["device_id"]: row["count"] for row in both}
        assert counts == {one: 20, two: 10}
        assert await rows(paai_client, "statistics", device_ids=[one], sensor="humidity") == []
        answer = (
            await paai_client.post("/api/v1/average", json={"device_ids": [one], "from": base + 5, "to": base + 5.5})
        ).json()
        assert answer["from"] == "2023-11-14T22:13:25.000Z"
        assert answer["to"] == "2023-11-14T22:13:25.500Z"
        assert [row["average"] for row in answer["data"]] == [21.25]
        absent = (await paai_client.post("/api/v1/average", json={"device_ids": [one]})).json()
        assert absent["from"] == "2023-11-14T22:13:20.000Z"

    async def test_the_far_past_is_stored_as_it_was_measured(self, paai_client: httpx.AsyncClient) -> None:
        past = ("1583-01-01T00:00:00.001Z", "1899-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00.000Z")
        devices = {new_id(): text for text in past}
        await post_devices(paai_client, [reading(device, 20, timestamp=text) for device, text in devices.items()])
        await wait_stored(paai_client, list(devices), len(devices))
        for device, text in devices.items():
            answer = await paai_client.post("/api/v1/average", json={"device_ids": [device]})
            assert answer.json()["from"] == text

    async def test_queries_refused(self, paai_client: httpx.AsyncClient) -> None:
        for kind in ("average", "maximum", "minimum", "statistics"):
            bodies: tuple[Json, ...] = (
                {"device_ids": []},
                {},
                {"device_ids": "1"},
                {"device_ids": [""]},
                {"device_ids": ["1"], "from": 5, "to": 5},
                {"device_ids": ["1"], "from": 6, "to": 5},
                {"device_ids": ["1"], "from": "soon"},
                {"device_ids": ["1"], "from": 1e12},
                {"device_ids": ["1"], "sensor": "wind"},
            )
            for body in bodies:
                assert_refused(await paai_client.post(f"/api/v1/{kind}", json=body))
            for raw in (b"", b"x", b"\xff", b"[" * 100_000, b'{"device_ids": ["1"], "from": NaN}', b'{"device_ids": NaN}'):
                assert_refused(await paai_client.post(f"/api/v1/{kind}", content=raw))

    async def test_query_frames_beyond_the_data(self, paai_client: httpx.AsyncClient) -> None:
        device = new_id()
        for frame in ({"from": -1}, {"from": "1900-01-01", "to": "9999-12-31T23:59:59Z"}, {"from": "9000-01-01T00:00:00Z"}):
            assert await rows(paai_client, "average", device_ids=[device], **frame) == []

    async def test_device_list_pages(self, paai_client: httpx.AsyncClient) -> None:
        prefix = new_id()
        ids = [f"{prefix}-{i:02d}" for i in range(7)]
        stream = [reading(device, timestamp=1_700_000_000 + i) for device in ids for i in range(3)]
        stream += [reading(ids[3], 50, tag="Hygrometer", timestamp=1_700_000_100)]
        assert (await post_devices(paai_client, stream)).status_code == 200
        await wait_stored(paai_client, ids, len(stream))

        whole = (await paai_client.get("/api/v1/devices", params={"prefix": prefix})).json()
        pairs = [(row["device_id"], row["sensor"]) for row in whole["devices"]]
        expected = sorted([(device, "temperature") for device in ids] + [(ids[3], "humidity")])
        assert (pairs, whole["next"]) == (expected, None)
        assert whole["devices"][0] == {
            "device_id": ids[0],
            "sensor": "temperature",
            "first": "2023-11-14T22:13:20.000Z",
            "last": "2023-11-14T22:13:22.000Z",
            "count": 3,
        }
        for limit in (1, 2, 3, 4, 8):
            paged: list[tuple[str, str]] = []
            after: str | None = ""
            while after is not None:
                page = (
                    await paai_client.get("/api/v1/devices", params={"prefix": prefix, "limit": limit, "after": after})
                ).json()
                assert len(page["devices"]) <= limit
                paged += [(row["device_id"], row["sensor"]) for row in page["devices"]]
                after = page["next"]
            assert paged == expected, limit
        humid = (await paai_client.get("/api/v1/devices", params={"prefix": prefix, "sensor": "humidity"})).json()
        assert [(row["device_id"], row["count"]) for row in humid["devices"]] == [(ids[3], 1)]

    async def test_device_list_refuses(self, paai_client: httpx.AsyncClient) -> None:
        for query in (
            {"limit": 0},
            {"limit": 10**9},
            {"limit": "many"},
            {"after": "%%%"},
            {"after": "WzEsMl0"},
            {"sensor": "wind"},
        ):
            assert_refused(await paai_client.get("/api/v1/devices", params=query))
