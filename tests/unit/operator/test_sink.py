"""The sink's configuration: what an outage and a bad record depend on."""

import json
from urllib.parse import parse_qs, urlsplit

from backend.contract import names
from backend.contract.devices import DEVICE_TYPES
from backend.contract.refusals import REASONS
from backend.operator.sink import sink_config


def test_an_outage_diverts_nothing_and_bad_data_goes_to_the_dead_letters_with_its_reason() -> None:
    config = sink_config(mongo_uri="mongodb://m:27017/", tasks=2)
    assert config["errors.tolerance"] == "all"
    assert config["errors.deadletterqueue.topic.name"] == names.TOPIC_DEAD_LETTERS
    assert config["errors.deadletterqueue.context.headers.enable"] == "true"
    bounds = parse_qs(urlsplit(config["connection.uri"]).query)
    assert bounds["retryWrites"] == ["true"]
    assert bounds["socketTimeoutMS"] == ["30000"]  # of a database that is gone nobody says that no answer will come


def test_aborted_transactions_are_readings_for_nobody() -> None:
    assert sink_config(mongo_uri="mongodb://m/", tasks=2)["consumer.override.isolation.level"] == "read_committed"


def test_dead_letters_are_kept_as_often_as_everything_else() -> None:
    wanted = "errors.deadletterqueue.topic.replication.factor"
    assert sink_config(mongo_uri="mongodb://m/", tasks=2)[wanted] == "1"
    assert sink_config(mongo_uri="mongodb://m/", tasks=2, replication_factor=3)[wanted] == "3"


def test_the_rule_judges_the_bytes_with_the_settings_of_the_contract() -> None:
    config = sink_config(mongo_uri="mongodb://m/", tasks=2)
    assert config["key.converter"] == config["value.converter"] == "org.apache.kafka.connect.converters.ByteArrayConverter"
    assert config["transforms"] == "reading"
    settings = json.loads(config["transforms.reading.settings"])
    assert settings["ranges"] == {t.sensor: [t.minimum, t.maximum] for t in DEVICE_TYPES}
    assert settings["ahead_ms"] == 2000
    assert settings["sentences"] == REASONS
    assert config["transforms.reading.settings"].isascii()


def test_stores_with_our_connector_journalled() -> None:
    config = sink_config(mongo_uri="mongodb://m:27017/", tasks=2)
    assert config["connector.class"] == "paai.ReadingSinkConnector"
    assert (config["database"], config["collection"]) == (names.DATABASE, names.COLLECTION_MESSAGES)
    assert "w=majority" in config["connection.uri"]
    assert all(isinstance(v, str) for v in config.values())  # Connect answers text; anything else would be drift for ever


def test_headers_are_not_parsed() -> None:
    """A good reading with a header of five million digits held the sink for minutes."""
    config = sink_config(mongo_uri="mongodb://m/", tasks=1)
    assert config["header.converter"] == config["value.converter"] == "org.apache.kafka.connect.converters.ByteArrayConverter"
