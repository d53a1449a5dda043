"""Deploying: plan, steps, failure, retry, cancel, the first fleet."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from desktop.app import take_picture
from desktop.model.first_fleet import STARTER_FLEET
from desktop.qtmodels.deployment import Phase
from desktop.views.start.steps_list import StepsList
from desktop.views.widgets.figure import Elided
from stack.catalogue import SERVICES
from stack.target import Check, Step, StepState
from tests.gui.conftest import Bench
from tests.helpers.fake_target import status_of


def texts(widget: QWidget) -> str:
    seen = [label.text() for label in widget.findChildren(QLabel) if label.isVisible()]
    return "\n".join(seen + [line.text() for line in widget.findChildren(Elided) if line.isVisible()])


@pytest.fixture
def stopped(make_bench: Callable[..., Bench]) -> Bench:
    bench = make_bench(up=False)
    bench.start()
    bench.wait(lambda: bench.desktop.deployment.plan is not None, "the plan")
    return bench


def test_says_what_where_and_why(stopped: Bench) -> None:
    page = stopped.window.start_page
    shown = texts(page)
    assert "Nothing runs on this machine" in shown
    assert "Docker is not installed here" in shown
    assert "Kafka broker" in shown
    assert "no mongod on PATH" in shown
    assert "5 checks passed" in shown
    assert page.deploy.isEnabled()
    assert page.deploy.text() == "Deploy on this machine"


def test_failed_check_shows_its_remedy(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(up=False)
    bench.target.checks.append(Check("Java", False, "no Java 17 was found", "Install it: apt install openjdk-17-jre-headless"))
    bench.start()
    bench.wait(lambda: "apt install openjdk-17-jre-headless" in texts(bench.window.start_page), "the remedy")


def test_steps_then_live(stopped: Bench) -> None:
    stopped.target.gate.clear()
    page = stopped.window.start_page
    page.deploy.click()
    stopped.wait(lambda: f"waits for {SERVICES[-1].title} to answer" in texts(page), "the last step")
    assert not stopped.desktop.monitor.is_attached, "not before it is deployed"
    assert stopped.window.strip.sign.state == "starting"
    assert 0.8 < stopped.desktop.deployment.progress < 1
    stopped.target.gate.set()
    stopped.wait(lambda: stopped.desktop.monitor.is_attached, "it attaches")
    assert stopped.window.current_page is not None
    assert stopped.window.current_page.key == "live"


def test_the_steps_of_a_deployment_go_with_what_it_brought_up(stopped: Bench) -> None:
    """Taken down from a terminal: no row may go on saying that a service is healthy, nor the plan that it runs already."""
    page = stopped.window.start_page
    page.deploy.click()
    stopped.wait(lambda: stopped.desktop.monitor.is_attached, "it attaches")
    stopped.wait(lambda: stopped.desktop.deployment.phase is Phase.DONE, "it is deployed")
    prepared: list[object] = []
    stopped.desktop.deployment.prepared.connect(lambda: prepared.append(None))
    stopped.target.services = [status_of(s.name, 0) for s in SERVICES]
    stopped.wait(lambda: not stopped.desktop.monitor.is_attached, "it is seen to be gone")
    assert stopped.desktop.deployment.steps == []
    assert "Nothing runs" in page.headline.text()
    stopped.wait(lambda: prepared, "the plan is asked for anew")


def test_live_as_soon_as_a_reading_has_flowed(stopped: Bench) -> None:
    stopped.target.flows = True
    stopped.target.gate.clear()
    stopped.window.start_page.deploy.click()
    stopped.wait(lambda: stopped.desktop.monitor.is_attached, "it attaches")
    assert stopped.desktop.deployment.phase is Phase.RUNNING, "the last service is still being started"
    assert stopped.window.strip.sign.state == "starting"
    assert stopped.window.current_page is not None
    assert stopped.window.current_page.key == "live"
    stopped.wait(lambda: stopped.connection.puts, "the first fleet")
    stopped.target.gate.set()
    stopped.wait(lambda: stopped.desktop.deployment.phase is Phase.DONE, "the end")
    assert len(stopped.connection.puts) == 1
    assert len(stopped.connections) == 1


def test_what_fails_after_readings_flow_is_said_beside_them(stopped: Bench) -> None:
    stopped.target.flows = True
    stopped.target.gate.clear()
    stopped.window.start_page.deploy.click()
    stopped.wait(lambda: stopped.desktop.monitor.is_attached, "it attaches")
    stopped.target.fails_at_the_gate = True
    stopped.target.gate.set()
    stopped.wait(lambda: stopped.desktop.deployment.phase is Phase.DONE, "the end")
    assert stopped.window.current_page is not None
    assert stopped.window.current_page.key == "live"
    assert any(f"{SERVICES[-1].title} did not start: everything else runs." in n.text for n in stopped.notifications.entries())


def test_log_of_a_step_opens_beside(stopped: Bench) -> None:
    stopped.target.gate.clear()
    page = stopped.window.start_page
    page.deploy.click()
    stopped.wait(lambda: len(stopped.desktop.deployment.steps) > 2, "steps")
    page.show_log("broker")
    stopped.wait(lambda: "broker: line 59" in page.log.text.toPlainText(), "its last lines")
    stopped.target.write("broker", "a new line")
    stopped.wait(lambda: "a new line" in page.log.text.toPlainText(), "the log is followed")


def test_failure_says_which_why_and_what_to_do_and_retries(stopped: Bench) -> None:
    stopped.target.fail_step = "mongodb"
    page = stopped.window.start_page
    page.deploy.click()
    stopped.wait(lambda: stopped.desktop.deployment.phase is Phase.FAILED, "the failure")
    shown = texts(page)
    assert "MongoDB did not start" in shown
    assert "the data directory is locked" in shown
    assert "--data-dir" in shown
    assert "Traceback" not in shown
    assert "Traceback" in stopped.desktop.deployment.report()
    assert page.failed_log.isVisible()
    assert not stopped.desktop.monitor.is_attached, "a half of a system is not attached"
    stopped.target.fail_step = None
    page.retry.click()
    stopped.wait(lambda: stopped.desktop.monitor.is_attached, "the second try succeeds")


def test_a_picture_of_a_failed_deployment_is_a_failure(
    stopped: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "window.png"
    assert take_picture(stopped.desktop, picture) == 0
    stopped.target.fail_step = "broker"
    stopped.window.start_page.deploy.click()
    stopped.wait(lambda: stopped.desktop.deployment.phase is Phase.FAILED, "the failure")
    picture.unlink()
    assert take_picture(stopped.desktop, picture) == 1
    assert picture.is_file()
    assert "Kafka broker did not start: It ended with code 1" in capsys.readouterr().err
    stopped.desktop.deployment.dismiss()
    assert take_picture(stopped.desktop, tmp_path / "nowhere" / "window.png") == 1
    assert "could not be written" in capsys.readouterr().err


def test_details_start_at_one_edge(qtbot: QtBot, stopped: Bench) -> None:
    rows = StepsList(theme=stopped.desktop.theme)
    qtbot.addWidget(rows)
    titles = ("Kafka broker", "A step whose title is much longer than those of all the others", "MongoDB")
    rows.show_steps([(Step(t, t, StepState.RUNNING, "waits", 0.0, None, index=i, total=3), 0.0) for i, t in enumerate(titles)])
    rows.resize(1200, 200)
    rows.show()
    shown = [label for label in rows.findChildren(QLabel) if label.text() in titles]
    assert len({label.geometry().right() for label in shown}) == 1
    assert all(label.width() >= label.sizeHint().width() for label in shown)


def test_cancel_ends_it(stopped: Bench) -> None:
    stopped.target.gate.clear()
    page = stopped.window.start_page
    page.deploy.click()
    stopped.wait(lambda: page.cancel.isVisible() and len(stopped.desktop.deployment.steps) > 2, "steps")
    page.cancel.click()
    stopped.wait(lambda: stopped.desktop.deployment.phase is Phase.IDLE, "it ends")
    assert stopped.desktop.deployment.failure is None, "a cancelled deployment did not fail"


def test_first_deployment_starts_a_small_fleet_and_says_so(stopped: Bench) -> None:
    stopped.window.start_page.deploy.click()
    stopped.wait(lambda: stopped.connections and stopped.connection.puts, "the first fleet")
    assert stopped.connection.puts == [(dict(STARTER_FLEET), None)]
    assert any("first fleet of 45 devices" in n.text for n in stopped.notifications.entries())


def test_a_deployment_lasts_until_what_it_brought_up_is_attached(stopped: Bench) -> None:
    stopped.target.endpoints_gate.clear()
    page, deployment = stopped.window.start_page, stopped.desktop.deployment
    page.deploy.click()
    stopped.wait(lambda: deployment.progress == 1 and not deployment.can_cancel, "every step is done")
    stopped.qtbot.wait(300)
    assert deployment.busy
    assert page.headline.text() == "Deploying …"
    assert not page.deploy.isVisible()
    assert stopped.window.strip.word.text() == "starting"
    assert "Stopped" not in texts(stopped.window.status)
    stopped.target.endpoints_gate.set()
    stopped.wait(lambda: stopped.desktop.monitor.is_attached, "it attaches")
    assert deployment.phase is Phase.DONE
    assert stopped.window.current_page is not page


def test_a_deployment_that_cannot_be_attached_ends_all_the_same(stopped: Bench) -> None:
    stopped.target.endpoints_gate.clear()
    deployment = stopped.desktop.deployment
    deployment._settle_timer.setInterval(50)
    stopped.window.start_page.deploy.click()
    stopped.wait(lambda: deployment.phase is Phase.DONE, "its end")
    assert not stopped.desktop.monitor.is_attached
    stopped.target.endpoints_gate.set()
    stopped.wait(lambda: stopped.connections and stopped.connection.puts, "the first fleet, later")


def test_a_fleet_emptied_on_purpose_stays_empty(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(up=False, stored=True)
    bench.start()
    bench.wait(lambda: bench.desktop.deployment.plan is not None, "the plan")
    bench.window.start_page.deploy.click()
    bench.wait(lambda: bench.desktop.monitor.is_attached, "it attaches")
    bench.wait(lambda: not bench.desktop.starter.armed, "the fleet was looked at")
    bench.qtbot.wait(300)
    assert bench.connection.puts == []


def test_attaching_starts_no_fleet(bench: Bench) -> None:
    bench.attach()
    bench.wait(lambda: bench.desktop.fleet.state.known, "the fleet")
    bench.qtbot.wait(300)
    assert bench.connection.puts == []


def test_an_end_that_nobody_asked_for_is_no_stop(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.attach()
    gone = "It ended unexpectedly; deploy it again to bring it back."
    bench.target.services = [replace(status_of(s.name, 0, message=gone), wanted=s.replicas) for s in SERVICES]
    monkeypatch.setattr(bench.target, "is_up", lambda: True)  # some processes have outlived their supervisor
    bench.wait(lambda: "ended unexpectedly" in bench.window.start_page.headline.text(), "the start page says so")
    assert bench.window.strip.word.text() == "failed"
    assert "ended unexpectedly" in texts(bench.window.status)
    assert bench.window.start_page.deploy.isVisible()
    looked: list[object] = []
    bench.desktop.monitor._status_timer.timeout.connect(lambda: looked.append(None))
    bench.wait(lambda: len(looked) > 1, "more looks")
    assert len(bench.connections) == 1, "what is left is not attached"
    monkeypatch.undo()
    bench.target.services = [status_of(s.name, 0) for s in SERVICES]  # taken down elsewhere
    bench.wait(lambda: "Nothing runs" in bench.window.start_page.headline.text(), "it was stopped")
    assert bench.window.strip.word.text() == "stopped"
    assert "Stopped" in texts(bench.window.status)


def test_stopping_shows_its_steps_and_returns_to_the_start(bench: Bench) -> None:
    first = bench.attach()
    bench.target.gate.clear()
    bench.desktop.deployment.take_down()
    bench.wait(lambda: "waits for all to end" in texts(bench.window.start_page), "the step")
    bench.target.gate.set()
    bench.wait(lambda: bench.desktop.deployment.phase is Phase.IDLE, "it stopped")
    bench.wait(lambda: "Nothing runs on this machine" in texts(bench.window.start_page), "the start page")
    assert first.stopped
    assert not bench.desktop.monitor.is_attached
