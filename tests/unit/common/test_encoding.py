"""Content-Encoding: what is taken, and that neither size nor work of unpacking has no bound."""

import contextlib
import gzip
import json
import sys
import zlib
from collections.abc import Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.common.encoding import MAX_MEMBERS, coding_of, unpack
from backend.common.errors import BodyTooLargeError, InvalidInputError, UnsupportedEncodingError
from backend.contract.limits import MAX_BODY_BYTES
from tests.helpers.paai import running_paai

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

READING = b'{"device_id":"1","tag":"Thermostat","timestamp":1680033862,"temperature":25.2}'


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


PACKERS: dict[str, list[Callable[[bytes], bytes]]] = {
    "gzip": [gzip.compress, lambda body: gzip.compress(body[:5]) + gzip.compress(body[5:])],
    "x-gzip": [gzip.compress],
    "deflate": [zlib.compress, raw_deflate],
    "zstd": [zstd.compress, lambda body: zstd.compress(body[:5]) + zstd.compress(body[5:])],
}
CASES = [(coding, pack) for coding, packers in PACKERS.items() for pack in packers]


@pytest.mark.parametrize(("coding", "pack"), CASES)
def test_each_coding_goes_round(coding: str, pack: Callable[[bytes], bytes]) -> None:
    for body in (b"", READING, READING * 100_000):
        assert unpack(pack(body), coding, limit=MAX_BODY_BYTES) == body


@pytest.mark.parametrize(("coding", "pack"), CASES)
def test_the_limit_is_on_unpacked_bytes(coding: str, pack: Callable[[bytes], bytes]) -> None:
    assert len(unpack(pack(bytes(1000)), coding, limit=1000)) == 1000
    with pytest.raises(BodyTooLargeError):
        unpack(pack(bytes(1001)), coding, limit=1000)


@pytest.mark.parametrize(("coding", "pack"), CASES)
def test_what_is_cut_off_or_garbled_is_refused(coding: str, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(READING * 3)
    for bad in (packed[:-1], packed[: len(packed) // 2], packed + b"x", READING):
        with pytest.raises(InvalidInputError):
            unpack(bad, coding, limit=MAX_BODY_BYTES)


@pytest.mark.parametrize(("coding", "pack"), CASES)
def test_bytes_behind_the_packed_body_are_named(coding: str, pack: Callable[[bytes], bytes]) -> None:
    for rest, words in (
        (b"x", "1 byte that cannot be unpacked follows its end"),
        (READING, "cannot be unpacked follow its end"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            unpack(pack(READING) + rest, coding, limit=MAX_BODY_BYTES)
        assert words in caught.value.detail[0]["msg"]  # type: ignore[index]


def test_members_are_bounded() -> None:
    with pytest.raises(InvalidInputError):
        unpack(gzip.compress(b"") * (MAX_MEMBERS + 1), "gzip", limit=10)


def test_a_window_over_8_mib_is_refused() -> None:
    packed = zstd.compress(b"x" * 100, options={zstd.CompressionParameter.window_log: 10})
    assert unpack(packed, "zstd", limit=100) == b"x" * 100
    packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 25})
    with pytest.raises(InvalidInputError):
        unpack(packer.compress(b"x") + packer.flush(), "zstd", limit=MAX_BODY_BYTES)


@given(st.binary(max_size=300), st.sampled_from(sorted(PACKERS)))
def test_any_bytes_are_unpacked_or_refused(body: bytes, coding: str) -> None:
    with contextlib.suppress(InvalidInputError, BodyTooLargeError):
        assert len(unpack(body, coding, limit=100)) <= 100


def test_which_coding_a_request_has() -> None:
    def coding(*values: str) -> str:
        return coding_of([(b"host", b"x"), *((b"content-encoding", value.encode()) for value in values)])

    assert [coding(), coding(""), coding("identity"), coding("GZip"), coding(" identity , x-gzip")] == [
        "",
        "",
        "",
        "gzip",
        "x-gzip",
    ]
    for values in (("gzip, gzip",), ("gzip", "zstd"), ("br",), ("compress",), ("*",), ("gzip;q=1",), ("x" * 9000,)):
        with pytest.raises(UnsupportedEncodingError) as caught:
            coding(*values)
        assert caught.value.headers["Accept-Encoding"] == "gzip, deflate, zstd"
        assert len(str(caught.value.detail)) < 200


@pytest.mark.parametrize(("coding", "pack"), CASES)
async def test_packed_bodies_reach_every_kind_of_call(coding: str, pack: Callable[[bytes], bytes]) -> None:
    async with running_paai() as paai:

        async def post(path: str, body: bytes) -> httpx.Response:
            return await paai.client.post(path, content=pack(body), headers={"content-encoding": coding})

        assert (await post("/api/v1/device", READING)).status_code == 200
        assert (await post("/api/v1/devices", b"[" + READING + b"]")).json() == {"accepted": 1, "rejected": []}
        rows = (await post("/api/v1/statistics", json.dumps({"device_ids": ["1"]}).encode())).json()["data"]
        assert [row["count"] for row in rows] == [1]
        for path in ("/api/v1/device", "/api/v1/devices", "/api/v1/average"):
            bomb = pack(b"[" + b" " * (20 * 1024 * 1024) + b"]")
            assert len(bomb) < 25 * 1024
            answer = await paai.client.post(path, content=bomb, headers={"content-encoding": coding})
            assert (answer.status_code, "8 MiB" in answer.json()["detail"]) == (413, True)
            answer = await paai.client.post(path, content=READING, headers={"content-encoding": coding})
            assert (answer.status_code, coding in answer.json()["detail"][0]["msg"]) == (422, True)
            for other in ("gzip, gzip", "br"):
                answer = await paai.client.post(path, content=READING, headers={"content-encoding": other})
                assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "gzip, deflate, zstd")
