import random

import pytest

from backend.generator.fleet import TAGS, Fleet, Member, numbered


def original_types(n: int) -> list[str]:
    """As the original system draws them."""
    random.seed(50)
    return [random.choice(["Thermostat", "Barometer", "Hygrometer", "HeartRateMeter"]) for _ in range(n)]


def ids(fleet: Fleet, tag: str) -> list[str]:
    return [m.device_id for m in fleet.members() if TAGS[m.kind] == tag]


def test_numbered_devices_are_those_of_the_original() -> None:
    state = random.getstate()
    expected = original_types(500)
    random.setstate(state)
    assert [(m.device_id, TAGS[m.kind]) for m in numbered(500)] == [(str(i + 1), tag) for i, tag in enumerate(expected)]


def test_counts_by_type_of_a_numbered_fleet() -> None:
    fleet = Fleet().start_numbered(100)
    assert sum(fleet.by_tag().values()) == 100
    assert fleet.by_tag() == {tag: sum(TAGS[m.kind] == tag for m in numbered(100)) for tag in TAGS}
    assert fleet.running


def test_ids_of_a_fleet() -> None:
    fleet = Fleet().change({"Thermostat": 2, "HeartRateMeter": 1})
    assert fleet.members() == [Member("thermostat-00001", 0), Member("thermostat-00002", 0), Member("heartratemeter-00001", 3)]
    assert fleet.running


def test_an_absent_type_is_unchanged() -> None:
    fleet = Fleet().change({"Thermostat": 2, "Barometer": 3}).change({"Barometer": 1})
    assert fleet.by_tag() == {"Thermostat": 2, "Barometer": 1, "Hygrometer": 0, "HeartRateMeter": 0}


def test_all_zero_is_stopped() -> None:
    fleet = Fleet().change({"Thermostat": 2}).change(dict.fromkeys(TAGS, 0))
    assert not fleet.running
    assert fleet.members() == []


def test_the_interval_alone_neither_starts_nor_stops() -> None:
    stopped = Fleet(counts={**dict.fromkeys(TAGS, 0), "Barometer": 2})
    assert not stopped.change({}, interval_ms=2000).running
    assert stopped.change({"Thermostat": 0}).running  # naming a type does
    running = Fleet().change({"Thermostat": 2}).change({}, interval_ms=2000)
    assert running.running
    assert running.interval_ms == 2000


def test_a_type_that_is_changed_takes_fleet_ids_and_leaves_the_numbered_ones_of_others_alone() -> None:
    start = Fleet().start_numbered(40)
    n = start.by_tag()["Thermostat"]
    fleet = start.change({"Thermostat": n + 1})
    assert ids(fleet, "Thermostat") == [f"thermostat-{i:05d}" for i in range(1, n + 2)]
    for tag in TAGS[1:]:
        assert ids(fleet, tag) == ids(start, tag)


def test_all_types_named_with_one_changed_disturbs_that_one_only() -> None:
    start = Fleet().start_numbered(40)
    fleet = start.change({**start.by_tag(), "Barometer": 1})
    assert ids(fleet, "Barometer") == ["barometer-00001"]
    assert ids(fleet, "Thermostat") == ids(start, "Thermostat")


def test_a_numbered_fleet_that_is_stopped_is_replaced() -> None:
    start = Fleet(numbered=40, numbered_tags=frozenset(TAGS), running=False)
    fleet = start.change(start.by_tag())
    assert all("-" in m.device_id for m in fleet.members())
    assert fleet.numbered == 0


@pytest.mark.parametrize("n", [1, 4, 1000])
def test_starting_replaces_the_fleet_and_keeps_the_interval(n: int) -> None:
    fleet = Fleet().change({"Thermostat": 7}, interval_ms=500).start_numbered(n)
    assert [m.device_id for m in fleet.members()] == [str(i) for i in range(1, n + 1)]
    assert fleet.interval_ms == 500
