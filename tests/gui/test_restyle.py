"""Light and dark: a switch looks exactly as a start in those colours, and never holds the event loop."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial

import pytest
from PySide6.QtGui import QImage

from tests.gui.conftest import Bench
from tests.helpers.watchdog import watching

PAGES = ("live", "history", "services")
#: Each test waits for many pictures, one after another.
pytestmark = pytest.mark.timeout(300)


def pictures(bench: Bench) -> dict[str, QImage]:
    """Each page while nothing runs: nothing on it moves once it is laid out."""
    taken = {}
    for page in PAGES:
        bench.window.show_key(page)
        last = [QImage()]

        def still(last: list[QImage] = last) -> bool:
            before, last[0] = last[0], bench.window.grab().toImage()
            bench.qtbot.wait(60)
            return before == last[0]

        bench.wait(still, "the page stands still")
        taken[page] = last[0]
    return taken


def looks(bench: Bench, image: QImage) -> bool:
    return bench.window.grab().toImage() == image


@pytest.fixture
def stopped(make_bench: Callable[..., Bench]) -> Callable[[str], Bench]:
    def make(theme: str) -> Bench:
        bench = make_bench(up=False, theme=theme)
        bench.start()
        # Page and size are remembered from the bench before.
        bench.window.show_key("live")
        bench.window.resize(1100, 720)
        bench.wait(lambda: bench.desktop.deployment.plan is not None, "the plan")
        bench.wait(lambda: bench.desktop.monitor.status, "the services")
        return bench

    return make


@pytest.mark.parametrize(("before", "after"), [("light", "dark"), ("dark", "light")])
def test_a_switch_looks_like_a_start_in_those_colours(stopped: Callable[[str], Bench], before: str, after: str) -> None:
    fresh = stopped(after)
    wanted = pictures(fresh)
    fresh.window.close()
    switched = stopped(before)
    assert pictures(switched)["services"] != wanted["services"]
    switched.desktop.theme.set_choice(after)
    switched.wait(lambda: switched.desktop.restyler.done, "every widget is restyled")
    for page in PAGES:
        switched.window.show_key(page)
        # Until: a page may still be laying itself out, and a text cursor blinks.
        image = wanted[page]
        switched.wait(partial(looks, switched, image), f"{page} looks the same")


def test_a_switch_never_holds_the_event_loop(bench: Bench) -> None:
    bench.attach()
    for page in (*PAGES, "live"):
        bench.window.show_key(page)
        bench.qtbot.wait(20)
    with watching() as watch:
        for theme in ("dark", "light", "dark"):
            bench.desktop.theme.set_choice(theme)
            bench.wait(lambda: bench.desktop.restyler.done, "every widget is restyled")
    assert watch.longest_cpu_ms < 50


def test_a_page_shown_in_the_middle_of_it_is_next(stopped: Callable[[str], Bench]) -> None:
    bench = stopped("light")
    bench.desktop.theme.set_choice("dark")
    bench.window.show_key("services")
    restyler = bench.desktop.restyler
    assert not bench.window.updatesEnabled()
    bench.wait(bench.window.updatesEnabled, "the window is painted again")
    assert not any(w.isVisible() for w in restyler.waiting), "not before all that is in view has the new colours"
    bench.wait(lambda: restyler.done, "the rest")


_WITH_GARBAGE = """
import gc
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QWidget
from desktop.views.restyle import all_widgets

class Closed(QWidget):
    def __init__(self):
        super().__init__()
        self.me = self
        self.children_of_it = [QLabel("x", self) for _ in range(50)]

app = QApplication([])
gc.disable()
kept = QWidget()
boxes = [QComboBox(kept) for _ in range(200)]  # most of what is in them has no Python object yet
for _ in range(60):
    Closed()
gc.set_threshold(20, 1, 1)
gc.enable()
assert len(all_widgets()) > 60 * 50
assert gc.isenabled()
"""


def test_garbage_is_not_collected_while_widgets_are_listed() -> None:
    """It would be with a window's widgets among them: a crash of the process."""
    ended = subprocess.run([sys.executable, "-c", _WITH_GARBAGE], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
