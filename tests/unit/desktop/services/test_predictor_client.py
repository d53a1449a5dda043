"""The predictor's client: what it sends, what it makes of answers, and its errors in sentences."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from desktop.services.errors import BusyError, InvalidRequestError, ProtocolError, UnauthorisedError, UnreachableError
from desktop.services.predictor_client import PredictorClient
from desktop.services.scoring_progress import read_scoring
from tests.helpers import model_cards


class Server:
    """Answers with what it was given, and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.answer: Callable[[httpx.Request], httpx.Response] = lambda _: httpx.Response(200, json={})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer(request)

    def answers(self, status: int = 200, **json: Any) -> None:
        self.answer = lambda _: httpx.Response(status, json=json)

    @property
    def calls(self) -> list[str]:
        return [f"{r.method} {r.url.path}" for r in self.asked]


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def client(server: Server) -> PredictorClient:
    return PredictorClient("http://p", token="boss", transport=httpx.MockTransport(server))


def test_models_with_their_cards(server: Server, client: PredictorClient) -> None:
    listed = [model_cards.version("v2"), model_cards.version("v1", promoted_at="2026-11-24T12:43:00.000Z")]
    server.answers(promoted="v1", models=listed)
    models = client.models()
    assert [m.version for m in models.models] == ["v2", "v1"]
    assert models.serving is not None
    assert models.serving.version == "v1"
    card = models.models[0].card
    assert (card.start, card.seed, card.count("used")) == ("2026-11-24T11:40:00.000Z", 0, 4 * 72_300)
    assert card.sensors["heart_rate"].held_out.last_value.mae == 0.71
    assert math.isnan(card.sensors["heart_rate"].held_out.last_value.coverage)
    assert card.beats_baselines
    assert server.asked[0].headers["Authorization"] == "Bearer boss"


def test_a_card_that_tells_little_is_no_error(server: Server, client: PredictorClient) -> None:
    server.answers(promoted=None, models=[{"version": "v1", "card": {"version": "v1"}}])
    card = client.models().models[0].card
    assert not card.beats_baselines, "what is not known is not better"
    assert (card.created, card.coverage) == ("", 0.9)


def test_train_says_exactly_what_on(server: Server, client: PredictorClient) -> None:
    server.answers(202, job="abc")
    assert client.train(start=1_795_498_200.0, end=1_795_501_800.5, sensors=("humidity",)) == "abc"
    assert json.loads(server.asked[0].content) == {
        "from": "2026-11-24T05:30:00.000Z", "to": "2026-11-24T06:30:00.500Z", "sensors": ["humidity"],
    }  # fmt: skip
    client.train()
    assert json.loads(server.asked[1].content) == {}


def test_trainings(server: Server, client: PredictorClient) -> None:
    done = model_cards.training(
        "a", "done", result={"version": "v3", "promoted": False, "sensors": ["humidity"], "refused": {}}
    )
    server.answers(jobs=[model_cards.training("b", "running"), done])
    running, finished = client.jobs()
    assert running.running
    assert not finished.running
    assert finished.result is not None
    assert finished.result.version == "v3"
    server.answers(**model_cards.training("b", "cancelling"))
    assert client.cancel("b").running


def test_what_changes_models(server: Server, client: PredictorClient) -> None:
    server.answers(promoted="v1")
    client.promote("v1")
    assert client.roll_back() == "v1"
    client.delete("v2")
    assert server.calls == ["POST /api/v1/models/v1/promote", "POST /api/v1/models/rollback", "DELETE /api/v1/models/v2"]


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (401, UnauthorisedError, "refused the access token"),
        (403, UnauthorisedError, "only its admin token"),
        (404, InvalidRequestError, "because"),
        (409, InvalidRequestError, "because"),
        (503, BusyError, "cannot take it right now"),
    ],
)
def test_errors_are_sentences(server: Server, client: PredictorClient, status: int, kind: type[Exception], said: str) -> None:
    server.answers(status, detail="because")
    with pytest.raises(kind, match=said) as caught:
        client.promote("v1")
    assert "because." in str(caught.value)
    assert "boss" not in str(caught.value)


def test_another_shape_and_nobody_there(server: Server, client: PredictorClient) -> None:
    server.answer = lambda _: httpx.Response(200, content=b"<html>")
    with pytest.raises(ProtocolError):
        client.models()

    def fail(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    server.answer = fail
    with pytest.raises(UnreachableError, match="The predictor cannot be reached"):
        client.models()


def test_the_scoring_jobs_document() -> None:
    document = {"updated_at": datetime(2026, 11, 24, tzinfo=UTC), "input_rows_per_second": 240.5, "lag": 12, "scored": 900,
                "anomalies": 3, "invalid_rows": 1, "model": "v3"}  # fmt: skip
    told = read_scoring(document)
    assert (told.per_s, told.lag, told.scored, told.anomalies, told.invalid, told.model) == (240.5, 12, 900, 3, 1, "v3")
    assert told.at == datetime(2026, 11, 24, tzinfo=UTC).timestamp()
    nothing = read_scoring({"lag": None, "model": None, "input_rows_per_second": "many"})
    assert (nothing.lag, nothing.model, nothing.at) == (-1, "", 0.0)
    assert math.isnan(nothing.per_s)
