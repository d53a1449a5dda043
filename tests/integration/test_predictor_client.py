"""The window's way to the predictor, on the running one: what it answers has the shape that the window reads."""

import time
from collections.abc import Iterator

import pytest

from desktop.model.predictor.words import outcome, state_line
from desktop.qtmodels.prediction import Link
from desktop.services.errors import InvalidRequestError
from desktop.views.model.page import predictor_link
from tests.helpers.wait import wait_until
from tests.integration.conftest import LiveSystem

pytestmark = [pytest.mark.integration]


@pytest.fixture(scope="module")
def link(live_system: LiveSystem) -> Iterator[Link]:
    made = predictor_link(live_system.endpoints)
    yield made
    made.close()


def test_how_prediction_stands_is_one_sentence(link: Link) -> None:
    models = link.api.models()
    assert state_line(models, link.scoring(), now=time.time()).text
    for version in models.models:
        assert version.card.created
        assert version.card.count("used") > 0
        assert all(card.held_out.model.mae > 0 for card in version.card.sensors.values())


def test_a_training_on_too_little_says_what_is_missing(link: Link) -> None:
    now = time.time()
    job = link.api.train(start=now - 3, end=now, sensors=("humidity",))
    wait_until(lambda: not link.api.jobs()[0].running, 180, "the training to end")
    training = link.api.jobs()[0]
    assert training.job == job
    told = outcome(training, None)
    assert told.line.sign == "failed"
    assert "humidity" in told.reasons[0]


def test_what_is_not_there_is_refused_in_a_sentence(link: Link) -> None:
    with pytest.raises(InvalidRequestError, match=r"There is no model v999999\."):
        link.api.promote("v999999")
