"""Cursors, and a database that is not there."""

import asyncio
import gc
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.common.errors import InvalidInputError, UnavailableError
from backend.paai.history import MongoHistory
from backend.paai.stored import decode_cursor, encode_cursor


@given(st.text(), st.text())
def test_cursors_go_round(device_id: str, sensor: str) -> None:
    if any("\ud800" <= char <= "\udfff" for char in device_id):
        return
    assert decode_cursor(encode_cursor(device_id, sensor)) == (device_id, sensor)


@given(st.text())
def test_what_is_no_cursor_is_refused(text: str) -> None:
    try:
        decode_cursor(text)
    except InvalidInputError as error:
        assert "after" in str(error)  # noqa: PT017 - most texts are refused, not all


# The driver forgets the socket of an attempt to connect that its own close() interrupts.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
async def test_no_database_is_said_within_seconds() -> None:
    # Port 9 of the loopback: nobody listens.
    history = MongoHistory(uri="mongodb://127.0.0.1:9/", select_timeout_s=0.3, query_timeout_s=30)
    begun = time.monotonic()
    with pytest.raises(UnavailableError, match="does not answer"):
        await history.statistics(["1"], ["temperature"], from_ms=None, to_ms=1)
    with pytest.raises(UnavailableError, match="does not answer"):
        await history.devices(sensors=["temperature"], prefix="", limit=1, after=None)
    assert "does not answer" in await history.check()
    assert time.monotonic() - begun < 5
    await history.close()
    await asyncio.sleep(0)
    gc.collect()  # here, where that is expected, and not in whatever test comes next
