"""Whatever the files hold that the system keeps between two starts: their readers never raise."""

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.common.state import read_state
from backend.contract.ports import Ports
from backend.generator.state import FILE_NAME, StateStore
from backend.scoring.errors import StateError
from backend.scoring.state import ShardState
from desktop.settings import Settings
from stack.catalogue import SERVICES, HealthKind
from stack.container.probe import main as probe
from stack.local import instance, intent, jsonfile
from stack.local.layout import Layout
from stack.local.probes import Prober

_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.just(10**400), st.floats(), st.text(max_size=20), st.sampled_from(["3", "yes"])
)
VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=6
)
KEYS = st.sampled_from(
    [
        "ok",
        "message",
        "at",
        "up",
        "port_offset",
        "complete",
        "recording",
        "archives",
        "fleet",
        "faults",
        *[s.name for s in SERVICES],
    ]
)
ODD_SETTINGS = ["nan", "inf", "-1", "1e400", "@Variant(\\0\\0)", "@ByteArray(x)", "@", "a, b"]
CONTENT = st.one_of(
    st.binary(max_size=200),
    st.just(5_000).map(lambda depth: b"[" * depth),
    st.dictionaries(KEYS, VALUES, max_size=6).map(lambda value: json.dumps(value).encode()),
    VALUES.map(lambda value: json.dumps(value).encode()),
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@given(content=CONTENT)
def test_state_files(folder: Path, content: bytes) -> None:
    path = folder / "state.json"
    path.write_bytes(content)
    state = read_state(path)
    assert isinstance(state.message, str)
    layout = Layout.of(folder)
    layout.state.mkdir(parents=True, exist_ok=True)
    for service in SERVICES:
        if service.health is HealthKind.STATE_FILE:
            (layout.state / f"{service.name}.json").write_bytes(content)
            health = Prober(layout, Ports()).probe(service)
            assert health.ok == state.ok, (health, state)
    assert (probe(["state", str(path)]) == 0) == state.ok


def test_a_good_state_file_is_good(folder: Path) -> None:
    path = folder / "state.json"
    path.write_text(json.dumps({"ok": True, "message": "", "at": time.time()}), encoding="utf-8")
    assert read_state(path).ok
    assert probe(["state", str(path)]) == 0


@given(content=CONTENT)
def test_what_a_data_folder_remembers(folder: Path, content: bytes) -> None:
    layout = Layout.of(folder)
    for path in (layout.instance_file, layout.wanted_file):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert isinstance(jsonfile.read(layout.instance_file), dict)
    offset = instance.remembered_offset(folder)
    assert offset is None or 0 <= offset < 65_536
    wanted = instance.wanted_replicas(layout)
    assert all(1 <= wanted[s.name] <= s.max_replicas for s in SERVICES)
    assert intent.should_run(layout) in (True, False)


@given(content=CONTENT)
def test_the_saved_fleet(folder: Path, content: bytes) -> None:
    (folder / FILE_NAME).write_bytes(content)
    fleet, _ = StateStore(folder).load()
    assert len(fleet.members()) >= 0


@given(content=st.binary(max_size=300), cut=st.integers(0, 200), flip=st.integers(0, 10_000))
def test_the_state_of_a_shard(content: bytes, cut: int, flip: int) -> None:
    good = ShardState().to_bytes()
    flipped = bytearray(good)
    flipped[flip % len(good)] ^= 1 + flip % 255
    for data in (content, good[: len(good) - 1 - cut % len(good)], bytes(flipped)):
        try:
            ShardState.from_bytes(data)
        except StateError:
            continue


@given(
    lines=st.dictionaries(
        st.sampled_from(["live/span_s", "live/focus", "view/theme", "live/hidden", "window/geometry", "live/utc"]),
        st.one_of(
            st.text(max_size=30),
            st.sampled_from(ODD_SETTINGS),
        ),
    ),
    junk=st.binary(max_size=60),
)
def test_settings_of_the_window(folder: Path, lines: dict[str, str], junk: bytes) -> None:
    path = folder / "desktop.ini"
    groups: dict[str, list[str]] = {}
    for key, value in lines.items():
        group, _, name = key.partition("/")
        groups.setdefault(group, []).append(f"{name}={value}")
    text = "\n".join(f"[{group}]\n" + "\n".join(entries) for group, entries in groups.items())
    path.write_bytes(text.encode("utf-8", "surrogatepass") + b"\n" + junk)
    settings = Settings(path=path)
    assert 1 <= settings.span_s <= 86_400
    assert settings.theme in ("system", "light", "dark")
    assert all(0 < len(d) <= 128 for d in settings.focus)
    assert isinstance(settings.strings("live/hidden"), list)
    assert settings.flag("live/utc") in (True, False)
    settings.blob("window/geometry")
