"""Files and settings of the stack with anything in them: a command answers or says what is wrong, never with a traceback.

What is read here is edited by people, half written by a machine that lost its power, or made by another version.
"""

import contextlib
import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.contract.ports import Ports
from stack import lock
from stack.catalogue import SERVICES, find
from stack.cli import run as cli
from stack.cli.arguments import parse
from stack.errors import StackError
from stack.local import cds, daemon, instance, intent, listener, model_key, processes
from stack.local.layout import Layout
from stack.local.probes import Health, Prober
from stack.local.rpc import ProcessInfo
from stack.local.status import StatusReader, why_down
from stack.local.target import LocalTarget
from stack.swarm.site import Site
from stack.swarm.store import CredentialStore
from tests.fuzz.profile import EXAMPLES
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.fake_supervisor import FakeSupervisor


class Deep(Enum):
    """Contents too large to be shown."""

    LISTS = "["
    OBJECTS = '{"a":'


Content = bytes | Deep


def raw(content: Content) -> bytes:
    """What stands in the file."""
    return content.value.encode() * 20_000 if isinstance(content, Deep) else content


pytestmark = pytest.mark.timeout(3600)

#: Keys that some part looks for, and what stands there in a good file.
KEYS = ("port_offset", "up", "complete", "recording", "archives", "paai", "paai:0", "broker:broker", "ok", "message", "at")
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=8), inner, max_size=6),
    max_leaves=12,
)
CONTENTS: st.SearchStrategy[Content] = st.one_of(
    st.binary(max_size=200),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(st.sampled_from(KEYS), JSON, max_size=8).map(lambda value: json.dumps(value).encode()),
    st.sampled_from(Deep),
    st.just(b"\xff\xfe{\x00"),
)
#: Of the tests that run whole commands, half a second each.
SLOW_EXAMPLES = max(10, EXAMPLES // 4)
#: Files of a local system, by their place below the data folder.
NAMES = (
    "run/instance.json",
    "run/wanted.json",
    "run/restarts.json",
    "run/lock",
    "run/up",
    "run/supervisord.conf",
    "run/supervisord.pid",
    "state/kafka-operator.json",
    "state/spark-job.json",
    "state/generator.json",
    "model.key",
    "logs/broker.log",
    "logs/paai-0.log",
)
#: Some of them with any content, None standing for a folder in a file's place.
DAMAGED = st.dictionaries(st.sampled_from(NAMES), CONTENTS | st.none(), min_size=1, max_size=6)
READING = (["status"], ["endpoints", "--json"], ["logs", "paai"])


@contextlib.contextmanager
def damaged(files: Mapping[str, Content | None]) -> Iterator[Layout]:
    """A data folder with these files."""
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout.of(Path(folder) / "data")
        layout.create()
        for name, content in files.items():
            if content is None:
                (layout.data_dir / name).mkdir()
            else:
                (layout.data_dir / name).write_bytes(raw(content))
        yield layout


def run(*words: str) -> int:
    """Run a command; its output goes nowhere."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
        code = cli.run(parse(words))
    assert code in {0, 1, 2}
    assert "Traceback" not in said.getvalue()
    return code


@settings(max_examples=SLOW_EXAMPLES)
@given(DAMAGED)
def test_commands_of_a_system_that_does_not_run(files: dict[str, Content | None]) -> None:
    with damaged(files) as layout, mock.patch.object(processes, "marked", return_value=[]):
        where = ("--target", "local", "--data-dir", str(layout.data_dir))
        for words in READING:
            assert run(*words, *where) == 0 or None in files.values()
        run("reset", *where)
        run("scale", "paai", "2", *where)
        gone = run("down", "--purge", "--yes", *where) == 0
        assert gone is not layout.data_dir.exists()
        assert gone or None in files.values()  # a folder in a file's place is removed by hand


@settings(max_examples=SLOW_EXAMPLES)
@given(DAMAGED)
def test_commands_of_a_running_system(files: dict[str, Content | None]) -> None:
    supervisor = FakeSupervisor()
    supervisor.start_all()
    with (
        damaged(files) as layout,
        mock.patch.object(daemon, "connect", return_value=supervisor),
        mock.patch.object(daemon, "is_running", return_value=True),
        mock.patch.object(Prober, "probe", return_value=Health(True)),
    ):
        rows = StatusReader(layout, Prober(layout, Ports()), Ports(), supervisor=supervisor).read()
        assert len(rows) == len(SERVICES)
        assert all(row.restarts >= 0 and row.wanted >= 1 for row in rows)
        assert Prober(layout, Ports())._state_file(find("spark-job")).ok in {True, False}
        assert why_down(layout, find("spark-job"), ProcessInfo("spark-job", "spark-job", "EXITED", exit_code=78))
        target = LocalTarget(data_dir=layout.data_dir, ports=Ports())
        for steps in (target.scale("paai", 2), target.restart("spark-job")):
            with contextlib.suppress(StackError):
                list(steps)
        cds.keep(layout, [ProcessInfo("broker", "broker", "STOPPED", exit_code=143)])
        listener.count(layout.restarts_file, "broker:broker")
        Ports(instance.remembered_offset(layout.data_dir) or 0)
        assert intent.should_run(layout) in {True, False}
        with contextlib.suppress(StackError):
            model_key.provide(layout.model_key)


@given(st.binary(max_size=400))
def test_any_note_in_a_lock_that_is_held(note: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lock"
        with lock.held(path, "up", whose="it"):
            path.write_bytes(note)
            with pytest.raises(StackError, match="Another command works on it"), lock.held(path, "down", whose="it"):
                pass


@given(CONTENTS | JSON.map(lambda value: json.dumps({"token": value}).encode()))
def test_any_copy_of_the_credentials(content: Content) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "credentials-x.json").write_bytes(raw(content))
        try:
            found = CredentialStore(Path(folder)).load(["x"])
        except StackError as error:
            assert "rotate all" in str(error) or "readable" in str(error)  # noqa: PT017
        else:
            assert all(isinstance(entry.value, str) for entry in found.entries.values())


#: What a shell can hand over: no zero bytes, anything that is no UTF-8 as lone surrogates.
SETTING = st.text(max_size=40).filter(lambda text: "\0" not in text) | st.binary(max_size=20).map(
    lambda raw: os.fsdecode(raw.replace(b"\0", b""))
)


@given(
    st.dictionaries(
        st.sampled_from(
            ("PAAI_REPLICAS", "SPARK_WORKERS", "PAAI_IMAGE_TAG", "MONGO_IMAGE", "PAAI_DATA_CONSTRAINT", "PAAI_PORT_KAFKA")
        ),
        SETTING.filter(lambda text: not any("\ud800" <= char <= "\udfff" for char in text)),
        max_size=4,
    )
)
def test_any_setting_of_a_swarm(variables: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, variables):
        site = Site(engine=FakeEngine(), ports=Ports(), folder=Path(folder), store=CredentialStore(Path(folder)))
        try:
            composition = site.composition()
        except StackError:
            return
        assert {"paai", "broker"} <= composition.images.keys()


#: A name below a folder of the test's own: nothing that leads elsewhere.
NAME = SETTING.map(lambda text: "x" + text.replace("/", "_"))


@given(NAME, NAME)
def test_any_folder(data_dir: str, cache: str) -> None:
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, {"PAAI_CACHE_DIR": f"{folder}/{cache}"}):
        for command in ("status", "down"):
            run(command, "--target", "local", f"--data-dir={folder}/{data_dir}")


@given(
    st.lists(
        st.sampled_from(["up", "--overlay", "-cluster", "none", "--yes", "--json", "-n", "logs", "paai"]) | SETTING, max_size=6
    )
)
def test_any_arguments(words: list[str]) -> None:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            options = parse(words)
        except SystemExit as end:
            assert end.code in {0, 2}  # noqa: PT017
        else:
            assert options.command
