"""The table of services and the log below it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel

from desktop.model.starting import STARTING_S
from desktop.qtmodels.attempts import Attempts
from desktop.qtmodels.operations import Operations
from desktop.qtmodels.services import Column, ServicesModel, message_of, state_of
from desktop.views.services.page import ServicesPage
from desktop.views.services.replicas import Replicas
from stack.choose import Option
from stack.errors import StackError
from stack.target import HistoryEntry
from tests.gui.conftest import Bench
from tests.helpers.fake_target import FakeTarget, status_of


@pytest.fixture
def page(bench: Bench) -> ServicesPage:
    bench.attach()
    bench.window.show_key("services")
    shown = bench.window.current_page
    assert isinstance(shown, ServicesPage)
    return shown


def cell(page: ServicesPage, service: str, column: Column) -> str:
    index = page.model.index(page.model.row_of(service), column)
    return str(page.model.data(index))


def stepper(page: ServicesPage) -> Replicas:
    widget = page.table.indexWidget(page.model.index(page.model.row_of("paai"), Column.REPLICAS))
    assert isinstance(widget, Replicas)
    return widget


def test_states() -> None:
    assert state_of(status_of("broker", 1)) == "running"
    young = replace(status_of("broker", 1, healthy=False, message="Nothing listens there."), since=datetime.now(UTC))
    assert state_of(young) == "starting"
    assert state_of(young, young.since and young.since + timedelta(seconds=STARTING_S)) == "degraded"
    assert state_of(replace(young, restarts=3, running=0, stopped=True)) == "stopped"
    assert state_of(replace(young, running=0)) == "starting", "its first replica is on its way"
    assert state_of(replace(young, running=0, restarts=3)) == "failed", "it comes back again and again"
    assert state_of(status_of("broker", 0)) == "stopped"
    assert state_of(status_of("broker", 0, message="It ended with code 1.")) == "failed"
    assert state_of(replace(status_of("paai", 2), wanted=3)) == "degraded"


def test_updates_and_rollbacks_are_states_of_their_own() -> None:
    rolling = replace(status_of("paai", 3), update="rolling update 1 of 3", updating=True)
    assert state_of(rolling) == "updating"
    assert state_of(replace(rolling, running=2)) == "updating", "one replica is being replaced"
    assert message_of(rolling) == "Rolling update 1 of 3."
    assert message_of(replace(rolling, message="Rolling update 1 of 3.")) == "Rolling update 1 of 3.", "said once"
    back = replace(rolling, update="rolled back: task failed.", updating=False, rolled_back=True)
    assert state_of(back) == "rolled back"
    assert message_of(back) == "Rolled back: task failed."
    assert state_of(replace(rolling, update="update stopped: task failed", updating=False)) == "degraded"


def test_how_an_update_ends_is_told_once(bench: Bench) -> None:
    bench.attach()
    good = bench.target.services

    def with_paai(**changes: Any) -> None:
        bench.target.services = [replace(s, **changes) if s.service == "paai" else s for s in good]
        bench.desktop.monitor.poll_status()

    def told() -> list[str]:
        return [n.text for n in bench.notifications.entries()]

    with_paai(update="rolling update 1 of 3", updating=True)
    assert told() == []
    assert bench.window.strip.sign.state == "updating"
    with_paai()
    assert told() == ["paai was updated."]
    with_paai(update="rolling update 1 of 3", updating=True)
    with_paai(update="rolling back", updating=True, rolled_back=True)
    with_paai(update="rolled back: unhealthy container", rolled_back=True)
    assert "paai: the update failed. Rolling back." in told()
    assert len(told()) == 2
    assert bench.window.strip.sign.state == "degraded"


def test_only_what_differs_is_announced() -> None:
    model = ServicesModel()
    rows = FakeTarget(up=True).services
    model.update_from(rows)
    changed: list[tuple[int, int]] = []
    resets: list[None] = []
    model.dataChanged.connect(lambda top, _: changed.append((top.row(), top.column())))
    model.modelReset.connect(lambda: resets.append(None))
    model.update_from(list(rows))
    assert changed == []
    model.update_from([replace(s, restarts=1) if s.service == "broker" else s for s in rows])
    row = model.row_of("broker")
    assert (row, Column.RESTARTS) in changed
    assert {r for r, _ in changed} == {row}
    assert (row, Column.MEMORY) not in changed
    assert resets == []


def test_a_failure_is_told_in_its_row(page: ServicesPage, bench: Bench) -> None:
    broken = status_of("mongodb", 0, message="It ended with signal 9.", restarts=2)
    bench.target.services = [broken if s.service == "mongodb" else s for s in bench.target.services]
    bench.wait(lambda: cell(page, "mongodb", Column.MESSAGE) == "It ended with signal 9.", "the message")
    assert cell(page, "mongodb", Column.STATE) == "failed"
    assert bench.window.strip.sign.state == "degraded"


def test_scaling_shows_at_once_and_then_runs(page: ServicesPage, bench: Bench) -> None:
    bench.target.gate.clear()
    stepper(page).more.click()
    assert stepper(page).text.text() == "3 of 4"
    stepper(page).more.click()
    assert stepper(page).text.text() == "3 of 5"
    bench.target.gate.set()
    bench.wait(lambda: stepper(page).text.text() == "5 of 5", "five run")
    assert [c for c in bench.target.calls if c.startswith("scale")] == ["scale paai 4", "scale paai 5"]


def switch(bench: Bench) -> FakeTarget:
    """Choose another running system, as "Where it runs" does."""
    here, there = (
        Option("local", None, "This machine", "", is_default=True),
        Option("swarm", None, "Docker", "", is_default=False),
    )
    other = FakeTarget(up=True, where="Docker", name="swarm")
    bench.offered, bench.elsewhere = [here, there], {"Docker": other}
    bench.desktop.places.choose(there)
    bench.wait(lambda: bench.switched.current is other and bench.desktop.monitor.is_attached, "the other system")
    return other


def test_a_queued_request_ends_with_its_system(page: ServicesPage, bench: Bench) -> None:
    bench.target.gate.clear()
    stepper(page).more.click()
    stepper(page).more.click()
    bench.wait(lambda: "scale paai 4" in bench.target.calls, "the first request")
    other = switch(bench)
    bench.wait(lambda: stepper(page).text.text() == "3 of 3", "the other system's replicas")
    bench.target.gate.set()
    bench.wait(lambda: bench.target.services[[s.service for s in bench.target.services].index("paai")].running == 4, "its end")
    stepper(page).more.click()
    bench.wait(lambda: stepper(page).text.text() == "4 of 4", "a request to the other system")
    assert [c for c in other.calls if c.startswith("scale")] == ["scale paai 4"]
    assert [c for c in bench.target.calls if c.startswith("scale")] == ["scale paai 4"]


def test_the_answer_of_the_earlier_system_is_ignored(bench: Bench) -> None:
    bench.attach()
    answers: list[Callable[[Exception], None]] = []
    operations = Operations(
        target=bench.switched,
        monitor=bench.desktop.monitor,
        run_task=lambda func, done, failed: answers.append(failed),
        notifications=bench.notifications,
    )
    failures: list[str] = []
    operations.failed.connect(lambda service, sentence: failures.append(sentence))
    operations.scale("paai", 4)
    operations.scale("paai", 5)
    switch(bench)
    assert not operations.busy("paai")
    answers[0](StackError("paai cannot be scaled", why="The supervisor does not answer."))
    assert failures == []
    assert not any("supervisor" in n.text for n in bench.notifications.entries())
    assert len(answers) == 1


def test_a_request_that_waits_for_a_thread_reaches_the_system_it_was_made_for(bench: Bench) -> None:
    """Between the click and the worker another system is chosen."""
    bench.attach()
    waiting: list[Callable[[], object]] = []
    operations = Operations(
        target=bench.switched,
        monitor=bench.desktop.monitor,
        run_task=lambda func, done, failed: waiting.append(func),
        notifications=bench.notifications,
    )
    attempts = Attempts(target=bench.switched, run_task=lambda func, done, failed: waiting.append(func))
    operations.scale("paai", 5)
    operations.restart("connect")
    attempts.show("paai")
    other = switch(bench)
    for func in waiting:
        func()
    assert {"scale paai 5", "restart connect", "history paai"} <= set(bench.target.calls)
    assert not {"scale paai 5", "restart connect", "history paai"} & set(other.calls)


def test_replicas_can_be_changed_only_while_attached(bench: Bench) -> None:
    services = bench.target.services
    bench.settings.set_text("window/page", "services")
    bench.window.show_key("services")
    shown = bench.window.current_page
    assert isinstance(shown, ServicesPage)
    shown._take(services)
    assert not stepper(shown).more.isEnabled()
    bench.attach()
    bench.wait(lambda: stepper(shown).more.isEnabled(), "the buttons")


def test_refused_scaling_is_rolled_back(page: ServicesPage, bench: Bench) -> None:
    bench.target.gate.clear()
    stepper(page).less.click()
    assert stepper(page).text.text() == "3 of 2"
    bench.target.error = StackError("paai cannot be scaled", why="The supervisor does not answer.", remedy="Try again.")
    bench.target.gate.set()
    bench.wait(lambda: stepper(page).text.text() == "3 of 3", "the roll-back")
    bench.target.error = None
    assert page.banner.isVisible()
    assert "The supervisor does not answer." in page.banner.text.text()


def test_log_follows_the_selection(page: ServicesPage, bench: Bench) -> None:
    page.select("connect")
    bench.wait(lambda: "connect: line 59" in page.log.text.toPlainText(), "its log")
    page.select("paai")
    bench.wait(lambda: "paai: line 59" in page.log.text.toPlainText(), "the other log")
    assert "connect:" not in page.log.text.toPlainText()


def test_log_filter_by_text_and_expression(page: ServicesPage, bench: Bench) -> None:
    page.select("broker")
    bench.wait(lambda: "line 59" in page.log.text.toPlainText(), "the log")
    page.log.filter.setText("LINE 1")
    assert len(page.log.text.toPlainText().splitlines()) == 11
    page.log.regex.setChecked(True)
    page.log.filter.setText(r"line 1\d$")
    assert len(page.log.text.toPlainText().splitlines()) == 10
    page.log.filter.setText("line (")
    assert "Not a regular expression" in page.log.note.text()
    assert len(page.log.text.toPlainText().splitlines()) == 10, "the last good filter stays"
    page.log.filter.setText("")
    page.log.regex.setChecked(False)
    page.log.copy.click()
    assert "line 59" in QGuiApplication.clipboard().text()


def test_log_pause_collects(page: ServicesPage, bench: Bench) -> None:
    page.select("broker")
    bench.wait(lambda: "line 59" in page.log.text.toPlainText(), "the log")
    page.log.pause.setChecked(True)
    bench.target.write("broker", "while paused")
    bench.wait(lambda: "1 new line" in page.log.note.text(), "it is counted")
    assert "while paused" not in page.log.text.toPlainText()
    page.log.pause.setChecked(False)
    assert "while paused" in page.log.text.toPlainText()


def test_log_shows_control_characters_as_dots(page: ServicesPage, bench: Bench) -> None:
    page.select("broker")
    bench.target.write("broker", "\x1b[31mred\x07 <b>bold</b>")
    bench.wait(lambda: "<b>bold</b>" in page.log.text.toPlainText(), "the line")
    assert "\x1b" not in page.log.text.toPlainText()


def test_restart_asks_only_where_something_is_at_stake(
    page: ServicesPage, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(service: str, warning: str) -> bool:
        asked.append(service)
        return False

    monkeypatch.setattr(page, "_confirmed", refuse)
    page.select("connect")
    page.restart.click()
    bench.wait(lambda: "restart connect" in bench.target.calls, "the restart")
    page.select("mongodb")
    page.restart.click()
    assert asked == ["mongodb"]
    assert "restart mongodb" not in bench.target.calls


def test_links_are_those_of_the_selected_service(page: ServicesPage) -> None:
    page.select("paai")
    assert page.links.count() == 1
    page.select("zookeeper")
    assert page.links.count() == 0
    assert page.findChild(QLabel) is not None


def test_attempts_of_a_swarm_are_a_click_away(page: ServicesPage, bench: Bench) -> None:
    assert not page.past.isVisible(), "plain processes remember none"
    bench.target.name = "swarm"
    now = datetime.now(UTC)
    bench.target.past["paai"] = [
        HistoryEntry(now, 0, "node-1", "running", "", "paai-services:2"),
        HistoryEntry(now - timedelta(seconds=9), 0, "node-1", "failed", "It exited with code 1.", "paai-services:1"),
    ]
    bench.target.services = [replace(s, restarts=1) if s.service == "paai" else s for s in bench.target.services]
    bench.wait(page.past.isVisible, "the button")
    page.select("paai")
    page.past.click()
    model = page.attempts.table.model()
    bench.wait(lambda: model.rowCount() == 2, "the attempts")
    assert not page.log.isVisible()
    assert model.index(1, 4).data() == "It exited with code 1."
    page.select("broker")
    bench.wait(lambda: page.attempts.note.text() == "No attempts recorded.", "those of another service")
    bench.target.error = StackError("The engine does not answer")
    page.select("mongodb")
    bench.wait(lambda: "The engine does not answer" in page.attempts.note.text(), "why there are none")
    page.past.click()
    assert page.log.isVisible()


def test_the_note_of_a_healthy_service_is_no_fault(page: ServicesPage, bench: Bench) -> None:
    row = status_of("spark-predict", 1, note="No model promoted")
    bench.target.services = [row if s.service == row.service else s for s in bench.target.services]
    bench.wait(lambda: cell(page, "spark-predict", Column.MESSAGE) == "No model promoted", "the note")
    assert cell(page, "spark-predict", Column.STATE) == "running"
    assert bench.desktop.monitor.health == ""
    page.select("spark-predict")
    bench.wait(lambda: page.doing.text() == "No model promoted", "the note beside the name")
