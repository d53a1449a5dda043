"""Our own jar: compiled once, the same bytes each time, what is wrong with the sources is said."""

import os
import zipfile
from pathlib import Path

import pytest

from stack.errors import JarsError
from stack.jars import JarSet, own_jar

# The first run resolves the JVM artifacts.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def jars_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JarSet:
    """The resolved artifacts; our own jar has a cache of its own."""
    jars = own_jar.prepare(on_progress=lambda *_: None, cancel=None)
    monkeypatch.setenv("PAAI_CACHE_DIR", str(tmp_path / "cache"))
    return jars


def test_it_is_compiled_once_and_keeps_its_time(jars_elsewhere: JarSet, monkeypatch: pytest.MonkeyPatch) -> None:
    jar = own_jar.build(jars_elsewhere)
    first, before = jar.read_bytes(), jar.stat().st_mtime_ns
    with zipfile.ZipFile(jar) as content:
        names = set(content.namelist())
        plugins = {name: content.read(name).decode().strip() for name in names if name.startswith("META-INF/services/")}
    assert {"paai/ReadingTransform.class", "paai/ReadingFunction.class"} <= names
    # Connect finds the plugins without scanning jars.
    assert plugins == {
        "META-INF/services/org.apache.kafka.connect.sink.SinkConnector": (
            "paai.ReadingSinkConnector\npaai.IsolatingSinkConnector"
        ),
        "META-INF/services/org.apache.kafka.connect.transforms.Transformation": "paai.ReadingTransform",
    }
    with monkeypatch.context() as patch:
        patch.setattr(own_jar, "find_java", None)  # nothing is started
        assert own_jar.build(jars_elsewhere) == jar
    assert jar.stat().st_mtime_ns == before  # class archives check it

    jar.write_bytes(b"damaged")
    assert own_jar.build(jars_elsewhere).read_bytes() == first


def test_other_sources_are_another_jar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "A.java"
    source.write_text("class A {}", "utf-8")
    monkeypatch.setattr(own_jar, "SOURCES", tmp_path)
    before = own_jar.path()
    os.utime(source, (1, 1))
    assert own_jar.path() == before
    source.write_text("final class A {}", "utf-8")
    assert own_jar.path() != before


def test_an_error_in_the_sources_is_named(jars_elsewhere: JarSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "A.java").write_text("class A { int x = nothing; }", "utf-8")
    monkeypatch.setattr(own_jar, "SOURCES", sources)
    with pytest.raises(JarsError, match="nothing cannot be resolved"):
        own_jar.build(jars_elsewhere)
    assert not own_jar.path().exists()
