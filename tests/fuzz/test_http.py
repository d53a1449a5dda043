"""Every call of the three services with generated requests: no 500, answers as documented, 503 only while something is away."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pytest
import schemathesis
from schemathesis import BaseSchema, Case, CheckContext, Response
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from starlette.types import Receive, Scope, Send

from backend.common.app import ServiceApp
from tests.fuzz import services
from tests.fuzz.profile import DATABASE, EXAMPLES, SEED

#: Longest error answer, in bytes: a request is never echoed.
_MAX_ERROR: Final = 20_000
_AS_DOCUMENTED: Final = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]

# Requests of one app share its fakes, and everything ends with the process.
pytestmark = [pytest.mark.timeout(3600), pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]

load_all_checks()


class Restarting:
    """An ASGI application that is built anew at each start: schemathesis stops and starts it between operations."""

    def __init__(self, build: Callable[[], ServiceApp]) -> None:
        self._build, self._app = build, build()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            self._app = self._build()
        await self._app(scope, receive, send)


def _document(build: Callable[[], ServiceApp]) -> BaseSchema:
    schema = schemathesis.openapi.from_asgi("/openapi.json", Restarting(build), config=SchemathesisConfig(seed=SEED))
    schema.config.generation.update(max_examples=EXAMPLES, database=str(DATABASE))
    return schema


def answered(_: CheckContext, response: Response, case: Case[Any]) -> None:
    """Neither a failure inside nor an outage; errors are short and say something."""
    assert response.status_code < 500, (response.status_code, response.text)
    _check_error(response, case)


def answered_while_away(_: CheckContext, response: Response, case: Case[Any]) -> None:
    """As `answered`, and 503 with `Retry-After`."""
    assert response.status_code < 500 or response.status_code == 503, (response.status_code, response.text)
    if response.status_code == 503:
        assert int(response.headers["retry-after"][0]) >= 1
    _check_error(response, case)


def _check_error(response: Response, case: Case[Any]) -> None:
    if response.status_code >= 400 and case.method.upper() != "HEAD":
        assert len(response.content) < _MAX_ERROR
        assert response.json()["detail"], response.text


paai = _document(services.paai)
paai_away = _document(partial(services.paai, away=True))
generator = _document(services.generator)
generator_away = _document(partial(services.generator, away=True))
predictor = _document(services.predictor)
predictor_away = _document(partial(services.predictor, away=True))


@paai.parametrize()
def test_paai(case: Case[Any]) -> None:
    case.call_and_validate(checks=[answered, *_AS_DOCUMENTED])


@generator.parametrize()
def test_generator(case: Case[Any]) -> None:
    case.call_and_validate(checks=[answered, *_AS_DOCUMENTED])


@predictor.parametrize()
def test_predictor(case: Case[Any]) -> None:
    case.call_and_validate(checks=[answered, *_AS_DOCUMENTED])


@paai_away.parametrize()
def test_paai_without_kafka_and_mongodb(case: Case[Any]) -> None:
    case.call_and_validate(checks=[answered_while_away, *_AS_DOCUMENTED])


@generator_away.parametrize()
def test_generator_that_cannot_save(case: Case[Any]) -> None:
    case.call_and_validate(checks=[answered_while_away, *_AS_DOCUMENTED])


@predictor_away.parametrize()
def test_predictor_without_mongodb(case: Case[Any]) -> None:
    case.call_and_validate(checks=[answered_while_away, *_AS_DOCUMENTED])
