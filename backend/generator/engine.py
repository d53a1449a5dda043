"""The running generator: fleet, faults, scheduler, held readings and sender, steered by the routes.

Lives on one event loop. Changes come one after another; what takes long (ids, parameters, disk) runs in a thread, so that slots
stay on time while a fleet of thousands joins.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from backend.generator.clock import Clock
from backend.generator.counters import RATE_WINDOW_S, Counters
from backend.generator.devices import Devices
from backend.generator.faultlog import FaultEvent, FaultLog
from backend.generator.faultplan import FaultPlan
from backend.generator.faults import Faults
from backend.generator.fleet import Fleet
from backend.generator.held import Held
from backend.generator.metrics import Mirror
from backend.generator.readings import Reading, parcels
from backend.generator.scheduler import Scheduler
from backend.generator.sender import Sender
from backend.generator.state import StateStore

#: `POST stop` waits so long for readings that were measured before it.
STOP_FLUSH_S: Final = 2.0
_MAX_RATE_WINDOW_S: Final = 60.0
_RESTART_S: Final = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FleetView:
    """What `GET /api/v1/fleet` answers; rates in readings per second."""

    devices: Mapping[str, int]
    interval_s: float
    running: bool
    wanted_per_s: float
    sent_per_s: float
    acknowledged: int
    retried: int
    given_up: int
    backlog: int
    behind_ms: float


class Engine:
    """The generator.

    Args:
        clock: Where time comes from.
        sender: Delivers.
        counters: The sender's.
        store: Keeps fleet and faults over a restart.
        mirror: Metrics.
        seed: Of the signals.
    """

    def __init__(
        self, *, clock: Clock, sender: Sender, counters: Counters, store: StateStore, mirror: Mirror, seed: int
    ) -> None:
        self._clock, self._sender, self._counters, self._store, self._mirror = clock, sender, counters, store, mirror
        self.log = FaultLog()
        self._faults = Faults(log=self.log)
        self._devices = Devices(seed=seed, faults=self._faults)
        self._fleet = Fleet()
        self._by_tag = self._fleet.by_tag()
        self._held = Held(clock=clock, deliver=self._offer)
        self._scheduler = Scheduler(clock=clock, on_slot=self._on_slot, on_skipped=self._on_skipped, on_lag=mirror.lag)
        self._changing = asyncio.Lock()

    @property
    def fleet(self) -> Fleet:
        """The wanted fleet."""
        return self._fleet

    @property
    def faults(self) -> FaultPlan:
        """The wanted faults."""
        return self._faults.plan

    async def restore(self) -> None:
        """Go on with the fleet and the faults of the last run."""
        fleet, plan = await asyncio.to_thread(self._store.load)
        self._faults.plan = plan
        async with self._changing:
            await self._follow(fleet)
        if fleet.running:
            _log.info("going on with the saved fleet of %d devices", len(self._devices))

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for part in (self._sender.run, self._held.run, self._scheduler.run, self._watch):
                tasks.create_task(_keep_running(part), name=part.__qualname__)

    async def start_numbered(self, n: int) -> bool:
        """Replace the fleet by devices "1" … "n". False, and nothing changed, where one runs already."""
        async with self._changing:
            if self._fleet.running:
                return False
            await self._save_and_follow(self._fleet.start_numbered(n))
            return True

    async def stop(self) -> None:
        """Send nothing more; the fleet is kept. Takes at most STOP_FLUSH_S for what was measured already."""
        async with self._changing:
            await self._save_and_follow(replace(self._fleet, running=False))

    async def change(self, counts: Mapping[str, int], *, interval_ms: int | None) -> None:
        """Let devices join and leave. See `Fleet.change`."""
        async with self._changing:
            await self._save_and_follow(self._fleet.change(counts, interval_ms=interval_ms))

    async def set_faults(self, plan: FaultPlan) -> None:
        """Inject these faults from now on."""
        async with self._changing:
            await asyncio.to_thread(self._store.save, self._fleet, plan)
            self._faults.configure(plan, self._devices.signals, self._devices.ids, self._scheduler.now_ms())

    def events(self, after: int) -> list[FaultEvent]:
        """Faults that were injected, numbered above `after`."""
        return self.log.after(after)

    async def flush(self, timeout_s: float) -> int:
        """At the end: measure nothing more, deliver what waits. Returns how many readings were left."""
        self._scheduler.follow(self._devices.interval_ms, ())
        self._held.release_all()
        before = self._counters.given_up["stopped"]
        await self._sender.flush(timeout_s)
        return self._counters.given_up["stopped"] - before + self._counters.backlog

    def members(self) -> list[tuple[str, int]]:
        """Every device: id and index of its type in DEVICE_TYPES."""
        return list(zip(self._devices.ids, self._devices.signals.kind.tolist(), strict=True))

    def wanted_per_s(self) -> float:
        """Readings per second that the fleet should give now."""
        return len(self._devices) * 1000.0 / self._fleet.interval_ms if self._fleet.running else 0.0

    def view(self) -> FleetView:
        """The fleet and how sending goes."""
        counters = self._counters
        return FleetView(
            devices=self._by_tag,
            interval_s=self._fleet.interval_ms / 1000.0,
            running=self._fleet.running,
            wanted_per_s=round(self.wanted_per_s(), 3),
            sent_per_s=round(counters.sent.per_s(self._clock.monotonic()), 1),
            acknowledged=counters.acknowledged,
            retried=counters.retried,
            given_up=counters.given_up.total(),
            backlog=counters.backlog,
            behind_ms=round(max(0.0, self._scheduler.behind_s() * 1000.0), 1),
        )

    async def _save_and_follow(self, fleet: Fleet) -> None:
        await asyncio.to_thread(self._store.save, fleet, self._faults.plan)
        was_running = self._fleet.running
        await self._follow(fleet)
        if was_running and not fleet.running:
            self._held.release_all()
            await self._sender.flush(STOP_FLUSH_S)
            self._counters.sent.clear()

    async def _follow(self, fleet: Fleet) -> None:
        change = await asyncio.to_thread(self._devices.prepare, fleet)
        by_tag = await asyncio.to_thread(fleet.by_tag)
        self._devices.apply(change, interval_ms=fleet.interval_ms, now_ms=self._scheduler.now_ms())
        self._fleet, self._by_tag = fleet, by_tag
        self._counters.sent.window_s = min(max(RATE_WINDOW_S, 2.0 * fleet.interval_ms / 1000.0), _MAX_RATE_WINDOW_S)
        self._scheduler.follow(fleet.interval_ms, self._devices.slots if fleet.running else ())

    def _on_slot(self, slot: int, due_ms: int) -> None:
        round_ = self._devices.measure(slot, due_ms)
        now = round_.now
        for send_ms, reading in round_.later:
            if not self._held.hold(reading, (send_ms - due_ms) / 1000.0):
                now.append(reading)
        self._offer(now)

    def _on_skipped(self, rounds: int) -> None:
        self._counters.given_up["behind"] += rounds * len(self._devices)

    def _offer(self, readings: list[Reading]) -> None:
        for parcel in parcels(readings, self._clock.monotonic()):
            self._sender.offer(parcel)

    async def _watch(self) -> None:
        never = asyncio.Event()
        while True:
            misbehaving = self._faults.running(self._scheduler.now_ms())
            self._mirror.update(self._counters, self._by_tag, self.wanted_per_s(), misbehaving)
            await self._clock.wait(never, 1.0)


async def _keep_running(part: Callable[[], Awaitable[None]]) -> None:
    """Run a part until cancelled; should it fail, say so and start it again: one bad slot must not end the others."""
    while True:
        try:
            await part()
        except Exception:  # noqa: BLE001 - whatever it is, the log says it
            _log.exception("a part of the generator failed and is started again")
            await asyncio.sleep(_RESTART_S)
