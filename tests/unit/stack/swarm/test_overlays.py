"""A deployment is never taken apart because an overlay was not named."""

import argparse
from dataclasses import replace

import pytest

from stack import choose
from stack.cli import run as cli
from stack.cli.arguments import parse
from stack.errors import ConsentError, PreflightError
from stack.swarm import overlays, preflight, up
from stack.swarm.rotate import Rotation
from stack.swarm.site import CLUSTER, Site
from stack.swarm.state import Node, Service
from stack.swarm.target import SwarmTarget
from stack.target import Check
from tests.helpers.fake_engine import FakeEngine

NODES = [Node(f"node-{n}", f"box{n}", f"10.0.0.{n}", True, is_self=n == 1, labels={"paai.broker": str(n)}) for n in (1, 2, 3)]


def deploy(site: Site) -> None:
    list(up.Up(site, preflight=list[Check], cancel=None).run())


@pytest.fixture
def cluster(site: Site, engine: FakeEngine) -> Site:
    """Three brokers on three nodes, up."""
    engine.node_list = list(NODES)
    found = replace(site, overlays=(CLUSTER,))
    deploy(found)
    engine.calls.clear()
    return found


def changed(engine: FakeEngine) -> bool:
    return any(call.startswith(("deploy", "remove", "create")) for call in engine.calls)


def test_without_the_overlay_it_is_refused_with_what_would_go(cluster: Site, site: Site, engine: FakeEngine) -> None:
    with pytest.raises(PreflightError) as caught:
        deploy(site)
    assert str(caught.value) == (
        "Stack paai-4000 was deployed with --overlay cluster: Without it these would go: services broker-2, broker-3 and "
        "volumes paai-4000_kafka-1, paai-4000_kafka-2, paai-4000_kafka-3. Add --overlay cluster to keep them, or take them "
        "away: python -m stack up --port-offset 4000 --overlay -cluster --yes"
    )
    assert not changed(engine)


def test_yes_alone_does_not_mean_it(cluster: Site, site: Site, engine: FakeEngine) -> None:
    with pytest.raises(PreflightError, match="was deployed with --overlay cluster"):
        deploy(replace(site, consent=True))
    assert not changed(engine)


@pytest.mark.parametrize("word", [CLUSTER, "none"])
def test_it_is_left_out_on_purpose(cluster: Site, site: Site, engine: FakeEngine, word: str) -> None:
    meant = replace(site, dropped=frozenset({word}))
    with pytest.raises(ConsentError, match=r"services broker-2, broker-3 and volumes .* Add --yes"):
        deploy(meant)
    assert not changed(engine)
    deploy(replace(meant, consent=True))
    assert {s.name for s in engine.services["paai-4000"]}.isdisjoint({"broker-2", "broker-3"})


def test_with_the_overlay_it_is_updated(cluster: Site, engine: FakeEngine) -> None:
    deploy(cluster)
    assert {"broker-2", "broker-3"} <= {s.name for s in engine.services["paai-4000"]}


def test_another_overlay_is_no_reason_to_lose_the_first(cluster: Site, site: Site, engine: FakeEngine) -> None:
    with pytest.raises(PreflightError, match="was deployed with --overlay cluster"):
        deploy(replace(site, overlays=("consoles",), dropped=frozenset({"replica-set"}), consent=True))
    assert not changed(engine)


def test_an_overlay_that_moves_data_out_of_sight_needs_consent(site: Site, engine: FakeEngine) -> None:
    deploy(site)
    engine.node_list = list(NODES)
    with pytest.raises(ConsentError, match=r"These would go: volumes paai-4000_kafka\. The data of volumes stay"):
        deploy(replace(site, overlays=(CLUSTER,)))
    deploy(replace(site, overlays=(CLUSTER,), consent=True))


def test_an_overlay_that_only_adds_needs_none(site: Site, engine: FakeEngine) -> None:
    deploy(site)
    deploy(replace(site, overlays=("consoles",)))
    assert engine.services["paai-4000"]


def test_services_of_nobody_knows_which_file(site: Site, engine: FakeEngine) -> None:
    deploy(site)
    engine.services["paai-4000"].append(Service("x", "own", 1, "own:1", volumes=("paai-4000_own",)))
    with pytest.raises(PreflightError, match=r"no file of this version names: These would go: services own and volumes .*none"):
        deploy(replace(site, consent=True))
    deploy(replace(site, dropped=frozenset({"none"}), consent=True))


def test_rotate_is_refused_too(cluster: Site, site: Site, engine: FakeEngine) -> None:
    with pytest.raises(PreflightError, match="was deployed with --overlay cluster"):
        list(Rotation(site, "token").run())
    assert not changed(engine)


def test_doctor_and_the_start_page_show_it(cluster: Site, site: Site) -> None:
    (check,) = [check for check in preflight.run_checks(site) if check.name == overlays.CHECK]
    assert not check.ok
    assert check.detail.startswith("Stack paai-4000 was deployed with --overlay cluster: Without it these would go: services")
    assert check.remedy.startswith("Add --overlay cluster")
    assert overlays.check(cluster, cluster.engine.state(cluster.stack)).ok


@pytest.fixture
def typed(cluster: Site, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line leads to that stack."""

    def chosen(options: argparse.Namespace, *, consent: bool) -> SwarmTarget:
        overlays = options.overlays or ()
        dropped = frozenset(word.removeprefix("-") for word in overlays if word.startswith("-") or word == "none")
        kept = tuple(word for word in overlays if word.removeprefix("-") not in dropped)
        return SwarmTarget(replace(site, overlays=kept, dropped=dropped, consent=consent))

    monkeypatch.setattr(cli, "target_of", chosen)
    monkeypatch.setattr(SwarmTarget, "preflight", lambda _: [])


@pytest.mark.usefixtures("typed")
@pytest.mark.parametrize("command", ["up", "rotate"])
def test_the_command_line_refuses_with_2(command: str, engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(parse([command])) == 2
    assert "was deployed with --overlay cluster" in " ".join(capsys.readouterr().err.split())
    assert not changed(engine)


@pytest.mark.usefixtures("typed")
def test_without_a_terminal_yes_is_named(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert cli.run(parse(["up", "--overlay", "-cluster"])) == 2
    assert "Add --yes to agree." in " ".join(capsys.readouterr().err.split())
    assert not changed(engine)
    assert cli.run(parse(["up", "--overlay", "-cluster", "--yes"])) == 0
    assert changed(engine)


@pytest.mark.usefixtures("typed")
@pytest.mark.parametrize(("answer", "code"), [("yes", 0), ("no", 2), ("", 2)])
def test_in_a_terminal_it_asks(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str, code: int
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    assert cli.run(parse(["--overlay", "-cluster", "up"])) == code
    assert "These would go: services broker-2, broker-3" in " ".join(capsys.readouterr().out.split())
    assert changed(engine) is (code == 0)


@pytest.mark.parametrize("words", [["--overlay", "-cluster"], ["--overlay=-cluster"]])
def test_a_dash_before_an_overlay_is_no_option(words: list[str]) -> None:
    assert parse(["up", *words, "--yes"]).overlays == ["-cluster"]
    assert parse([*words, "up"]).overlays == ["-cluster"]
    with pytest.raises(SystemExit):
        parse(["up", "--overlay", "--yes"])


def test_what_is_typed_becomes_a_target(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: "/usr/bin/docker")

    def of(*words: str) -> Site:
        target = choose.choose_target("swarm", overlays=words)
        assert isinstance(target, SwarmTarget)
        return target.site

    found = of("consoles", "-cluster")
    assert (found.overlays, found.dropped, found.drops("consoles")) == (("consoles",), frozenset({"cluster"}), False)
    assert of("none").drops("cluster")
    assert of("cluster", "none").overlays == ("cluster",)
    with pytest.raises(PreflightError, match="no overlay 'moon'"):
        of("-moon")
