"""One reading sent all the way: posted to paai, awaited in MongoDB, removed there. Both targets end `up` with it.

With a backlog in Kafka it is enough that paai took the reading and that the sink stores what waits before it.
"""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pymongo
from pymongo.collection import Collection
from pymongo.errors import OperationFailure, PyMongoError

from backend.contract import names
from backend.contract.canary import CANARY_TIME_MS, new_canary_id
from backend.contract.devices import THERMOSTAT
from backend.contract.documents import DECODING
from backend.contract.times import to_datetime, to_iso
from stack.backlog import BacklogMeter, OffsetSource
from stack.errors import CancelledError, WaitTimeoutError

POST_TIMEOUT_S = 120.0
ARRIVAL_TIMEOUT_S = 180.0
_POLL_S = 0.1
#: Kafka is asked this seldom; Connect commits every 5 s.
_OFFSETS_POLL_S = 2.0
_UNAUTHORIZED = 13


def send(
    *,
    paai: str,
    mongo: str,
    command: Callable[[str], str],
    token: str | None = None,
    offsets: OffsetSource | None = None,
    cancel: threading.Event,
) -> Iterator[str]:
    """Yield what it waits for, one sentence at a time, and last the result.

    That is: the reading arrived and was removed, or readings that wait before it are being stored.

    Args:
        paai: Its address, ``http://127.0.0.1:8000``.
        mongo: URI of the database, with the login of a user who may read there.
        command: Makes "logs paai" into the command line that asks this very system.
        token: Bearer token, where paai wants one.
        offsets: Kafka; None: a backlog is not looked for.

    Raises:
        WaitTimeoutError: it was not taken, or did not arrive.
        CancelledError: `cancel` was set.
    """
    begun = time.monotonic()
    device_id = new_canary_id()
    reading = {
        "tag": THERMOSTAT.tag,
        "device_id": device_id,
        "timestamp": to_iso(CANARY_TIME_MS),
        THERMOSTAT.field: 20.0,
    }
    yield "Posts a test reading to paai."
    answer = _post(paai, token, reading, begun + POST_TIMEOUT_S, cancel)
    if answer:
        raise WaitTimeoutError(
            "canary",
            f"paai did not take a test reading within {POST_TIMEOUT_S:.0f} s",
            why=answer,
            remedy=f"See `{command('logs paai')}`.",
            service="paai",
        )
    yield "Waits for the test reading to arrive in MongoDB."
    identity = {
        "device_id": device_id,
        "sensor": THERMOSTAT.sensor,
        "timestamp": to_datetime(CANARY_TIME_MS),
    }
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        mongo, directConnection=True, serverSelectionTimeoutMS=3000, socketTimeoutMS=5000, **DECODING
    )
    with client:
        collection = client[names.DATABASE][names.COLLECTION_MESSAGES]
        deadline, problem = time.monotonic() + ARRIVAL_TIMEOUT_S, ""
        # Without a backlog the test reading is there before Kafka is asked for the first time.
        meter, look_at = BacklogMeter(), time.monotonic() + _OFFSETS_POLL_S
        while True:
            try:
                if collection.find_one(identity) is not None:
                    _remove(collection, identity)
                    yield f"A reading arrived after {time.monotonic() - begun:.1f} s."
                    return
            except PyMongoError as error:
                problem = f"MongoDB: {str(error).splitlines()[0][:200]}."
            if offsets is not None and time.monotonic() >= look_at:
                look_at = time.monotonic() + _OFFSETS_POLL_S
                if (found := offsets.read()) is not None:
                    meter.add(time.monotonic(), found)
                    if meter.is_draining():
                        # The operator removes the test reading once it has arrived.
                        yield f"paai took a test reading. {meter.sentence()}"
                        return
                    if meter.waiting > 1:
                        yield f"Waits for the test reading to arrive in MongoDB: {meter.sentence()}"
            if time.monotonic() > deadline:
                waits = f" {meter.sentence()}" if meter.waiting else ""
                raise WaitTimeoutError(
                    "canary",
                    f"A test reading that paai took did not reach MongoDB within {ARRIVAL_TIMEOUT_S:.0f} s",
                    why=f"{problem or 'Kafka Connect has not written it.'}{waits}",
                    remedy=f"See `{command('logs connect')}`.",
                    service="connect",
                )
            _pause(cancel)


def _remove(collection: Collection[dict[str, Any]], identity: dict[str, Any]) -> None:
    try:
        collection.delete_many(identity)
    except OperationFailure as error:
        # Whoever may only read leaves it to the operator, which removes old ones.
        if error.code != _UNAUTHORIZED:
            raise


def _post(paai: str, token: str | None, reading: dict[str, object], deadline: float, cancel: threading.Event) -> str:
    """Empty once it was taken, else the last answer as a sentence."""
    problem, headers = "", {"Authorization": f"Bearer {token}"} if token else {}
    with httpx.Client(timeout=10.0, trust_env=False) as client:
        while time.monotonic() < deadline:
            try:
                answer = client.post(f"{paai}/api/v1/device", json=reading, headers=headers)
            except httpx.HTTPError as error:
                problem = f"It does not answer ({str(error) or type(error).__name__})."
            else:
                if answer.status_code == httpx.codes.OK:
                    return ""
                problem = f"It answers {answer.status_code}: {answer.text[:200]}"
            _pause(cancel)
    return problem or "There was no time left."


def _pause(cancel: threading.Event) -> None:
    if cancel.wait(_POLL_S):
        raise CancelledError("Stopped as you asked.", remedy="Run it again to go on, or take the system down.")
