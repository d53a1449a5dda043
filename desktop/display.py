"""Whether Qt can show a window here. Tried in a process of its own, because Qt ends a process that it cannot show one for."""

import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

#: A display that takes longer to answer is not usable.
PROBE_S: Final = 20.0
#: These draw into memory and need nothing.
_NO_SCREEN: Final = ("offscreen", "minimal")
#: An abort that was to be expected leaves no core file.
_PROGRAM: Final = """
import resource
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
from PySide6.QtGui import QGuiApplication
QGuiApplication([])
"""


def has_display(environment: Mapping[str, str], platform: str) -> bool:
    """Whether a display is named: macOS and Windows always have one, others where a display or a Qt platform is set."""
    if platform in ("darwin", "win32"):
        return True
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


class DisplayProbe:
    """Starts at once and runs beside the caller until `trouble` is asked for.

    Args:
        environment: Of the process to be.
        platform: `sys.platform`.
        timeout_s: How long the display may take.
    """

    def __init__(self, environment: Mapping[str, str], platform: str = sys.platform, *, timeout_s: float = PROBE_S) -> None:
        self._environment, self._timeout_s = environment, timeout_s
        self._named = has_display(environment, platform)
        self._process: subprocess.Popen[str] | None = None
        needless = platform in ("darwin", "win32") or environment.get("QT_QPA_PLATFORM", "").partition(":")[0] in _NO_SCREEN
        if self._named and not needless:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def trouble(self) -> str:
        """Why no window can be shown, as a sentence; empty when one can. Blocks at most the timeout."""
        if not self._named:
            return "There is no display: neither DISPLAY nor WAYLAND_DISPLAY is set."
        if self._process is None:
            return ""
        try:
            _, said = self._process.communicate(timeout=self._timeout_s)
        except subprocess.TimeoutExpired:
            return f"{self._display()} did not respond within {self._timeout_s:.0f} s."
        if self._process.returncode == 0:
            return ""
        return f"Qt cannot open a window on {self._display()}: {_reason(said, self._process.returncode)}."

    def _display(self) -> str:
        names = ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "DISPLAY")
        return ", ".join(f"{name}={self._environment[name]}" for name in names if self._environment.get(name))


def _reason(said: str, code: int) -> str:
    """What Qt or Python complained about first."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    for line in lines:
        if "could not" in line.lower() or line.startswith(("ImportError", "ModuleNotFoundError")):
            # "qt.qpa.xcb: could not connect to display :99" without the name of the logger
            text = line.partition(": ")[2] or line
            return text.rstrip(".").removesuffix(' in ""')
    return f"it ended with {f'signal {-code}' if code < 0 else f'code {code}'}"
