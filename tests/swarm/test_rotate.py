"""All credentials are made anew under load without a failed request; the former ones open nothing any more."""

import httpx
from pymongo.errors import OperationFailure

from backend.contract.login import Login
from tests.helpers.wait import wait_until
from tests.swarm.load import Load
from tests.swarm.system import LiveSwarm


def test_rotation_without_downtime(swarm: LiveSwarm) -> None:
    former, values = swarm.endpoints, swarm.secret_values()
    logins = {name: swarm.login(name) for name in ("mongo_sink", "mongo_spark", "mongo_paai", "mongo_desktop")}
    logins["mongo_root"] = Login("root", values["mongo_root"])
    refused_since: list[str] | None = None
    with Load(former, "old-token-") as load:
        load.wait_for(100)
        for step in swarm.target.rotate("all"):
            if step.key == "move" and step.state == "done":
                refused_since = list(load.failures)
                # As long as both are accepted nobody notices; what follows ends the former token.
                break_at = len(load.acknowledged)
                load.stop()
    assert refused_since == []
    assert break_at > 100
    with swarm.database() as database:
        load.stored_exactly_once(database)
    with Load(swarm.endpoints, "new-token-") as load:
        load.wait_for(100)
    assert load.failures == []
    now = swarm.secret_values()
    # The models' key stays, for models are sealed with it; members of a replica set trust one another by the other.
    assert {name for name in now if now[name] == values[name]} == {"model_key", "mongo_keyfile"}
    swarm.wait_healthy()

    header = {"Authorization": f"Bearer {former.token}"}
    for url in (f"{former.paai}/api/v1/devices", f"{former.generator}/api/v1/fleet"):
        assert httpx.get(url, headers=header, timeout=30, trust_env=False).status_code == 401
    for old, right in ((former.admin_token, 401), (swarm.endpoints.admin_token, 200)):
        header = {"Authorization": f"Bearer {old}"}
        assert httpx.get(f"{former.predictor}/api/v1/models", headers=header, timeout=30, trust_env=False).status_code == right
    auth = (former.web_user or "", former.web_password or "")
    assert httpx.get(f"{former.connect}/", auth=auth, timeout=30, trust_env=False).status_code == 401

    def user_is_gone(name: str) -> bool:
        with swarm.database(logins[name]) as database:
            try:
                database["processed_messages"].find_one()
            except OperationFailure as error:
                return "uthentication" in str(error)
        return False

    for name in logins:
        wait_until(lambda name=name: user_is_gone(name), 60, f"the former user of {name} to be gone", interval_s=1)  # type: ignore[misc]
    kept = [secret.name for secret in swarm.site.engine.secrets(swarm.site.stack)]
    assert len(kept) == len(now), f"former secrets are left: {kept}"


def test_up_goes_on_after_a_rotation(swarm: LiveSwarm) -> None:
    for _ in swarm.target.up():
        pass
    swarm.wait_healthy()
