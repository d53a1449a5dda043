"""Some minutes through the whole running system: its generator misbehaves, its Spark job scores, MongoDB has both sides."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import httpx
from pymongo import MongoClient

from backend.contract.names import COLLECTION_PREDICTIONS, DATABASE
from backend.contract.times import from_datetime, from_iso, to_datetime
from backend.predictor.metrics.events import Span, Tally, touches
from tests.evaluation.measure import KINDS, OURS, TOLERANCE_MS, Totals

Document = Mapping[str, Any]
#: Readings of each device before faults begin: what is stuck is judged from 300 on.
_WARM_S = 360.0
#: For the last readings to come through.
_DRAIN_S = 30.0


def run(
    endpoints: Document, plan: Document, *, per_type: int, minutes: float, totals: Totals, say: Callable[[str], None]
) -> None:
    """Let the running system's fleet misbehave and add what was found to the totals. Stops fleet and faults at the end.

    Args:
        endpoints: As ``python -m stack endpoints --json`` prints them.
        plan: The faults, as the generator takes them.
        per_type: Devices of each type.
        minutes: With faults.
        totals: Gets the counts.
        say: Told what goes on.

    Raises:
        httpx.HTTPError, pymongo.errors.PyMongoError: the system does not answer.
    """
    headers = {"Authorization": f"Bearer {endpoints['token']}"} if endpoints.get("token") else {}
    tags = ("Thermostat", "Barometer", "Hygrometer", "HeartRateMeter")
    with (
        httpx.Client(base_url=endpoints["generator"], headers=headers, timeout=30.0) as generator,
        MongoClient[dict[str, Any]](endpoints["mongo"], tz_aware=True, serverSelectionTimeoutMS=10_000) as mongo,
    ):

        def put(path: str, body: Document) -> None:
            generator.put(path, json=dict(body)).raise_for_status()

        put("/api/v1/faults", {})
        put("/api/v1/fleet", {**dict.fromkeys(tags, per_type), "interval_s": 1.0})
        try:
            say(f"live: {4 * per_type} devices; they are healthy for {_WARM_S:.0f} s")
            time.sleep(_WARM_S)
            n = generator.get("/api/v1/faults/log", params={"after": 2**53}).json()["next"]
            begin_ms = int(time.time() * 1000)
            put("/api/v1/faults", plan)
            time.sleep(60.0 * minutes)
            end_ms = int(time.time() * 1000)
            put("/api/v1/faults", {})
            time.sleep(_DRAIN_S)
            events = list(_log(generator, n))
            query = {"timestamp": {"$gte": to_datetime(begin_ms), "$lt": to_datetime(end_ms)}, "anomaly": True}
            found = list(mongo[DATABASE][COLLECTION_PREDICTIONS].find(query))
        finally:
            put("/api/v1/faults", {})
            put("/api/v1/fleet", dict.fromkeys(tags, 0))
    add(events, found, device_days=4 * per_type * minutes / 1440.0, totals=totals)


def _log(generator: httpx.Client, after: int) -> Iterable[Document]:
    while True:
        answer = generator.get("/api/v1/faults/log", params={"after": after}).json()
        if not answer["events"]:
            return
        yield from answer["events"]
        after = answer["next"]


def add(events: Iterable[Document], found: Iterable[Document], *, device_days: float, totals: Totals) -> None:
    """Match what the collection holds with the generator's log."""
    truth: dict[tuple[str, str], list[Span]] = defaultdict(list)
    newest = {(e["device_id"], e["kind"], e["start"]): e for e in events}
    for event in newest.values():
        begin, end = from_iso(event["start"]), from_iso(event["end"])
        end = begin + 1 if event["kind"] in ("late", "duplicate") else end
        truth[event["device_id"], event["kind"]].append(Span(begin, end, begin))
    spans: dict[tuple[str, str, int], Span] = {}
    for row in found:
        t_ms, since_ms = _ms(row["timestamp"]), _ms(row["since"])
        key = row["device_id"], row["kind"], since_ms
        old = spans.get(key, Span(t_ms, t_ms, t_ms))
        spans[key] = Span(min(old.begin, t_ms), max(old.end, t_ms), min(old.found_ms, t_ms))
    devices = {device for device, _ in truth} | {device for device, _, _ in spans}
    for device in devices:
        hidden = truth[device, "stuck"] + truth[device, "dropout"]
        truth[device, "spike"] = [s for s in truth[device, "spike"] if not any(h.begin <= s.begin < h.end for h in hidden)]
        every = [span for kind in KINDS for span in truth[device, kind]]
        for kind in KINDS:
            tally = Tally()
            mine = [span for (d, k, _), span in spans.items() if (d, k) == (device, kind)]
            tally.add(truth[device, kind], mine, tolerance_ms=TOLERANCE_MS)
            whole = totals.tallies[OURS, kind]
            whole.hits += tally.hits
            whole.misses += tally.misses
            whole.false += tally.false
            whole.delays_s += tally.delays_s
            totals.false_alarms[OURS] += sum(not touches(s, every, tolerance_ms=TOLERANCE_MS) for s in tally.left)
    totals.device_days += device_days


def _ms(value: datetime | None) -> int:
    return from_datetime(value) if value is not None else 0
