"""Users and rights in a real server that asks for a login: made, put right, refused what is not theirs, changed, removed."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pymongo
import pytest
from pymongo.errors import OperationFailure, ServerSelectionTimeoutError

from backend.contract import names
from backend.contract.login import MONGO_ROLES, Login, user_name, with_login
from backend.operator.mongo_roles import role_name
from backend.operator.mongo_users import MongoUsersKeeper
from backend.operator.schema import SchemaKeeper, wanted_collections
from backend.paai.history import MongoHistory
from backend.paai.refusals.refusal import Refusal
from backend.paai.refusals.store import KEPT, Batch, MongoRefusals
from stack.mongo.choose import MongoChoice, rs_root
from tests.helpers.mongo_server import Document, MongoServer, mongo_with_auth
from tests.helpers.wait import wait_until

Client = pymongo.MongoClient[Document]

READING = {"device_id": "d", "sensor": "temperature", "timestamp": datetime(2026, 1, 1, tzinfo=UTC), "value": 20.5}
UNAUTHORIZED, LOGIN_REFUSED = 13, 18


def _choice(kind: str) -> MongoChoice:
    if kind == "secantusd-py":
        return MongoChoice("secantusd-py", Path(sys.executable).parent / "secantusd-py", "", "")
    return MongoChoice("secantusd-rs", rs_root() / "bin" / "secantusd-rs", "", "")


#: The second is there only where cargo built it.
SERVERS = [kind for kind in ("secantusd-py", "secantusd-rs") if _choice(kind).executable.exists()]


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    with mongo_with_auth(_choice(request.param), tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture
def root(server: MongoServer) -> Iterator[Client]:
    with server.client() as client:
        yield client


def write_logins(directory: Path, version: int, suffix: str = "") -> dict[str, Login]:
    logins = {role: Login(user_name(role, version), f"pw-{role}-{version}") for role in MONGO_ROLES}
    for role, login in logins.items():
        (directory / f"mongo_{role}{suffix}").write_text(login.render(), encoding="utf-8")
    return logins


def converge(keeper: MongoUsersKeeper) -> None:
    wait_until(lambda: keeper.step().converged, 20, "the users to be as wanted")


def may_log_in(server: MongoServer, login: Login) -> bool:
    with server.client(login.user, login.password) as client:
        try:
            client[names.DATABASE][names.COLLECTION_MESSAGES].find_one()
        except OperationFailure as error:
            return error.code != LOGIN_REFUSED
    return True


def refused(call: Callable[[], object]) -> bool:
    try:
        call()
    except OperationFailure as error:
        return error.code == UNAUTHORIZED
    return False


def test_each_user_may_do_its_work_and_nothing_else(server: MongoServer, root: Client, tmp_path: Path) -> None:
    logins = write_logins(tmp_path, 1)
    keeper = MongoUsersKeeper(client=root, directory=tmp_path)
    converge(keeper)
    wait_until(SchemaKeeper(client=root, wanted=wanted_collections()).step, 20, "the collections")
    made = keeper.corrections
    converge(keeper)
    assert keeper.corrections == made, "it goes on putting right what is right"

    clients = {role: server.client(login.user, login.password) for role, login in logins.items()}
    db = {role: client[names.DATABASE] for role, client in clients.items()}
    messages, windows = names.COLLECTION_MESSAGES, names.COLLECTION_AGGREGATES
    try:
        assert any(index.get("unique") for index in db["sink"][messages].list_indexes())
        db["sink"][messages].insert_one({**READING, "value": -1.0})
        identity = {k: READING[k] for k in names.IDENTITY_FIELDS}
        db["sink"][messages].update_one(identity, {"$set": {"value": READING["value"]}}, upsert=True)
        db["spark"][windows].replace_one({"_id": "w"}, {"_id": "w", "avg": 1.0}, upsert=True)
        db["spark"][names.COLLECTION_PROGRESS].replace_one({"_id": "j"}, {"_id": "j"}, upsert=True)
        db["desktop"][names.COLLECTION_ACKNOWLEDGEMENTS].insert_one({"who": "me"})
        db["predictor"][names.COLLECTION_PREDICTIONS].insert_one({"_id": "p"})
        for role in ("paai", "desktop", "predictor", "spark"):
            assert db[role][messages].find_one({}, {"_id": 0}) == READING, role
        for role in ("paai", "desktop"):
            assert db[role][windows].find_one() == {"_id": "w", "avg": 1.0}

        excess: list[Callable[[], object]] = [
            lambda: db["sink"][messages].drop(),
            lambda: db["paai"][messages].delete_many({}),
            lambda: db["sink"].create_collection("mine"),
            *(lambda role=role: db[role].command("createUser", "x", pwd="y", roles=[]) for role in MONGO_ROLES),
            *(lambda role=role: clients[role].admin.command("usersInfo", 1) for role in MONGO_ROLES),
            *(lambda role=role: clients[role]["other"]["c"].insert_one({}) for role in MONGO_ROLES),
            *(lambda role=role: clients[role]["other"]["c"].find_one() for role in MONGO_ROLES),
        ]
        assert [i for i, call in enumerate(excess) if not refused(call)] == []
        if server.kind != "secantusd-py":  # which grants what stands in a role on the whole database
            for call in (
                lambda: db["sink"][windows].insert_one({}),
                lambda: db["sink"][messages].delete_many({}),
                lambda: db["paai"][messages].insert_one({}),
                lambda: db["sink"][windows].find_one(),
                lambda: db["spark"][messages].insert_one({}),
                lambda: db["spark"][messages].delete_many({}),
                lambda: db["desktop"][messages].delete_many({}),
                lambda: db["predictor"][messages].update_many({}, {"$set": {"value": 0.0}}),
            ):
                assert refused(call)
    finally:
        for client in clients.values():
            client.close()


def test_what_somebody_changed_is_put_right(server: MongoServer, root: Client, tmp_path: Path) -> None:
    logins = write_logins(tmp_path, 1)
    keeper = MongoUsersKeeper(client=root, directory=tmp_path)
    converge(keeper)
    root.admin.command("updateUser", "paai-1", pwd="another")
    root.admin.command("updateUser", "sink-1", roles=["root"])
    root.admin.command("dropUser", "spark-1")
    root.admin.command("updateRole", role_name("desktop"), privileges=[], roles=[{"role": "readWrite", "db": names.DATABASE}])
    root.admin.command("dropRole", role_name("predictor"))
    assert not may_log_in(server, logins["paai"])
    assert not keeper.step().converged
    converge(keeper)
    for login in logins.values():
        assert may_log_in(server, login)
    users = {u["user"]: u["roles"] for u in root.admin.command("usersInfo", 1)["users"]}
    assert users["sink-1"] == [{"role": role_name("sink"), "db": "admin"}]
    with server.client("desktop-1", logins["desktop"].password) as client:
        assert refused(lambda: client[names.DATABASE].create_collection("mine"))
    with server.client("predictor-1", logins["predictor"].password) as client:
        client[names.DATABASE][names.COLLECTION_PREDICTIONS].find_one()


def test_a_login_is_changed_without_a_moment_in_which_nobody_gets_in(server: MongoServer, root: Client, tmp_path: Path) -> None:
    old = write_logins(tmp_path, 1)
    root.admin.command("createUser", "guest", pwd="guest", roles=[])
    converge(MongoUsersKeeper(client=root, directory=tmp_path))
    write_logins(tmp_path, 1, "_old")
    new = write_logins(tmp_path, 2)
    keeper = MongoUsersKeeper(client=root, directory=tmp_path)  # the operator starts anew with the new secrets
    converge(keeper)
    for login in (*old.values(), *new.values()):
        assert may_log_in(server, login)
    for role in MONGO_ROLES:
        (tmp_path / f"mongo_{role}_old").unlink()
    converge(keeper)
    for role in MONGO_ROLES:
        assert not may_log_in(server, old[role])
        assert may_log_in(server, new[role])
    users = {u["user"] for u in root.admin.command("usersInfo", 1)["users"]}
    assert users == {"root", "guest", *(user_name(role, 2) for role in MONGO_ROLES)}  # others' users are nobody's business
    root.admin.command("dropUser", "guest")


async def test_without_a_login_or_with_a_wrong_one_nothing_is_told(server: MongoServer, tmp_path: Path) -> None:
    write_logins(tmp_path, 1)
    with pymongo.MongoClient[Document](server.uri, serverSelectionTimeoutMS=5000) as anonymous:
        assert refused(lambda: anonymous[names.DATABASE][names.COLLECTION_MESSAGES].find_one())
    with server.client("root", "wrong") as client:
        keeper = MongoUsersKeeper(client=client, directory=tmp_path)
        for _ in range(2):
            finding = keeper.step()
            assert not finding.converged
            assert not finding.waiting
            assert "password" in finding.message
    history = MongoHistory(uri=with_login(server.uri, Login("paai-9", "wrong")), select_timeout_s=5, query_timeout_s=5)
    assert "refuses this service's login" in await history.check()
    await history.close()
    with server.client("nobody", "x") as client, pytest.raises((OperationFailure, ServerSelectionTimeoutError)):
        client.admin.command("ping")


async def test_paai_adds_refused_requests_once_however_often_it_repeats(
    server: MongoServer, root: Client, tmp_path: Path
) -> None:
    logins = write_logins(tmp_path, 1)
    converge(MongoUsersKeeper(client=root, directory=tmp_path))
    uri = with_login(server.uri, logins["paai"])
    stores = [MongoRefusals(uri=uri, timeout_s=10) for _ in range(3)]  # as three processes
    refusal = Refusal(1_680_033_862_000, "/api/v1/device", 422, "tag", "missing", "tag: Field required", None, "{}", 2)
    batches = [Batch({("tag", "missing"): 2, ("body", "json"): 1}, [refusal] * 40) for _ in range(9)]
    try:
        await asyncio.gather(*(stores[i % 3].add(batch) for i, batch in enumerate(batches)))
        await asyncio.gather(*(store.add(batch) for store in stores for batch in batches))
        found = await stores[0].requests()
    finally:
        for store in stores:
            await store.close()
    assert found.counts == {("tag", "missing"): 18, ("body", "json"): 9}
    assert list(found.newest) == [refusal] * KEPT
