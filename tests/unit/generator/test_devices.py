"""Rows, slots and faults stay with their devices, whoever joins or leaves."""

import numpy as np

from backend.generator.devices import Devices
from backend.generator.faultlog import FaultLog
from backend.generator.faultplan import FaultPlan
from backend.generator.faults import Faults
from backend.generator.fleet import Fleet

NOW_MS = 1_790_000_000_000


class Rig:
    def __init__(self, plan: dict[str, object] | None = None) -> None:
        self.faults = Faults(log=FaultLog(), plan=FaultPlan.model_validate(plan or {}))
        self.devices = Devices(seed=1, faults=self.faults)

    def follow(self, interval_ms: int = 1000, **counts: int) -> None:
        fleet = Fleet().change(counts)
        self.devices.apply(self.devices.prepare(fleet), interval_ms=interval_ms, now_ms=NOW_MS)

    def slot_of(self) -> dict[str, int]:
        return {i: slot for slot in self.devices.slots for i in self.devices._groups[slot].ids}

    def round(self, at_ms: int) -> set[str]:
        """Who talks in one round."""
        return {r.device_id for slot in self.devices.slots for r in self.devices.measure(slot, at_ms + slot * 50).now}


def test_who_stays_keeps_its_slot() -> None:
    rig = Rig()
    rig.follow(Thermostat=33, Barometer=40)
    before = rig.slot_of()
    rig.follow(Barometer=40, Hygrometer=50)
    rig.follow(Thermostat=7, Barometer=45, Hygrometer=50)
    after = rig.slot_of()
    assert len(after) == 102
    assert {i: after[i] for i in before if i.startswith("barometer")} == {i: s for i, s in before.items() if i.startswith("b")}
    load = np.bincount(list(after.values()), minlength=20)
    assert load.max() - load.min() <= 2


def test_another_interval_deals_the_slots_anew() -> None:
    rig = Rig()
    rig.follow(Thermostat=40)
    rig.follow(interval_ms=2000, Thermostat=40)
    assert sorted(rig.slot_of().values()) == list(range(40))


def test_a_silent_device_stays_silent_when_others_leave() -> None:
    rig = Rig({"seed": 2, "dropout": {"share": 0.5, "duration_s": 10_000}})
    rig.follow(Thermostat=40, Barometer=40)
    talked = rig.round(NOW_MS)
    barometers = {i for i in talked if i.startswith("barometer")}
    assert 5 < len(barometers) < 35
    rig.follow(Barometer=40)
    for second in range(1, 4):
        assert rig.round(NOW_MS + second * 1000) <= barometers


def test_every_row_belongs_to_one_device() -> None:
    rig = Rig()
    rig.follow(Thermostat=10, HeartRateMeter=5)
    rig.follow(Thermostat=3, Barometer=4, HeartRateMeter=5)
    devices = rig.devices
    assert len(devices) == len(set(devices.ids)) == len(devices.signals) == len(rig.faults.state) == 12
    assert rig.round(NOW_MS) == set(devices.ids)
    kinds = dict(zip(devices.ids, devices.signals.kind.tolist(), strict=True))
    assert all(kinds[i] == {"t": 0, "b": 1, "h": 3}[i[0]] for i in devices.ids)
