"""Choosing where the system runs, and the remedies that are one click away."""

from collections.abc import Callable

import pytest

from desktop.qtmodels.deployment import Phase
from stack.choose import Option
from stack.errors import PreflightError, StackError
from stack.target import Action, Check
from tests.gui.conftest import Bench
from tests.gui.test_window import texts
from tests.helpers.fake_target import FakeTarget

LOCAL = Option("local", None, "This machine", "The Docker engine is not in swarm mode.", is_default=True)
DOCKER = Option("swarm", None, "Docker", "The Docker engine is not in swarm mode.", is_default=False)
OFFICE = Option("swarm", "office", "Docker context office", "", is_default=False)


def offer(bench: Bench, *options: Option) -> None:
    bench.offered = list(options)
    for option in options[1:]:
        bench.elsewhere[option.label] = FakeTarget(where=option.label, name=option.kind)

    def looked() -> bool:
        bench.desktop.places.look()  # again, if the page's own look was under way before there were any
        return bool(bench.desktop.places.options)

    bench.wait(looked, "the options")


@pytest.fixture
def stopped(make_bench: Callable[..., Bench]) -> Bench:
    bench = make_bench(up=False)
    bench.start()
    bench.wait(lambda: bench.desktop.deployment.plan is not None, "the plan")
    return bench


def test_nothing_to_choose_shows_no_chooser(stopped: Bench) -> None:
    offer(stopped, LOCAL)
    assert not stopped.window.start_page.place.isVisible()


def test_options_say_why(stopped: Bench) -> None:
    offer(stopped, LOCAL, DOCKER, OFFICE)
    card = stopped.window.start_page.place
    stopped.wait(card.isVisible, "the chooser")
    assert "Proposed: the Docker engine is not in swarm mode." in texts(card)
    assert [b.isChecked() for b in card.buttons] == [True, False, False]


def test_what_is_not_there_cannot_be_chosen_and_says_so(stopped: Bench) -> None:
    offer(stopped, LOCAL, Option("swarm", None, "Docker", "There is no Docker here.", is_default=False, available=False))
    card = stopped.window.start_page.place
    stopped.wait(card.isVisible, "the chooser")
    assert not card.buttons[1].isEnabled()
    assert "There is no Docker here." in texts(card)


def test_another_place_is_planned_and_deployed_to(stopped: Bench) -> None:
    offer(stopped, LOCAL, DOCKER, OFFICE)
    page = stopped.window.start_page
    office = stopped.elsewhere[OFFICE.label]
    assert isinstance(office, FakeTarget)
    page.place.buttons[2].click()
    stopped.wait(lambda: "Nothing runs on Docker context office" in texts(page), "the plan of the other place")
    assert stopped.window.strip.where.text() == "Docker context office"
    stopped.wait(page.deploy.isEnabled, "the button")
    page.deploy.click()
    stopped.wait(lambda: stopped.desktop.monitor.is_attached, "it is attached")
    assert "up" in office.calls
    assert "up" not in stopped.target.calls


def test_a_place_that_cannot_be_had_says_why_and_nothing_changes(stopped: Bench) -> None:
    offer(stopped, LOCAL, OFFICE)
    stopped.elsewhere[OFFICE.label] = StackError("The context office is broken", why="Its certificate has ended.")
    page = stopped.window.start_page
    page.place.buttons[1].click()
    stopped.wait(lambda: "certificate has ended" in texts(page.place), "the reason")
    assert page.place.buttons[0].isChecked()
    assert stopped.switched.current is stopped.target


def test_leaving_a_running_system_lets_it_run(bench: Bench) -> None:
    first = bench.attach()
    offer(bench, LOCAL, OFFICE)
    bench.desktop.places.choose(OFFICE)
    bench.wait(lambda: not bench.desktop.monitor.is_attached, "the window leaves")
    bench.wait(lambda: first.stopped, "its feeds end")
    bench.wait(lambda: "Nothing runs on Docker context office" in texts(bench.window.start_page), "the other place")
    assert "down" not in bench.target.calls
    assert any("this machine keeps running" in n.text for n in bench.notifications.entries())
    bench.elsewhere[LOCAL.label] = bench.target
    bench.desktop.places.choose(LOCAL)
    bench.wait(lambda: bench.desktop.monitor.is_attached, "back at the first")
    assert bench.connection is not first


def test_a_connection_that_comes_after_its_place_was_left_is_ended(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(up=True)
    bench.target.endpoints_gate.clear()
    bench.start()
    offer(bench, LOCAL, OFFICE)
    bench.wait(lambda: bench.desktop.monitor.status, "the running system is seen")
    office = bench.elsewhere[OFFICE.label]
    assert isinstance(office, FakeTarget)
    bench.desktop.places.choose(OFFICE)
    bench.wait(lambda: bench.switched.current is office, "the other place")
    attached: list[bool] = []
    bench.desktop.monitor.attached.connect(lambda: attached.append(True))
    bench.target.endpoints_gate.set()
    bench.wait(lambda: bench.connections and bench.connection.stopped, "the late connection ends")
    assert attached == []


def test_nothing_is_switched_while_something_is_deployed(stopped: Bench) -> None:
    offer(stopped, LOCAL, OFFICE)
    stopped.target.gate.clear()
    stopped.window.start_page.deploy.click()
    stopped.wait(lambda: stopped.desktop.deployment.busy, "it deploys")
    stopped.desktop.places.choose(OFFICE)
    assert stopped.desktop.places.moving is None
    assert not stopped.window.start_page.place.isVisible()


def test_a_failed_check_is_put_right_at_a_click(stopped: Bench) -> None:
    action = Action("swarm-init", "Switch on swarm mode")
    stopped.target.checks = [Check("Swarm mode", False, "Off", "Type: docker swarm init", action)]
    stopped.target.fixes = {"swarm-init": "Swarm mode"}
    stopped.desktop.deployment.prepare()
    page = stopped.window.start_page
    stopped.wait(lambda: "Swarm mode: Off" in texts(page), "the check")
    stopped.target.gate.clear()
    page.checks.action_wanted.emit(action)
    stopped.wait(lambda: "Do swarm-init" in texts(page), "its step")
    assert "Switch on swarm mode …" in texts(page)
    assert page.cancel.isVisible()
    stopped.target.gate.set()
    stopped.wait(lambda: stopped.desktop.deployment.phase is Phase.IDLE and not page.steps.isVisible(), "it is done")
    stopped.wait(lambda: "1 check passed" in texts(page), "checked again")
    assert stopped.target.calls.count("fix swarm-init") == 1
    assert "up" not in stopped.target.calls


def test_a_remedy_that_fails_can_be_tried_again(stopped: Bench) -> None:
    action = Action("build", "Build them")
    stopped.target.checks = [Check("Images", False, "Not built yet", "Type: python -m stack build", action)]
    stopped.target.fixes = {"build": "Images"}
    stopped.target.error = PreflightError("The images cannot be built", why="The disk is full.", remedy="Free some space.")
    page = stopped.window.start_page
    stopped.desktop.deployment.fix(action)
    stopped.wait(lambda: "The disk is full." in texts(page), "the failure")
    assert "Build them did not finish" in texts(page)
    stopped.target.error = None
    page.retry.click()
    stopped.wait(lambda: stopped.desktop.deployment.phase is Phase.IDLE, "the second try succeeds")
    assert stopped.target.calls.count("fix build") == 2
