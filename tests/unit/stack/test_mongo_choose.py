"""Which MongoDB server is taken, and what is said about it."""

from importlib import metadata
from pathlib import Path

import pytest

from stack import mongo
from stack.errors import MongoMissingError
from stack.mongo.choose import RS_VERSION, MongoChoice, rs_root

MONGOD = """#!/bin/sh
echo 'db version v{version}'
echo 'Build Info: {{ "version": "{version}" }}'
exit {code}
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be the whole PATH, an empty cache, and no server beside the interpreter."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PAAI_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("sys.executable", str(tmp_path / "elsewhere" / "python"))
    return folder


def install(program: Path, text: str = "#!/bin/sh\n") -> Path:
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(text)
    program.chmod(0o755)
    return program


def install_mongod(folder: Path, version: str = "7.0.14", *, code: int = 0) -> Path:
    return install(folder / "mongod", MONGOD.format(version=version, code=code))


def test_mongodb_itself_is_preferred(programs: Path) -> None:
    mongod = install_mongod(programs)
    install(rs_root() / "bin" / "secantusd-rs")
    install(programs / "secantusd-py")

    assert mongo.choose(path=str(programs)) == MongoChoice("mongod", mongod, "7.0.14", f"Found {mongod}.")


@pytest.mark.parametrize(
    ("version", "code", "reason"),
    [("4.4.29", 0, "5 or newer is needed"), ("7.0.14", -4, "does not run on this machine"), ("7.0.14", 1, "exit code 1")],
)
def test_a_mongod_that_will_not_do_is_passed_over_with_a_reason(programs: Path, version: str, code: int, reason: str) -> None:
    install_mongod(programs, version, code=code % 256)
    install(programs / "secantusd-py")

    choice = mongo.choose(path=str(programs))

    assert choice.kind == "secantusd-py"
    assert reason in choice.why


def test_the_rust_build_comes_before_the_python_build(programs: Path) -> None:
    rs = install(rs_root() / "bin" / "secantusd-rs")
    install(programs / "secantusd-py")

    choice = mongo.choose(path=str(programs))

    assert (choice.kind, choice.executable, choice.version) == ("secantusd-rs", rs, RS_VERSION)
    assert choice.why == "No mongod on PATH. SecantusDB stands in for it."


def test_a_rust_build_on_path_is_asked_for_its_version(programs: Path) -> None:
    install(programs / "secantusd-rs", "#!/bin/sh\necho 'secantusd-rs 0.6.0'\n")

    assert mongo.choose(path=str(programs)).version == "0.6.0"


@pytest.mark.parametrize(
    ("cargo", "how"),
    [(True, ": make build (with a cargo that works)."), (False, "install Rust's cargo, then make build.")],
)
def test_the_python_build_says_how_to_get_the_quicker_one(programs: Path, cargo: bool, how: str) -> None:
    install(programs / "secantusd-py")
    if cargo:
        install(programs / "cargo")

    choice = mongo.choose(path=str(programs))

    assert (choice.kind, choice.version) == ("secantusd-py", metadata.version("SecantusDB"))
    assert choice.why.endswith(how)


def test_none_at_all_is_an_error_with_a_remedy(programs: Path) -> None:
    with pytest.raises(MongoMissingError) as caught:
        mongo.choose(path=str(programs))

    assert "No mongod on PATH" in caught.value.why
    assert "make setup" in caught.value.remedy


def test_existing_data_are_not_left_for_a_better_server(programs: Path, tmp_path: Path) -> None:
    install(programs / "secantusd-py")
    first = mongo.choose(data_dir=tmp_path / "data", path=str(programs))
    store = mongo.store_dir(first, tmp_path / "data")
    store.mkdir(parents=True)
    (store / "WiredTiger").touch()
    install(rs_root() / "bin" / "secantusd-rs")

    kept = mongo.choose(data_dir=tmp_path / "data", path=str(programs))

    assert kept.kind == "secantusd-py"
    assert "secantusd-rs would start empty" in kept.why
    assert mongo.choose(data_dir=tmp_path / "other", path=str(programs)).kind == "secantusd-rs"


def test_when_both_have_data_the_better_one_goes_on(programs: Path, tmp_path: Path) -> None:
    install(programs / "secantusd-py")
    install(rs_root() / "bin" / "secantusd-rs")
    for kind in ("secantusd-py", "secantusd-rs"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "WiredTiger").touch()

    choice = mongo.choose(data_dir=tmp_path, path=str(programs))

    assert choice.kind == "secantusd-rs"
    assert "would start empty" not in choice.why


def test_command_of_mongod(tmp_path: Path) -> None:
    argv = mongo.command(MongoChoice("mongod", Path("/bin/mongod"), "7.0.14", ""), data_dir=tmp_path, port=31017)

    assert argv[0] == "/bin/mongod"
    assert argv[argv.index("--port") + 1] == "31017"
    assert argv[argv.index("--bind_ip") + 1] == "127.0.0.1"
    assert Path(argv[argv.index("--dbpath") + 1]).is_dir()


def test_command_of_secantusdb_ignores_stray_configuration(tmp_path: Path) -> None:
    choice = MongoChoice("secantusd-rs", Path("/bin/secantusd-rs"), RS_VERSION, "")

    argv = mongo.command(choice, data_dir=tmp_path, port=31017, host="127.0.0.2")

    assert argv[argv.index("--host") + 1] == "127.0.0.2"
    assert Path(argv[argv.index("--config") + 1]).read_text() == ""
    assert argv[argv.index("--storage-path") + 1] == str(tmp_path / "secantusd-rs")
