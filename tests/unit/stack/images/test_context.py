"""Build contexts: what is in them, and what their digests tell."""

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from stack.images import catalogue
from stack.images.catalogue import BY_NAME
from stack.images.context import Context, Entry, folder, sources
from stack.jars import own_jar

#: Those that hold nothing but our own sources and a bare Python.
BARE = ("gateway", "kafka", "spark", "mongo-lite")


def tar_of(context: Context) -> tarfile.TarFile:
    buffer = io.BytesIO()
    context.write_tar(buffer)
    buffer.seek(0)
    return tarfile.open(fileobj=buffer)


def test_a_tar_has_every_file_and_nothing_of_the_moment(tmp_path: Path) -> None:
    script = tmp_path / "run"
    script.write_text("#!/bin/sh\n", "utf-8")
    script.chmod(0o755)
    context = Context((Entry("Dockerfile", b"FROM x\n"), Entry("run", script)), bulk=(Entry("big", b"1234"),))
    with tar_of(context) as tar:
        members = {member.name: member for member in tar.getmembers()}
    os.utime(script, (1, 1))
    with tar_of(context) as later:
        assert [m.mtime for m in later.getmembers()] == [m.mtime for m in members.values()]

    assert set(members) == {"Dockerfile", "run", "big"}
    assert members["run"].mode == 0o755
    assert members["big"].size == 4
    assert {m.uid for m in members.values()} == {0}


def test_a_digest_tells_contents_names_modes_and_the_parent(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"1")
    context = Context((Entry("a", file),), stamps=("v1",), bulk=(Entry("b", b"x"),))
    first = context.digest("parent")

    assert first == context.digest("parent")
    assert first != context.digest("another")
    assert first != Context((Entry("b", file),), stamps=("v1",)).digest("parent")
    assert first != Context((Entry("a", file),), stamps=("v2",)).digest("parent")
    file.chmod(0o700)
    assert first != context.digest("parent")
    file.chmod(0o600)
    file.write_bytes(b"2")
    assert first != context.digest("parent")


def test_sources_leave_byte_code_out_and_bring_their_parents_along() -> None:
    names = [entry.name for entry in sources(("backend/contract", "stack/container/probe.py", "backend/contract"))]

    assert "app/backend/contract/ports.py" in names
    assert "app/backend/__init__.py" in names
    assert "app/stack/container/__init__.py" in names
    assert "app/stack/container/kafka.py" not in names
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    assert len(names) == len(set(names))


def test_a_folder_is_named_from_its_own_root(tmp_path: Path) -> None:
    (tmp_path / "x" / "__pycache__").mkdir(parents=True)
    (tmp_path / "x" / "__pycache__" / "a.pyc").touch()
    (tmp_path / "x" / "a.py").touch()

    assert [entry.name for entry in folder("lib", tmp_path)] == ["lib/x/a.py"]


def _unpack(context: Context, where: Path) -> Path:
    for entry in context.entries:
        target = where / entry.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(entry.content())
    return where / "app"


@pytest.mark.parametrize("name", BARE)
def test_entry_points_need_nothing_but_what_is_in_the_image(name: str, tmp_path: Path) -> None:
    app = _unpack(BY_NAME[name].context(), tmp_path)

    # -S: without site packages, as in an image that has none.
    for command in (["-m", "stack.container", "nothing"], ["stack/container/probe.py", "nothing"]):
        done = subprocess.run(
            [sys.executable, "-S", "-E", *command], cwd=app, capture_output=True, text=True, timeout=60, check=False
        )
        assert "usage:" in done.stderr + done.stdout, done.stderr


@pytest.mark.parametrize(
    ("image", "module"),
    [
        ("services", "backend.paai.main"),
        ("services", "backend.generator.main"),
        ("services", "backend.operator.loop"),
        ("spark", "spark.aggregate"),
        ("spark", "spark.standby"),
        ("spark", "spark.predict"),
    ],
)
def test_processes_find_all_of_ours_in_the_image(image: str, module: str, tmp_path: Path) -> None:
    app = _unpack(BY_NAME[image].context(), tmp_path)
    code = f"import {module} as m; print(m.__file__)"

    done = subprocess.run([sys.executable, "-c", code], cwd=app, capture_output=True, text=True, timeout=100, check=False)

    assert done.returncode == 0, done.stderr
    assert str(app) in done.stdout


@pytest.mark.timeout(900)  # the first run resolves the JVM artifacts
@pytest.mark.parametrize("name", ["kafka", "spark"])
def test_our_own_classes_are_in_what_runs_them(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    own_jar.prepare(on_progress=lambda *_: None, cancel=None)
    context = BY_NAME[name].context()
    (entry,) = [entry for entry in context.bulk if entry.name == "paai.jar"]
    assert entry.source == own_jar.path()
    # The digest is the same before the jar is compiled, and another one for other sources.
    monkeypatch.setattr(catalogue, "_own_jar", tuple)
    assert BY_NAME[name].context().digest() == context.digest()
    monkeypatch.setattr(own_jar, "stamp", lambda: "other sources")
    assert BY_NAME[name].context().digest() != context.digest()


def test_nothing_of_the_desktop_or_of_tests_is_in_an_image() -> None:
    for spec in BY_NAME.values():
        names = [entry.name for entry in spec.context().entries]
        assert "Dockerfile" in names, spec.name
        assert not [name for name in names if name.startswith(("app/desktop", "app/tests"))], spec.name


@pytest.mark.parametrize("module", ["backend.predictor.train", "backend.predictor.main", "spark.predict"])
def test_what_trains_and_scores_needs_nothing_that_its_image_lacks(module: str) -> None:
    """pandas is there for tests and for reading files; the images are half as large without it."""
    code = f"import sys; sys.modules['pandas'] = None; import {module}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
