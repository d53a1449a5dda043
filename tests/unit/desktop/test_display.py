"""A display that cannot be used leads to the terminal monitor with one sentence, never to an abort."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.display import DisplayProbe, has_display

ROOT = Path(__file__).parents[3]
_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
#: No X server has this number here.
NOWHERE = ":4242"


def environment(**screens: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _SCREENS} | screens


def run_desktop(tmp_path: Path, *arguments: str, **screens: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "desktop", "--target", "local", "--data-dir", str(tmp_path / "data"), *arguments],
        env=environment(**screens),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


@pytest.mark.parametrize(
    ("screens", "reason"),
    [
        ({"DISPLAY": NOWHERE}, f"could not connect to display {NOWHERE}"),
        ({"DISPLAY": NOWHERE, "QT_QPA_PLATFORM": "xcb"}, f"could not connect to display {NOWHERE}"),
        ({"QT_QPA_PLATFORM": "xbc"}, 'Could not find the Qt platform plugin "xbc"'),
        ({"WAYLAND_DISPLAY": "wayland-4242"}, "WAYLAND_DISPLAY=wayland-4242"),
        ({}, "neither DISPLAY nor WAYLAND_DISPLAY is set"),
    ],
)
def test_an_unusable_display_leads_to_the_terminal(tmp_path: Path, screens: dict[str, str], reason: str) -> None:
    done = run_desktop(tmp_path, **screens)
    assert done.returncode == 1, "nothing runs there; 134 would be an abort"
    first, *rest = done.stdout.splitlines()
    assert reason in first
    assert first.endswith("Showing the monitor in the terminal.")
    assert "Nothing runs here yet" in "".join(rest)
    assert "Traceback" not in done.stderr
    assert "qt.qpa" not in done.stdout + done.stderr


def test_a_picture_needs_no_display(tmp_path: Path) -> None:
    picture = tmp_path / "window.png"
    done = run_desktop(tmp_path, "--screenshot", str(picture), "--after", "0.1", QT_QPA_PLATFORM="xbc")
    assert done.returncode == 0, done.stderr
    assert picture.stat().st_size > 1000
    assert "Drawing the picture without a display." in done.stderr


def test_the_window_opens_before_the_jvm_artifacts_are_there(tmp_path: Path) -> None:
    picture, cache = tmp_path / "window.png", tmp_path / "cache"
    arguments = ("--screenshot", str(picture), "--after", "0.1", "--settings", str(tmp_path / "settings"))
    done = run_desktop(tmp_path, *arguments, QT_QPA_PLATFORM="offscreen", PAAI_CACHE_DIR=str(cache))
    assert done.returncode == 0, done.stderr
    assert picture.stat().st_size > 1000
    assert not (cache / "jars").exists(), "they are fetched by a step of the deployment"


@pytest.fixture
def silent_display() -> Iterator[str]:
    """The name of an X display that takes connections and never answers."""
    for number in range(50, 1000):
        listener = socket.socket()
        try:
            listener.bind(("127.0.0.1", 6000 + number))
        except OSError:
            listener.close()
            continue
        listener.listen()
        yield f"127.0.0.1:{number}"
        listener.close()
        return


def test_a_display_that_does_not_respond_is_given_up(silent_display: str) -> None:
    with DisplayProbe(environment(DISPLAY=silent_display, QT_QPA_PLATFORM="xcb"), timeout_s=3) as probe:
        assert f"DISPLAY={silent_display} did not respond within 3 s." in probe.trouble()


def test_a_missing_library_is_named(tmp_path: Path) -> None:
    package = tmp_path / "PySide6"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "QtGui.py").write_text("raise ImportError('libEGL.so.1: cannot open shared object file')")
    with DisplayProbe(environment(DISPLAY=NOWHERE, PYTHONPATH=str(tmp_path))) as probe:
        assert "libEGL.so.1: cannot open shared object file." in probe.trouble()


def test_nothing_is_tried_where_nothing_can_fail() -> None:
    for screens, platform in (({"QT_QPA_PLATFORM": "offscreen"}, "linux"), ({}, "darwin"), ({}, "win32")):
        with DisplayProbe(environment(**screens), platform) as probe:
            assert probe._process is None
            assert probe.trouble() == ""


def test_display_names() -> None:
    assert not has_display({}, "linux")
    assert has_display({"DISPLAY": ":0"}, "linux")
    assert has_display({"WAYLAND_DISPLAY": "wayland-0"}, "linux")
    assert has_display({"QT_QPA_PLATFORM": "offscreen"}, "linux")
    assert not has_display({"DISPLAY": ""}, "linux")
    assert has_display({}, "darwin")
