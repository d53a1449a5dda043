"""The devices that exist right now: their sensors, faults and slots, row by row."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from backend.generator import phases
from backend.generator.columns import Bool, Rows
from backend.generator.faults import Faults, FaultState
from backend.generator.fleet import Fleet, Member
from backend.generator.readings import Reading
from backend.generator.signals import Signals


@dataclass(frozen=True)
class Change:
    """What has to be done to the devices to get to a fleet; made off the event loop.

    Attributes:
        stays: One entry a present device.
        joined: In their order.
        signals: Of the joined.
    """

    stays: Bool
    joined: list[Member]
    signals: Signals


@dataclass(frozen=True)
class SlotGroup:
    """The devices that measure together."""

    rows: Rows
    ids: list[str]
    kinds: list[int]


@dataclass(frozen=True)
class Round:
    """What the devices of one slot give.

    Attributes:
        now: To be sent at once.
        later: With the time at which each is to be sent, epoch ms; a reading that is in `now` too is a second copy.
    """

    now: list[Reading]
    later: list[tuple[int, Reading]]


class Devices:
    """Owns one row a device; rows stay with their devices while others join and leave.

    Args:
        seed: Of the signals.
        faults: Injected into what they measure.
    """

    def __init__(self, *, seed: int, faults: Faults) -> None:
        self.ids: list[str] = []
        self.interval_ms = 1000
        self.signals = Signals.build(seed, [], [])
        self._seed, self._faults = seed, faults
        self._slots: list[int] = []
        self._groups: dict[int, SlotGroup] = {}

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def slots(self) -> list[int]:
        """The occupied slots."""
        return list(self._groups)

    def prepare(self, fleet: Fleet) -> Change:
        """Work out what has to change. Changes nothing, so that it can run in a thread."""
        wanted = fleet.members()
        names = {m.device_id for m in wanted}
        present = set(self.ids)
        stays = np.fromiter((i in names for i in self.ids), dtype=np.bool_, count=len(self.ids))
        joined = [m for m in wanted if m.device_id not in present]
        return Change(stays, joined, Signals.build(self._seed, [m.device_id for m in joined], [m.kind for m in joined]))

    def apply(self, change: Change, *, interval_ms: int, now_ms: int) -> None:
        """Let devices leave and join; the others keep their state and, while the interval stays, their slot."""
        if not change.stays.all():
            self._faults.leave(np.flatnonzero(~change.stays), self.signals, self.ids, now_ms)
            self.signals.keep(change.stays)
            self._faults.state.keep(change.stays)
            self.ids = [i for i, stays in zip(self.ids, change.stays, strict=True) if stays]
            self._slots = [slot for slot, stays in zip(self._slots, change.stays, strict=True) if stays]
        self.signals.append(change.signals)
        self._faults.state.append(FaultState.build(len(change.joined)))
        self.ids += [m.device_id for m in change.joined]
        slots = phases.slot_count(interval_ms)
        if interval_ms != self.interval_ms:
            self._slots = phases.assign(len(self._slots), (), slots)
        self._slots += phases.assign(len(change.joined), self._slots, slots)
        self.interval_ms = interval_ms
        self._regroup()

    def measure(self, slot: int, at_ms: int) -> Round:
        """Let the devices of one slot measure."""
        group = self._groups[slot]
        sensed = self.signals.sample(group.rows, at_ms)
        measured = self._faults.apply(self.signals, group.rows, self.ids, sensed, at_ms, self.interval_ms)
        values, sent = measured.values.tolist(), measured.sent
        if sent.all() and not measured.late_ms.any() and not measured.copy_ms.any():
            return Round(list(map(Reading, group.ids, group.kinds, repeat(at_ms), values)), [])
        now: list[Reading] = []
        later: list[tuple[int, Reading]] = []
        for i in np.flatnonzero(sent).tolist():
            reading = Reading(group.ids[i], group.kinds[i], at_ms, values[i])
            late_ms, copy_ms = int(measured.late_ms[i]), int(measured.copy_ms[i])
            if late_ms:
                later.append((late_ms, reading))
            else:
                now.append(reading)
            if copy_ms:
                later.append((copy_ms, reading))
        return Round(now, later)

    def _regroup(self) -> None:
        rows: defaultdict[int, list[int]] = defaultdict(list)
        for row, slot in enumerate(self._slots):
            rows[slot].append(row)
        kinds = self.signals.kind.tolist()
        self._groups = {
            slot: SlotGroup(np.array(members, dtype=np.intp), [self.ids[r] for r in members], [kinds[r] for r in members])
            for slot, members in rows.items()
        }
