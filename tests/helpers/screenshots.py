"""Pictures of every page, light and dark, of a running system: ``python -m tests.helpers.screenshots``.

Takes the options of ``python -m stack`` that say which system. Nothing is started or changed.
"""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtWidgets import QApplication, QLabel

from desktop.app import Desktop
from desktop.views.anomalies.page import AnomaliesPage
from desktop.views.history.page import HistoryPage
from desktop.views.model.page import ModelPage
from desktop.views.window.main_window import MainWindow
from stack.choose import choose_target
from tests.helpers.open_window import opened, spin

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
SIZE = (1280, 800)
PAGES = ("start", "live", "history", "anomalies", "model", "services")

Save = Callable[[str], None]


def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port-offset", type=int, default=None)
    parser.add_argument("--data-dir", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=PICTURES)
    parser.add_argument("--size", default=f"{SIZE[0]}x{SIZE[1]}")
    parser.add_argument("--focus", nargs="*", default=["thermostat-00001", "thermostat-00002"])
    parser.add_argument("--pages", nargs="+", choices=PAGES, default=PAGES, help="only these")
    options = parser.parse_args()
    app = QApplication([])
    for theme in ("light", "dark"):
        _take(app, options, theme)


def _take(app: QApplication, options: argparse.Namespace, theme: str) -> None:
    """The pages of a running system, and the first page where nothing runs yet."""
    width, height = map(int, options.size.split("x"))

    def saver(desktop: Desktop) -> Save:
        def save(name: str) -> None:
            spin(0.6)
            desktop.window.grab().save(str(options.out / f"{name}-{theme}.png"))

        return save

    if "start" in options.pages:
        with tempfile.TemporaryDirectory(prefix="paai-pictures-") as nowhere:
            nothing = choose_target("local", data_dir=Path(nowhere) / "data")
            with opened(app, nothing, theme=theme, size=(width, height)) as desktop:
                spin(30, lambda: _is_planned(desktop.window))
                saver(desktop)("start")
    target = choose_target("local", port_offset=options.port_offset, data_dir=options.data_dir)
    with opened(app, target, theme=theme, size=(width, height)) as desktop:
        spin(20, lambda: desktop.monitor.is_attached)
        for page in options.pages:
            if page in TAKE:
                desktop.window.show_key(page)
                TAKE[page](desktop, saver(desktop), options.focus)


def _is_planned(window: MainWindow) -> bool:
    texts = [found.text() for found in window.findChildren(QLabel)]
    return "ZooKeeper" in texts and any("checks passed" in text for text in texts)


def _live(desktop: Desktop, save: Save, focus: Sequence[str]) -> None:
    spin(15)
    save("live")
    for device in focus:
        desktop.monitor.add_focus(device)
    spin(6)
    save("live-focus")
    desktop.monitor.clear_focus()


def _history(desktop: Desktop, save: Save, _: Sequence[str]) -> None:
    history = next(p for p in desktop.window.pages if isinstance(p, HistoryPage))
    kinds = ("thermostat", "barometer", "hygrometer", "heartratemeter")
    history.picker.set_chosen([f"{kind}-{n:05d}" for kind in kinds for n in range(1, 5)])
    spin(2)
    history.run_query()
    spin(30, lambda: history.answered is not None)
    save("history")


def _anomalies(desktop: Desktop, save: Save, _: Sequence[str]) -> None:
    """The list, and the most striking of its newest on the chart."""
    page = next(p for p in desktop.window.pages if isinstance(p, AnomaliesPage))
    spin(60, lambda: desktop.anomalies.status.past_read and bool(page.model.events))
    wanted = [e for e in page.model.events[:200] if e.key.kind in ("stuck", "drift")] or page.model.events
    if wanted:
        chosen = max(wanted, key=lambda e: (e.grade, e.start_ms))
        page.open_at(chosen.key)
    spin(2)
    save("anomalies")
    page.show_selected()
    spin(8)
    save("anomalies-chart")
    desktop.monitor.clear_focus()


def _model(desktop: Desktop, save: Save, _: Sequence[str]) -> None:
    model = next(p for p in desktop.window.pages if isinstance(p, ModelPage))
    spin(20, lambda: model.prediction.models is not None)
    save("model")


def _services(desktop: Desktop, save: Save, _: Sequence[str]) -> None:
    spin(4)
    save("services")


#: Of the pages of a running system.
TAKE: dict[str, Callable[[Desktop, Save, Sequence[str]], None]] = {
    "live": _live,
    "history": _history,
    "anomalies": _anomalies,
    "model": _model,
    "services": _services,
}


if __name__ == "__main__":
    main()
