"""What the window remembers from one start to the next: an ini file in the user's configuration folder."""

import math
from pathlib import Path
from typing import Final

from PySide6.QtCore import QByteArray, QSettings

from backend.contract.limits import MAX_DEVICE_ID_CHARS

DEFAULT_SPAN_S: Final = 300.0


def default_path() -> Path:
    """Where the settings are kept unless told otherwise."""
    import platformdirs

    return Path(platformdirs.user_config_dir("paai-monitor")) / "desktop.ini"


class Settings:
    """Typed access to the ini file. A value that cannot be read counts as absent: settings never stop a start.

    Use on the GUI thread only. Writes are kept in memory and written by Qt's event loop, and by `sync`.
    """

    def __init__(self, *, path: Path) -> None:
        self._store = QSettings(str(path), QSettings.Format.IniFormat)

    def text(self, key: str, default: str = "") -> str:
        value = self._store.value(key)
        return value if isinstance(value, str) else default

    def set_text(self, key: str, value: str) -> None:
        self._store.setValue(key, value)

    def number(self, key: str, default: float) -> float:
        try:
            value = float(self.text(key, str(default)))
        except ValueError:
            return default
        return value if math.isfinite(value) else default

    def set_number(self, key: str, value: float) -> None:
        self._store.setValue(key, str(value))

    def flag(self, key: str, default: bool = False) -> bool:
        return self.text(key, "yes" if default else "no") == "yes"

    def set_flag(self, key: str, value: bool) -> None:
        self._store.setValue(key, "yes" if value else "no")

    def strings(self, key: str) -> list[str]:
        """A list of texts; an ini file keeps an empty or single one as something else."""
        value = self._store.value(key)
        if isinstance(value, str):
            return [value] if value else []
        if isinstance(value, list):
            return [v for v in value if isinstance(v, str)]
        return []

    def set_strings(self, key: str, values: list[str]) -> None:
        self._store.setValue(key, values)

    def blob(self, key: str) -> QByteArray | None:
        """Geometry and splitter states."""
        value = self._store.value(key)
        return value if isinstance(value, QByteArray) else None

    def set_blob(self, key: str, value: QByteArray) -> None:
        self._store.setValue(key, value)

    def sync(self) -> None:
        """Write now. A folder that cannot be written to loses the choices, nothing else."""
        self._store.sync()

    # What several parts agree on

    @property
    def theme(self) -> str:
        """Either "system", "light" or "dark"."""
        value = self.text("view/theme", "system")
        return value if value in ("system", "light", "dark") else "system"

    @theme.setter
    def theme(self, value: str) -> None:
        self.set_text("view/theme", value)

    @property
    def span_s(self) -> float:
        """Time span of the live charts, seconds."""
        return min(max(self.number("live/span_s", DEFAULT_SPAN_S), 1.0), 86400.0)

    @span_s.setter
    def span_s(self, value: float) -> None:
        self.set_number("live/span_s", value)

    @property
    def focus(self) -> list[str]:
        """Ids of the focus devices, in their order."""
        return [d for d in dict.fromkeys(self.strings("live/focus")) if 0 < len(d) <= MAX_DEVICE_ID_CHARS]

    @focus.setter
    def focus(self, value: list[str]) -> None:
        self.set_strings("live/focus", value)
