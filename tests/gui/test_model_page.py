"""The model page: how prediction stands, training, promoting, failing."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.model.palette import DARK
from desktop.model.predictor.training import Scoring
from desktop.model.predictor.words import moment
from desktop.plots.scores import COVERAGE, ERROR, LAST, MODEL, ROLLING, SPIKES, Mark, neighbours
from desktop.services.errors import UnauthorisedError, UnreachableError
from desktop.views.model import page as page_module
from desktop.views.model.page import ModelPage
from tests.gui.conftest import Bench
from tests.helpers import model_cards
from tests.helpers.fake_predictor import FakePredictor, busy

NOW = moment("2026-11-24T13:00:00Z")
PROMOTED = "2026-11-24T12:43:00.000Z"


@pytest.fixture
def predictor() -> FakePredictor:
    return FakePredictor()


@pytest.fixture
def page(bench: Bench, predictor: FakePredictor) -> Iterator[ModelPage]:
    bench.target.given = replace(bench.target.endpoints(), predictor="http://127.0.0.1:15001")
    bench.settings.set_flag("live/utc", True)
    bench.attach()
    made = ModelPage(context=bench.desktop.context, make_link=predictor.link, clock=lambda: NOW)
    bench.qtbot.addWidget(made)
    made.resize(1200, 760)
    made.prediction._timer.setInterval(60)
    made.show()
    yield made
    predictor.gate.set()
    made.closing()


Show = Callable[[], ModelPage]


@pytest.fixture
def show(bench: Bench, page: ModelPage) -> Show:
    """Brings it into view and waits for the first answer."""

    def shown() -> ModelPage:
        page.shown()
        bench.wait(lambda: page.prediction.models is not None or page.prediction.error is not None, "an answer")
        return page

    return shown


def answers(monkeypatch: pytest.MonkeyPatch, yes: bool) -> list[tuple[str, str]]:
    """What was asked from now on; every question is answered so."""
    asked: list[tuple[str, str]] = []

    def answer(_: Any, question: str, *, at_stake: str, button: str) -> bool:
        asked.append((question, at_stake))
        return yes

    monkeypatch.setattr(page_module, "confirmed", answer)
    return asked


def click(button: Any) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_without_a_model_it_says_what_to_do(show: Show) -> None:
    page = show()
    assert page.sentence.text().startswith("No model yet")
    assert page.nothing.isVisible()
    assert "Ten minutes" in page.nothing.text.text()
    assert not page.card.isVisible()
    assert page.bar.train.isEnabled()
    assert not page.roll_back.isEnabled()


def test_one_button_leads_from_no_model_to_a_scored_stream(show: Show, bench: Bench, predictor: FakePredictor) -> None:
    page = show()
    click(page.bar.train)
    bench.wait(lambda: page.bar.progress.isVisible(), "the training shows")
    (call,) = predictor.calls
    assert call == ("train", NOW - 3600, NOW, ())
    assert not page.bar.train.isEnabled()
    assert page.bar.stage.text().startswith("40\u202f%  ·  Computes the features of humidity")
    predictor.publishes("v1")
    bench.wait(lambda: ("promote", "v1") in predictor.calls, "it is promoted by itself")
    bench.wait(lambda: "v1 is promoted since 12:43" in page.sentence.text(), "and said to be")
    assert page.bar.headline.text().endswith("beat every simple forecast; promoted.")
    assert page.bar.train.isEnabled()
    assert page.prediction.promotes_after == ""


def test_a_model_that_is_not_better_is_not_promoted_and_the_reason_is_said(
    show: Show, bench: Bench, predictor: FakePredictor
) -> None:
    page = show()
    page.train()
    bench.wait(lambda: page.prediction.running is not None, "it runs")
    predictor.publishes("v1", worse=("pressure",))
    bench.wait(lambda: page.bar.headline.isVisible(), "the outcome")
    assert "not good enough to be promoted by itself" in page.bar.headline.text()
    assert page.bar.reasons.text().startswith("Pressure: its band fits no better")
    assert page.bar.sign.state == "degraded"
    assert [c[0] for c in predictor.calls] == ["train"]
    click(page.bar.dismiss)
    assert not page.bar.headline.isVisible()


def test_promoting_by_itself_can_be_declined_and_survives_the_page(show: Show, bench: Bench, predictor: FakePredictor) -> None:
    page = show()
    page.bar.promote.setChecked(False)
    page.train()
    bench.wait(lambda: page.prediction.running is not None, "it runs")
    assert page.prediction.promotes_after == ""
    predictor.publishes("v1")
    bench.wait(lambda: page.card.isVisible(), "the version shows")
    page.bar.promote.setChecked(True)
    page.train()
    bench.wait(lambda: page.prediction.running is not None, "it runs")
    page.hidden()
    predictor.publishes("v2")
    bench.wait(lambda: ("promote", "v2") in predictor.calls, "it is promoted while another page is shown")
    bench.wait(lambda: any("v2 is promoted" in n.text for n in bench.notifications.entries()), "and told")
    assert ("promote", "v1") not in predictor.calls
    bench.wait(lambda: not page.prediction._timer.isActive(), "nothing is asked any more")


def test_a_failure_says_how_much_is_needed(show: Show, bench: Bench, predictor: FakePredictor) -> None:
    page = show()
    page.train()
    bench.wait(lambda: page.prediction.running is not None, "it runs")
    predictor.ends("failed", message="The humidity readings cover 4.0 minutes only; at least 9 are needed at their interval.")
    bench.wait(lambda: page.bar.reasons.isVisible(), "the outcome")
    assert page.bar.headline.text() == "The training gave no model."
    assert "at least 9 are needed" in page.bar.reasons.text()


def test_a_training_is_cancelled(show: Show, bench: Bench, predictor: FakePredictor) -> None:
    predictor.trainings = [model_cards.training("of another window", "running")]
    page = show()
    assert page.bar.cancel.isVisible()
    click(page.bar.cancel)
    bench.wait(lambda: not page.bar.cancel.isEnabled(), "it is being cancelled")
    assert predictor.calls == [("cancel", "of another window")]
    predictor.ends("cancelled")
    bench.wait(lambda: page.bar.headline.isVisible(), "the outcome")
    assert "nothing was stored" in page.bar.headline.text()


def test_sensors_and_time_frame_are_what_is_asked_for(show: Show, bench: Bench, predictor: FakePredictor) -> None:
    page = show()
    for sensor in ("temperature", "pressure"):
        page.bar.sensors[sensor].setChecked(False)
    page.bar.frame.choose(900.0)
    page.train()
    bench.wait(lambda: bool(predictor.calls), "the question")
    assert predictor.calls == [("train", NOW - 900, NOW, ("humidity", "heart_rate"))]


def test_nothing_to_train_on_is_not_asked(show: Show, predictor: FakePredictor) -> None:
    page = show()
    page.bar.frame.set_range(NOW + 100, NOW + 200)
    page.train()
    assert "future" in page.banner.text.text()
    page.prediction.changed.emit()
    assert not page.banner.isHidden(), "the next look took the sentence away"
    page.bar.frame.choose(900.0)
    assert page.banner.isHidden()
    for box in page.bar.sensors.values():
        box.setChecked(False)
    assert not page.bar.train.isEnabled()
    assert predictor.calls == []


@pytest.fixture
def stocked(predictor: FakePredictor) -> FakePredictor:
    predictor.versions = [
        model_cards.version("v3", worse=("humidity",)),
        model_cards.version("v2", promoted_at=PROMOTED),
        model_cards.version("v1"),
    ]
    predictor.scoring = Scoring(at=NOW - 1, per_s=240.0, lag=3, scored=9000, anomalies=4, model="v2")
    return predictor


def select(page: ModelPage, version: str) -> None:
    page.table.selectRow(page.model.row_of(version))


def test_versions_and_the_card_of_the_promoted_one(show: Show, stocked: FakePredictor) -> None:
    page = show()
    assert page.sign.state == "running"
    assert "v2 is promoted since 12:43 · scores 240 readings/s · lag 3 · 4 abnormal readings" in page.sentence.text()
    rows = [[page.model.index(r, c).data() for c in range(6)] for r in range(3)]
    assert rows[1] == [
        "v2", "● promoted 12:43", "12:41", "11:40 – 12:40", "289\u202f200", "Temperature, Pressure, Humidity, Heart rate",
    ]  # fmt: skip
    assert page.card.title.text() == "v2"
    assert not page.card.promote.isEnabled()
    assert not page.card.remove.isEnabled()
    chart = page.card.scores
    assert chart.isVisible()
    assert len(chart.marks) == 4 * 9
    found = {(m.panel, m.contender): m.value for m in chart.marks if m.sensor == "temperature"}
    assert found[ERROR, MODEL] == 0.79
    assert found[COVERAGE, ROLLING] == 0.861
    assert found[SPIKES, MODEL] == 0.81
    assert "Temperature, this model: 90.2\u202f%" in chart.accessibleDescription()
    assert not chart.grab().toImage().isNull()


def test_a_mark_behind_the_models_is_told_with_it() -> None:
    model, rolling, last = (Mark(ERROR, "pressure", c, v) for c, v in ((MODEL, 0.843), (ROLLING, 0.836), (LAST, 2.0)))
    marks = [last, rolling, model]
    assert neighbours(model, marks, 0.1) == [model, rolling]
    assert neighbours(rolling, marks, 0.1) == [model, rolling]
    assert neighbours(last, marks, 0.1) == [last]


def test_a_card_without_figures_shows_no_picture(show: Show, predictor: FakePredictor) -> None:
    predictor.versions = [{"version": "v1", "promoted": False, "card": {"version": "v1"}}]
    page = show()
    assert page.card.title.text() == "v1"
    assert not page.card.scores.isVisible()


def test_promoting_one_that_is_not_better_asks_first(
    show: Show, stocked: FakePredictor, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = show()
    asked = answers(monkeypatch, yes=False)
    select(page, "v3")
    click(page.card.promote)
    assert asked[0][0] == "Promote v3 all the same?"
    assert asked[0][1].startswith("Humidity: ")
    assert stocked.calls == []
    select(page, "v1")
    click(page.card.promote)
    bench.wait(lambda: "v1 is promoted" in page.sentence.text(), "the other one, without a question")
    assert len(asked) == 1
    assert "still with v2" in page.sentence.text()


def test_removing_and_rolling_back_ask_first(
    show: Show, stocked: FakePredictor, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = show()
    assert not page.roll_back.isEnabled(), "v2 is the first that was promoted"
    stocked.previous = "v3"
    bench.wait(lambda: page.roll_back.isEnabled(), "there is one to go back to")
    answers(monkeypatch, yes=False)
    select(page, "v1")
    click(page.card.remove)
    click(page.roll_back)
    assert stocked.calls == []
    asked = answers(monkeypatch, yes=True)
    click(page.card.remove)
    bench.wait(lambda: page.model.row_of("v1") < 0, "it is gone")
    assert page.card.title.text() == "v2", "what is promoted takes its place"
    click(page.roll_back)
    bench.wait(lambda: ("roll back",) in stocked.calls, "rolled back")
    assert [question for question, _ in asked] == ["Remove v1?", "Roll back to v3?"]


def test_while_something_is_done_nothing_else_can_be_asked_for(show: Show, stocked: FakePredictor, bench: Bench) -> None:
    page = show()
    stocked.gate.clear()
    select(page, "v1")
    click(page.card.promote)
    assert not page.card.promote.isEnabled()
    assert not page.bar.train.isEnabled()
    stocked.gate.set()
    bench.wait(lambda: page.bar.train.isEnabled(), "it is done")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UnauthorisedError("The predictor lets only its admin token change models", status=403, why="", remedy="Whoever …"),
         "only its admin token"),
        (busy(), "The training abc is running."),
    ],
)  # fmt: skip
def test_a_refusal_is_said_and_stays(show: Show, predictor: FakePredictor, bench: Bench, error: Exception, said: str) -> None:
    page = show()
    predictor.refusal = error
    page.train()
    bench.wait(lambda: page.banner.isVisible(), "the banner")
    assert said in page.banner.text.text()
    looks = predictor.looks
    bench.wait(lambda: predictor.looks > looks + 1, "more looks")
    assert page.banner.isVisible(), "an answer to another question does not take it away"
    click(page.banner.dismiss)
    assert not page.banner.isVisible()


def test_a_predictor_that_does_not_answer_is_said_with_a_way_out(show: Show, predictor: FakePredictor, bench: Bench) -> None:
    predictor.down = UnreachableError("The predictor cannot be reached", why="refused.", remedy="Is it running?")
    page = show()
    assert page.state_panel.title.text() == "The predictor cannot be reached."
    wanted: list[str] = []
    page.wanted.connect(lambda key, _: wanted.append(key))
    click(page.state_panel.button)
    assert wanted == ["services"]
    predictor.down = None
    bench.wait(lambda: page.nothing.isVisible(), "it comes back by itself")
    predictor.down = UnreachableError("The predictor cannot be reached")
    bench.wait(lambda: page.banner.isVisible(), "what was there stays, under a banner")
    assert not page.bar.train.isEnabled()


def test_a_system_without_a_predictor(bench: Bench, page: ModelPage) -> None:
    bench.target.given = None
    bench.connection._endpoints = bench.target.endpoints()
    page.shown()
    bench.wait(lambda: page.prediction.error is not None, "an answer")
    assert page.state_panel.title.text() == "This system has no predictor."
    assert "deploy it again" in page.state_panel.text.text()


def test_nothing_is_asked_while_it_is_not_shown(show: Show, predictor: FakePredictor, bench: Bench) -> None:
    page = show()
    before = predictor.looks
    bench.wait(lambda: predictor.looks > before + 1, "it asks again and again")
    page.hidden()
    assert not page.prediction._timer.isActive()


def test_leaving_the_system_lets_go_of_it(show: Show, predictor: FakePredictor, bench: Bench) -> None:
    page = show()
    bench.desktop.monitor.detach()
    bench.wait(lambda: predictor.closed == 1, "the link is closed")
    assert page.prediction.models is None


def test_colours(show: Show, stocked: FakePredictor) -> None:
    page = show()
    page.apply_palette(DARK)
    assert not page.grab().toImage().isNull()


def test_the_window_has_the_page(bench: Bench) -> None:
    bench.attach()
    bench.window.show_key("model")
    shown = bench.window.current_page
    assert isinstance(shown, ModelPage)
    bench.wait(lambda: shown.prediction.error is not None, "the fake system has no predictor")
