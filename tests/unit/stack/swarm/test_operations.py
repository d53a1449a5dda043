"""Scale, restart, reset, rotate, down."""

import pytest
import yaml

from backend.contract.login import parse_login
from stack.errors import EngineError, NotRunningError, StackError, UnknownServiceError, WaitTimeoutError
from stack.swarm import down, rotate
from stack.swarm.site import Site
from stack.swarm.state import Node
from stack.swarm.target import SwarmTarget
from stack.target import StepState
from tests.helpers.fake_engine import FakeEngine


def test_scale(deployed: Site, engine: FakeEngine) -> None:
    steps = list(SwarmTarget(deployed).scale("paai", 5))
    assert "scale paai-4000_paai 5" in engine.calls
    assert steps[-1].state is StepState.DONE
    assert steps[-1].detail == "5 replicas are healthy."


@pytest.mark.parametrize(("service", "number"), [("broker", 2), ("paai", 0), ("paai", 17), ("moon", 1)])
def test_what_cannot_be_scaled(deployed: Site, engine: FakeEngine, service: str, number: int) -> None:
    with pytest.raises(UnknownServiceError):
        list(SwarmTarget(deployed).scale(service, number))
    assert not [call for call in engine.calls if call.startswith("scale")]


def test_nothing_to_scale_or_restart_when_nothing_runs(site: Site) -> None:
    with pytest.raises(NotRunningError, match="python -m stack up --port-offset 4000"):
        list(SwarmTarget(site).scale("paai", 2))
    with pytest.raises(NotRunningError):
        list(SwarmTarget(site).restart("broker"))
    with pytest.raises(NotRunningError):
        list(SwarmTarget(site).rotate("token"))


def test_restart(deployed: Site, engine: FakeEngine) -> None:
    assert list(SwarmTarget(deployed).restart("connect"))[-1].state is StepState.DONE
    assert "force_update paai-4000_connect" in engine.calls


def test_reset_stops_the_job_and_its_workers_before_the_checkpoint_goes(deployed: Site, engine: FakeEngine) -> None:
    engine.calls.clear()
    steps = list(SwarmTarget(deployed).reset("spark-job"))
    done = [call for call in engine.calls if call.startswith(("scale", "remove"))]
    assert done == [
        "scale paai-4000_spark-job 0",
        "scale paai-4000_spark-worker 0",
        "remove_volume paai-4000_checkpoint",
        "scale paai-4000_spark-job 1",
        "scale paai-4000_spark-worker 1",
    ]
    assert steps[-1].state is StepState.DONE
    with pytest.raises(UnknownServiceError, match="spark-job and spark-predict"):
        list(SwarmTarget(deployed).reset("broker"))


def test_the_prediction_job_has_a_checkpoint_of_its_own(deployed: Site, engine: FakeEngine) -> None:
    engine.volume_names.append("paai-4000_checkpoint-predict")
    engine.calls.clear()
    list(SwarmTarget(deployed).reset("spark-predict"))
    assert [call for call in engine.calls if call.startswith(("scale", "remove"))] == [
        "scale paai-4000_spark-predict 0",
        "remove_volume paai-4000_checkpoint-predict",
        "scale paai-4000_spark-predict 1",
    ]


def test_down_stops_feeders_first_and_keeps_data_and_credentials(deployed: Site, engine: FakeEngine) -> None:
    volumes, kept = list(engine.volume_names), dict(engine.kept)
    engine.calls.clear()
    steps = list(SwarmTarget(deployed).down())
    removals = [call for call in engine.calls if call.startswith("remove")]
    assert removals[0] == "remove_service paai-4000_generator"
    assert removals[-1] == "remove_stack paai-4000"
    assert steps[-1].state is StepState.DONE
    assert engine.volume_names == volumes
    assert engine.kept == kept
    assert list(SwarmTarget(deployed).down())[-1].state is StepState.DONE  # nothing there: nothing to do


def test_purge_removes_what_is_here_and_says_what_to_type_elsewhere(deployed: Site, engine: FakeEngine) -> None:
    engine.node_list.append(Node("node-2", "second", "10.0.0.2", True))
    steps = list(SwarmTarget(deployed).down(purge=True))
    assert not engine.volume_names
    assert not engine.kept
    assert not list(deployed.folder.glob("credentials-*"))
    volumes = next(step for step in reversed(steps) if step.key == "volumes")
    assert "On second type: docker volume ls -q --filter label=com.docker.stack.namespace=paai-4000" in volumes.detail


def test_a_network_that_stays_is_named(deployed: Site, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(down, "STOP_TIMEOUT_S", 0.05)
    monkeypatch.setattr(engine, "networks", lambda stack: ["paai-4000_paai"])
    with pytest.raises(WaitTimeoutError, match="docker network inspect paai-4000_paai"):
        list(SwarmTarget(deployed).down())


def test_one_command_at_a_time(deployed: Site) -> None:
    first = SwarmTarget(deployed).restart("connect")
    next(first)  # holds the lock for as long as it is not finished
    with pytest.raises(StackError, match=r"`restart` \(process \d+\) has not finished"):
        list(SwarmTarget(deployed).scale("paai", 2))
    list(first)


def test_a_token_is_accepted_by_all_before_it_is_sent(deployed: Site, engine: FakeEngine) -> None:
    old = engine.kept["paai-4000_token_v1"][0]
    list(SwarmTarget(deployed).rotate("token"))
    phases = [variables["PAAI_TOKEN_VERSION"] for _, variables in engine.deployed[1:]]
    assert phases == ["2", "3", "4"]
    assert {variables["PAAI_ADMIN_TOKEN_VERSION"] for _, variables in engine.deployed[1:]} == {"1"}
    assert list(engine.kept)[-1] == "paai-4000_token_v4"
    new = engine.kept["paai-4000_token_v4"][0]
    assert new != old
    assert SwarmTarget(deployed).endpoints().token == new
    assert [name for name in engine.kept if "_token_v" in name] == ["paai-4000_admin_token_v1", "paai-4000_token_v4"]


def test_the_middle_phases_of_a_token(deployed: Site, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "remove_secret", lambda name: None)
    list(SwarmTarget(deployed).rotate("token"))
    old, both, turned, new = (engine.kept[f"paai-4000_token_v{n}"][0].split("\n") for n in (1, 2, 3, 4))
    assert both == old + new
    assert turned == new + old


def test_logins_are_made_used_and_only_then_dropped(
    deployed: Site, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def not_at_first(uri: str, login: object) -> str:
        asked.append(login.user)  # type: ignore[attr-defined]
        return "Authentication failed" if len(asked) < 3 else ""

    monkeypatch.setattr(rotate, "_mongo_problem", not_at_first)
    steps = list(SwarmTarget(deployed).rotate("mongo"))
    first, second, third = engine.deployed[1:]
    operator = yaml.safe_load(first[0][-1])["services"]["kafka-operator"]
    assert {grant["target"]: grant["source"] for grant in operator["secrets"]}["mongo_sink_old"] == "paai-4000_mongo_sink_v2"
    assert first[1]["PAAI_MONGO_SINK_VERSION"] == "1"
    operator = yaml.safe_load(second[0][-1])["services"]["kafka-operator"]
    assert {grant["target"]: grant["source"] for grant in operator["secrets"]}["mongo_sink_old"] == "paai-4000_mongo_sink_v1"
    assert second[1]["PAAI_MONGO_SINK_VERSION"] == "2"
    assert "secrets" not in yaml.safe_load(third[0][-1])["services"]["kafka-operator"]
    assert parse_login(engine.kept["paai-4000_mongo_sink_v2"][0]).user == "sink-2"
    assert "paai-4000_mongo_sink_v1" not in engine.kept
    assert "paai-4000_mongo_root_v1" in engine.kept
    assert any("Waits for the user sink-2: Authentication failed." in step.detail for step in steps)
    assert "desktop-2:" in SwarmTarget(deployed).endpoints().mongo


def test_the_administrators_password_is_changed_by_the_operator_who_knows_the_former_one(
    deployed: Site, engine: FakeEngine
) -> None:
    list(SwarmTarget(deployed).rotate("root"))
    move, drop = engine.deployed[1:]
    operator = yaml.safe_load(move[0][-1])["services"]["kafka-operator"]
    assert [(grant["target"], grant["source"]) for grant in operator["secrets"]] == [
        ("mongo_root_old", "paai-4000_mongo_root_v1")
    ]
    assert (move[1]["PAAI_MONGO_ROOT_VERSION"], drop[1]["PAAI_MONGO_ROOT_VERSION"]) == ("2", "2")
    assert "secrets" not in yaml.safe_load(drop[0][-1])["services"]["kafka-operator"]
    assert [name for name in engine.kept if "mongo_root" in name] == ["paai-4000_mongo_root_v2"]


def test_all_at_once_takes_no_more_deployments_than_one(
    deployed: Site, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotate, "_mongo_problem", lambda uri, login: "")
    monkeypatch.setattr(rotate, "_kafka_problem", lambda bootstrap, login: "")
    before = dict(engine.kept)
    list(SwarmTarget(deployed).rotate("all"))
    assert len(engine.deployed) - 1 == 3
    # What only seals and what members trust one another by stay.
    assert set(before) & set(engine.kept) == {"paai-4000_model_key_v1", "paai-4000_mongo_keyfile_v1"}


def test_the_models_key_stays_and_it_is_said_why(deployed: Site) -> None:
    with pytest.raises(UnknownServiceError, match="every stored model is sealed with it"):
        list(SwarmTarget(deployed).rotate("model"))


def test_a_deployment_by_hand_finds_the_versions_in_a_file(deployed: Site) -> None:
    list(SwarmTarget(deployed).rotate("web"))
    text = deployed.variables_file.read_text("utf-8")
    assert "export PAAI_WEB_LOGIN_VERSION=2\n" in text
    assert "export PAAI_STACK=paai-4000\n" in text
    assert "export PAAI_PORT_PREDICTOR=12001\n" in text
    values = [entry.value for entry in deployed.credentials().entries.values()]
    assert not any(value in text for value in values)


def test_users_that_never_come_leave_everything_as_it_was(
    deployed: Site, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotate, "USERS_TIMEOUT_S", 0.02)
    monkeypatch.setattr(rotate, "_kafka_problem", lambda bootstrap, login: "SASL authentication failed")
    with pytest.raises(WaitTimeoutError, match=r"client-2: SASL authentication failed.*logs kafka-operator"):
        list(SwarmTarget(deployed).rotate("kafka"))
    assert engine.deployed[-1][1]["PAAI_KAFKA_CLIENT_VERSION"] == "1"
    assert SwarmTarget(deployed).endpoints().kafka_user == "client-1"


def test_a_secret_that_is_still_held_stays_for_the_next_rotation(deployed: Site, engine: FakeEngine) -> None:
    engine.failing["remove_secret"] = EngineError("Docker could not remove the secret", why="it is in use.")
    steps = list(SwarmTarget(deployed).rotate("web"))
    assert steps[-1].state is StepState.DONE
    assert "paai-4000_web_login_v1" in engine.kept
    list(SwarmTarget(deployed).rotate("web"))
    assert [name for name in engine.kept if "web_login" in name] == ["paai-4000_web_login_v3"]


def test_without_the_copy_all_is_made_anew(deployed: Site, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotate, "_mongo_problem", lambda uri, login: "")
    monkeypatch.setattr(rotate, "_kafka_problem", lambda bootstrap, login: "")
    deployed.store.forget(deployed.keys(engine.info()))
    with pytest.raises(StackError, match="no copy of the credentials"):
        list(SwarmTarget(deployed).rotate("web"))
    list(SwarmTarget(deployed).rotate("all"))
    found = SwarmTarget(deployed).endpoints()
    assert found.token == engine.kept["paai-4000_token_v4"][0]
    assert (found.kafka_user, "desktop-2:" in found.mongo) == ("client-2", True)
    assert list(SwarmTarget(deployed).up())[-1].state is StepState.DONE


def test_a_rotation_from_elsewhere_is_noticed(deployed: Site, engine: FakeEngine) -> None:
    copy = deployed.credentials()
    list(SwarmTarget(deployed).rotate("web"))
    deployed.store.save(deployed.keys(engine.info()), copy)
    with pytest.raises(StackError, match="copy of the credentials of stack paai-4000 is old"):
        list(SwarmTarget(deployed).up())


def test_down_waits_for_containers_that_come_late(deployed: Site, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    # Before the services are gone; none; one of a task that was being prepared; none for good.
    seen = iter([[], [], ["paai-4000_broker.1.abc"], ["paai-4000_broker.1.abc"]])

    def containers(_stack: str) -> list[str]:
        found = next(seen, [])
        looks.append(len(found))
        return found

    monkeypatch.setattr(engine, "containers", containers)
    assert list(SwarmTarget(deployed).down())[-1].state is StepState.DONE
    assert looks[-3:] == [0, 0, 0]
    assert 1 in looks
