"""A home with any letters, under LC_ALL=C, and a /tmp from which nothing can be run: readings still become windows."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from backend.contract import names
from stack.cache import cache_dir
from stack.local import processes
from stack.local.layout import Layout
from tests.helpers.free_ports import free_offset
from tests.helpers.own_mounts import ROOT, needs_own_mounts, works
from tests.helpers.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

HOME, DATA = "Jürgen Straße é", "data 🌡️"
UP_TIMEOUT_S = 560


@dataclass(frozen=True, slots=True)
class System:
    """A system of a user with such a home.

    Attributes:
        base: Everything that it may write to is below.
        offset: Of its ports.
    """

    base: Path
    offset: int

    @property
    def home(self) -> Path:
        return self.base / HOME

    @property
    def layout(self) -> Layout:
        return Layout.of(self.home / DATA)

    def stack(self, *words: str, timeout_s: float = 120) -> "subprocess.CompletedProcess[str]":
        """Run ``python -m stack`` as that user, as root with a /tmp of its own that is mounted noexec."""
        kept = {name: os.environ[name] for name in ("PATH", "JAVA_HOME") if name in os.environ}
        environment = {
            **kept,
            "HOME": str(self.home),
            "LC_ALL": "C",
            "XDG_RUNTIME_DIR": str(self.base),
            "PYTHONPATH": str(ROOT),
        }
        command = [
            sys.executable,
            "-m",
            "stack",
            *words,
            "--target",
            "local",
            "--data-dir",
            DATA,
            "--port-offset",
            str(self.offset),
        ]
        if works() and not ROOT.is_relative_to("/tmp"):  # a clone there would be hidden with the rest
            command = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o noexec tmpfs /tmp && exec "$@"', "sh", *command]
        return subprocess.run(
            command, cwd=self.home, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
        )


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """Up; afterwards down and gone."""
    found = System(Path(tempfile.mkdtemp(prefix="p", dir="/var/tmp")), free_offset())
    cache = found.home / ".cache" / "paai-monitor"
    cache.parent.mkdir(parents=True)
    try:
        # What was downloaded already; hard links, where the file system is the same.
        subprocess.run(["cp", "-al", cache_dir(), cache], check=False, capture_output=True)
        if not (cache / "jars").exists():
            shutil.copytree(cache_dir(), cache, dirs_exist_ok=True)
        answer = found.stack("up", timeout_s=UP_TIMEOUT_S)
        assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-3000:]
        yield found
    finally:
        found.stack("down", timeout_s=180)
        left = processes.describe(processes.marked(found.layout))
        shutil.rmtree(found.base)
        assert not left, f"still running after down: {left}"


def windows(system: System) -> int:
    port = json.loads(system.stack("endpoints", "--json").stdout)["mongo"]
    with MongoClient[dict[str, Any]](port, serverSelectionTimeoutMS=5000) as mongo:
        return mongo[names.DATABASE][names.COLLECTION_AGGREGATES].count_documents({})


def test_readings_become_windows(system: System) -> None:
    generator = json.loads(system.stack("endpoints", "--json").stdout)["generator"]
    httpx.put(f"{generator}/api/v1/fleet", json={"Thermostat": 20}, timeout=20, trust_env=False).raise_for_status()
    wait_until(lambda: windows(system) >= 20, 120, "windows of 20 devices", interval_s=2)


@needs_own_mounts
def test_native_libraries_are_unpacked_in_the_data_folder(system: System) -> None:
    # Some remove theirs once it is loaded.
    assert [path.name for path in system.layout.tmp.rglob("*.so")]


def test_kafka_and_zookeeper_write_where_they_should(system: System) -> None:
    assert (system.layout.kafka / "meta.properties").exists()
    assert list(system.layout.zookeeper.iterdir())
    # A name that some part had read in another encoding would be a second folder.
    assert {path.name for path in system.base.iterdir() if not path.name.startswith("paai")} == {HOME}


def test_purge_leaves_nothing(system: System) -> None:
    answer = system.stack("down", "--purge", "--yes", timeout_s=180)
    assert answer.returncode == 0, answer.stderr
    assert not system.layout.data_dir.exists()
    assert [path for path in system.base.rglob("*") if path.is_file() and ".cache" not in path.parts] == []
