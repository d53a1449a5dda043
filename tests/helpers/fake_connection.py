"""A Connection with a real store and no feeds: what the generator says is set by the test."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from backend.contract.devices import BY_TAG
from desktop.model.fleet import FleetState
from desktop.model.health import Health
from desktop.model.predictions.event import EventKey
from desktop.model.progress import SinkProgress
from desktop.model.refused.letters import RefusedRecords
from desktop.model.refused.requests import RejectedRequests
from desktop.model.store import LiveStore
from stack.target import Endpoints, ServiceStatus
from tests.helpers.fake_target import FakeTarget


class FakeConnection:
    """Implements `desktop.qtmodels.connection.Connection`.

    Attributes:
        state: The generator's fleet; `set_fleet` changes it.
        error: Raised by the next `set_fleet`, `set_running` or `acknowledge`, if set.
        gate: They wait for it; set unless a test clears it.
        puts: What was asked for.
        injected: The generator's faults.
        judgement: What `health` gives.
        sink_progress: What `sink` gives.
        records, requests, difference: What was refused.
    """

    def __init__(self, *, target: FakeTarget, endpoints: Endpoints) -> None:
        self._target = target
        self._endpoints = endpoints
        self.store = LiveStore()
        self.state = FleetState(as_of=time.time())
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.injected: Mapping[str, Any] = {"seed": 0}
        self.puts: list[tuple[dict[str, int], float | None]] = []
        self.acknowledged: dict[EventKey, tuple[str, float]] = {}
        self.running_calls: list[bool] = []
        self.focus: tuple[str, ...] = ()
        self.judgement = Health()
        self.sink_progress = SinkProgress()
        self.records, self.requests, self.difference = RefusedRecords(), RejectedRequests(), ""
        self.started = self.stopped = False

    @property
    def endpoints(self) -> Endpoints:
        return self._endpoints

    def start(self) -> None:
        self.started = True

    def stop(self) -> bool:
        self.stopped = True
        return True

    def fleet(self) -> FleetState:
        return self.state

    def services(self) -> Sequence[ServiceStatus]:
        return self._target.services

    def health(self) -> Health:
        return self.judgement

    def sink(self) -> SinkProgress:
        return self.sink_progress

    def refused_records(self) -> RefusedRecords:
        return self.records

    def rejected_requests(self) -> RejectedRequests:
        return self.requests

    def refused_difference(self) -> str:
        return self.difference

    def set_focus(self, device_ids: Sequence[str]) -> None:
        self.focus = tuple(device_ids)

    def acknowledge(self, keys: Sequence[EventKey], *, by: str, undo: bool = False) -> None:
        self.gate.wait(10)
        self._raise()
        others = {k: who for k, who in self.acknowledged.items() if k not in keys}
        self.acknowledged = others if undo else {**others, **dict.fromkeys(keys, (by, time.time()))}
        self.store.predictions.set_acknowledged(self.acknowledged)

    def set_fleet(self, counts: Mapping[str, int], interval_s: float | None) -> FleetState:
        self.gate.wait(10)
        self.puts.append((dict(counts), interval_s))
        self._raise()
        wanted = {**self.state.counts, **counts}
        interval = interval_s or self.state.interval_s
        total = sum(wanted.values())
        self.state = replace(
            self.state,
            counts={tag: wanted.get(tag, 0) for tag in BY_TAG},
            interval_s=interval,
            running=total > 0,
            wanted_per_s=total / interval,
            as_of=time.time(),
        )
        return self.state

    def faults(self) -> Mapping[str, Any]:
        return self.injected

    def set_faults(self, faults: Mapping[str, Any]) -> Mapping[str, Any]:
        self.gate.wait(10)
        self._raise()
        self.injected = {"seed": 0, **faults}
        return self.injected

    def set_running(self, running: bool) -> FleetState:
        self.gate.wait(10)
        self.running_calls.append(running)
        self._raise()
        self.state = replace(self.state, running=running, as_of=time.time())
        return self.state

    def _raise(self) -> None:
        if self.error is not None:
            error, self.error = self.error, None
            raise error
