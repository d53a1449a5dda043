"""The committed schema is what the code says, and says what the parser does."""

import json

import pytest
from jsonschema import Draft202012Validator

from backend.contract import names, schema
from backend.contract.messages import encode
from backend.contract.parsing import ReadingParser


def test_the_committed_file_is_up_to_date() -> None:
    assert schema.main(["--check"]) == 0


def test_drift_is_noticed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(names, "TOPIC_MESSAGES", "renamed")
    assert schema.main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().err


def test_it_describes_readings_and_messages() -> None:
    document = json.loads(schema.PATH.read_text(encoding="utf-8"))
    reading = {"device_id": "1", "tag": "Thermostat", "timestamp": 1680033862, "temperature": 25.2}
    validator = Draft202012Validator(document["reading"])
    validator.validate(reading)
    assert not validator.is_valid({**reading, "temperature": 1e9})
    assert not validator.is_valid({**reading, "device_id": ""})
    message = ReadingParser().parse(json.dumps(reading).encode(), now_ms=1_700_000_000_000)
    Draft202012Validator(document["device_message"]).validate(json.loads(encode(message)))
    assert document["names"]["TOPIC_MESSAGES"] == "processed_messages"
