"""Settings of every process from any environment: used, or refused in one sentence that holds no secret."""

import contextlib
import os
import string
from collections.abc import Mapping
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from backend.common.errors import ConfigurationError
from backend.common.settings import ServiceSettings, read_settings
from backend.generator.settings import GeneratorSettings
from backend.operator.settings import OperatorSettings
from backend.paai.settings import PaaiSettings
from backend.predictor.settings import PredictorSettings
from spark.predict_settings import PredictSettings
from spark.settings import JobSettings

SERVICES: list[type[ServiceSettings]] = [PaaiSettings, GeneratorSettings, PredictorSettings, OperatorSettings]
JOBS: list[type[JobSettings]] = [JobSettings, PredictSettings]
#: A process's environment holds no NUL and only what the file system's encoding can write.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
VALUES = (
    TEXT
    | st.integers().map(str)
    | st.floats().map(str)
    | st.sampled_from(
        ["", "0", "-1", "1e400", "nan", "true", "null", "[]", "{}", "/", "/nowhere/x", "localhost:9092", "http://x"]
    )
    | st.sampled_from(["mongodb://u:secret@h/", "http://[::1", "mongodb://", "h:1,h:2", "9" * 400])
)


def environments(model: type[Any]) -> st.SearchStrategy[dict[str, str]]:
    names = sorted(f"PAAI_{name.upper()}" for name in model.model_fields)
    return st.dictionaries(st.sampled_from(names), VALUES, max_size=4)


def only(environment: Mapping[str, str]) -> Any:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PAAI_")}
    return mock.patch.dict(os.environ, kept | dict(environment), clear=True)


@pytest.mark.parametrize("model", SERVICES, ids=lambda model: model.__name__)
@given(data=st.data())
def test_services(model: type[ServiceSettings], data: st.DataObject) -> None:
    environment = data.draw(environments(model))
    with only(environment):
        try:
            settings = read_settings(model)
        except ConfigurationError as error:
            message = str(error)
        else:
            assert all(isinstance(token, bytes) for token in settings.tokens)
            message = repr(settings)
    assert message
    assert "\n" not in message


@pytest.mark.parametrize("model", SERVICES, ids=lambda model: model.__name__)
@given(
    # Begins with what no name of a setting has: a text of letters alone can be part of one.
    secret=st.text(string.ascii_letters + "äß \t", min_size=12, max_size=30).map(lambda text: f"ß{text}"),
    port=st.sampled_from(["", "-1", "x", "8000", "1e400"]),
)
def test_a_token_is_never_shown(model: type[ServiceSettings], secret: str, port: str) -> None:
    with only({"PAAI_TOKEN": secret, "PAAI_PORT": port}):
        try:
            shown = repr(read_settings(model))
        except ConfigurationError as error:
            shown = str(error)
    assert secret.strip() not in shown


@pytest.mark.parametrize("model", JOBS, ids=lambda model: model.__name__)
@given(data=st.data())
def test_jobs(model: type[JobSettings], data: st.DataObject) -> None:
    with only(data.draw(environments(model))), contextlib.suppress(ValidationError):
        assert repr(model())  # type: ignore[call-arg]


pytestmark = pytest.mark.timeout(3600)
