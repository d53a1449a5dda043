"""Search of device ids."""

from desktop.model.search import rank

IDS = ["thermostat-00010", "thermostat-00002", "barometer-00010", "1", "10", "2", "MyThermo"]


def test_better_matches_come_first_and_numbers_sort_as_numbers() -> None:
    assert rank(IDS, "thermo", 10) == ["thermostat-00002", "thermostat-00010", "MyThermo"]
    assert rank(IDS, "1", 10)[:2] == ["1", "10"]
    assert rank(["dev-100", "dev-20", "dev-3"], "dev", 10) == ["dev-3", "dev-20", "dev-100"]
    assert rank(IDS, "00010", 10) == ["barometer-00010", "thermostat-00010"]


def test_case_and_blanks_do_not_matter_and_the_limit_holds() -> None:
    assert rank(IDS, " MYTHERMO ", 10) == ["MyThermo"]
    assert len(rank(IDS, "", 3)) == 3
    assert rank(IDS, "nothing", 3) == []
