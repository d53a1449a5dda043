from dataclasses import replace

import pytest

from desktop.model.access import Login, access_of, link_login, without_login
from stack.target import Endpoints

PLAIN = Endpoints(
    "http://h:8000", "http://h:7000", "h:9092", "mongodb://h:27017/?directConnection=true", "http://h:8083", "http://h:8080"
)
GUARDED = Endpoints(
    paai="http://h:8000",
    generator="http://h:7000",
    kafka="h:9092",
    mongo="mongodb://desktop-1:p%40ss@h:27017/?directConnection=true&authSource=admin",
    connect="http://h:8083",
    spark_ui="http://h:8080",
    predictor="http://h:8001",
    token="tok-en",
    admin_token="ad-min",
    kafka_user="client-1",
    kafka_password="kaf-ka",
    web_user="web-1",
    web_password="we-b",
)
SECRETS = ("p%40ss", "p@ss", "tok-en", "ad-min", "kaf-ka", "we-b")


def test_no_address_and_no_repr_shows_a_secret() -> None:
    for way in access_of(GUARDED):
        assert way.login is not None
        assert not any(secret in f"{way.title} {way.address} {way!r}" for secret in SECRETS)


def test_each_way_in_has_its_own_login() -> None:
    logins = {way.title: way.login for way in access_of(GUARDED)}
    assert logins == {
        "Generator": Login("", "tok-en"),
        "paai": Login("", "tok-en"),
        "Predictor": Login("", "ad-min"),
        "Kafka": Login("client-1", "kaf-ka"),
        "Kafka Connect": Login("web-1", "we-b"),
        "Spark": Login("web-1", "we-b"),
        "MongoDB": Login("desktop-1", "p@ss"),
    }


def test_without_an_admin_token_the_predictor_takes_the_token_of_all() -> None:
    logins = {way.title: way.login for way in access_of(replace(GUARDED, admin_token=""))}
    assert logins["Predictor"] == Login("", "tok-en")


def test_a_system_without_logins() -> None:
    assert all(way.login is None for way in access_of(PLAIN))
    assert access_of(PLAIN)[-1].address == PLAIN.mongo


@pytest.mark.parametrize(
    ("service", "label", "login"),
    [
        ("connect", "Connect REST", Login("web-1", "we-b")),
        ("spark-master", "Spark", Login("web-1", "we-b")),
        ("paai", "API", Login("", "tok-en")),
        ("paai", "no such link", None),
        ("no such service", "API", None),
    ],
)
def test_links_know_what_their_page_asks_for(service: str, label: str, login: Login | None) -> None:
    assert link_login(service, label, GUARDED) == login
    assert link_login(service, label, PLAIN) is None


def test_an_address_without_login_stays_as_it_is() -> None:
    assert without_login("mongodb://h:1/?a=b") == ("mongodb://h:1/?a=b", None)
