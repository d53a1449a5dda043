"""What Docker's clients make of the files: those of this machine, old and new, with an engine's interface in memory."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest
import yaml

from stack.compose import OVERLAYS, STACK_FILE
from stack.swarm import compose
from tests.helpers import docker_api
from tests.helpers.docker_api import Document
from tests.unit.stack.compose.test_shipped import COMBINATIONS, files


def clients() -> list[Path]:
    """Every `docker` on the PATH and where distributions put it."""
    folders = [*os.environ.get("PATH", "").split(os.pathsep), "/usr/bin", "/usr/local/bin"]
    found = (Path(folder) / "docker" for folder in dict.fromkeys(folders))
    return list(dict.fromkeys(path.resolve() for path in found if os.access(path, os.X_OK)))


def deploy(client: Path, overlays: tuple[str, ...]) -> dict[str, Document]:
    """The services that this client would have an engine create."""
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "d.sock"
        with docker_api.serving(socket) as created:
            named = [word for file in files(overlays) for word in ("--compose-file", str(file))]
            answer = subprocess.run(
                [client, "-H", f"unix://{socket}", "stack", "deploy", "--resolve-image", "never", *named, "paai"],
                env={"PATH": os.environ["PATH"], "HOME": folder},
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
        assert answer.returncode == 0, answer.stderr
        return created


@pytest.mark.parametrize("overlays", COMBINATIONS, ids=lambda names: "+".join(names) or "alone")
@pytest.mark.parametrize("client", clients(), ids=str)
def test_each_client_makes_the_same_of_them(client: Path, overlays: tuple[str, ...]) -> None:
    created = deploy(client, overlays)
    expected = compose.read(files(overlays), {})
    assert created.keys() == {f"paai_{name}" for name in expected.images}
    for name, service in created.items():
        mounts = service["TaskTemplate"]["ContainerSpec"].get("Mounts", [])
        targets = [mount["Target"] for mount in mounts]
        assert len(targets) == len(set(targets)), f"{name}: duplicate mount point"
        volumes = {mount["Source"] for mount in mounts if mount["Type"] == "volume" and mount.get("Source")}
        assert volumes == set(expected.volumes[name.removeprefix("paai_")]), name
        constraints = service["TaskTemplate"].get("Placement", {}).get("Constraints", [])
        assert len(constraints) == len(set(constraints)), name


@pytest.mark.parametrize("overlay", sorted(path.stem for path in OVERLAYS.glob("*.yml")))
def test_no_overlay_changes_a_mount_of_another_file(overlay: str) -> None:
    """Clients before 23 put the mounts of two files one behind the other. This needs no client to be seen."""
    base, over = (yaml.safe_load(path.read_text("utf-8"))["services"] for path in (STACK_FILE, OVERLAYS / f"{overlay}.yml"))
    for name in base.keys() & over.keys():
        here = {mount["target"] for mount in base[name].get("volumes", [])}
        there = {mount["target"] for mount in over[name].get("volumes", [])}
        assert not here & there, name


def test_an_old_and_a_new_client_were_tried() -> None:
    """A reminder in the output where only one of them is installed."""
    versions = [
        subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout for path in clients()
    ]
    if len({version.split()[2].split(".")[0] for version in versions}) < 2:
        pytest.skip(f"only {versions or 'no client'} here")
