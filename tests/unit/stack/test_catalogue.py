"""The catalogue is consistent with itself and with the ports."""

import pytest

from backend.contract.ports import Ports
from stack import catalogue
from stack.catalogue import SERVICES, STOP_ORDER
from stack.errors import UnknownServiceError


def test_a_service_waits_only_for_services_that_come_before_it() -> None:
    seen: set[str] = set()
    for service in SERVICES:
        assert seen.issuperset(service.after), service.name
        seen.add(service.name)


def test_every_service_is_stopped_once() -> None:
    stopped = [name for group in STOP_ORDER for name in group]
    assert sorted(stopped) == sorted(service.name for service in SERVICES)


def test_who_feeds_others_stops_before_them() -> None:
    place = {name: index for index, group in enumerate(STOP_ORDER) for name in group}
    assert place["generator"] < place["paai"] < place["broker"] < place["zookeeper"]
    assert place["spark-job"] < place["spark-worker"] < place["spark-master"]
    assert place["spark-predict"] < place["spark-worker"]
    assert place["connect"] < place["mongodb"]


def test_nothing_waits_for_what_is_started_last() -> None:
    last = {service.name for service in SERVICES if service.last}
    assert last == {"predictor", "spark-predict"}
    assert not any(last.intersection(service.after) for service in SERVICES)


def test_no_two_services_share_a_port() -> None:
    ports = [catalogue.port_of(Ports(3000), name) for service in SERVICES for name in service.ports]
    assert len(ports) == len(set(ports))
    assert 11000 in ports  # paai's 8000, shifted


def test_links_carry_the_shifted_port() -> None:
    assert catalogue.links_of(catalogue.find("paai"), Ports(5)) == (("API", "http://127.0.0.1:8005/docs"),)


def test_the_swarm_has_what_the_local_target_has_and_two_ways_in() -> None:
    names = [service.name for service in catalogue.services_of("swarm")]
    assert names == [*(service.name for service in SERVICES), "gateway", "pages"]
    with pytest.raises(UnknownServiceError):
        catalogue.find("gateway")
    assert catalogue.find("spark-worker", "swarm").scalable
    assert not catalogue.find("spark-worker").scalable


def test_an_unknown_service_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownServiceError, match=r"'kafka'.*broker"):
        catalogue.find("kafka")
