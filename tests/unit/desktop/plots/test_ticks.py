import time
from collections.abc import Iterator

import numpy as np
import pytest

from desktop.plots.ticks import nice_step, time_text, time_ticks, value_ticks, zone_label

NOON = 1_795_521_600.0  # 2026-11-24 12:00:00 UTC


@pytest.fixture
def kolkata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A zone whose offset is no whole number of hours."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_ticks_stand_on_an_absolute_lattice_while_the_view_scrolls() -> None:
    one = time_ticks(NOON + 3.3, NOON + 303.3, 900, label_px=90, utc=True)
    other = time_ticks(NOON + 7.9, NOON + 307.9, 900, label_px=90, utc=True)
    assert one.step == other.step == 30.0
    assert set(one.values[1:].tolist()) <= set(other.values.tolist())
    assert np.all(one.values % 30.0 == 0)


def test_labels_are_hours_minutes_seconds() -> None:
    ticks = time_ticks(NOON, NOON + 30, 900, label_px=90, utc=True)
    assert ticks.labels[:2] == ("12:00:00", "12:00:05")


def test_labels_never_come_closer_than_asked() -> None:
    for span in (1.0, 30.0, 61.0, 600.0, 3600.0, 86_400.0, 864_000.0):
        ticks = time_ticks(NOON, NOON + span, 700, label_px=90, utc=True)
        assert ticks.step * 700 / span >= 90
        assert len(ticks.values) == len(ticks.labels) > 0


@pytest.mark.usefixtures("kolkata")
def test_local_ticks_stand_on_local_hours() -> None:
    ticks = time_ticks(NOON, NOON + 6 * 3600, 700, label_px=90, utc=False)
    assert ticks.step == 3600
    assert all(label.endswith(":00:00") for label in ticks.labels)
    assert ticks.labels[0] == "18:00:00"
    assert zone_label(NOON, utc=False) == "Time zone: local (UTC+5:30)"
    assert zone_label(NOON, utc=True) == "Time zone: UTC"


def test_decimals_are_truncated() -> None:
    assert time_text(NOON + 0.39, utc=True, decimals=1) == "12:00:00.3"
    assert time_text(NOON + 59.99, utc=True) == "12:00:59"


@pytest.mark.parametrize(("rough", "step"), [(0.03, 0.05), (1.0, 1.0), (1.1, 2.0), (4.0, 5.0), (51.0, 100.0)])
def test_nice_step(rough: float, step: float) -> None:
    assert nice_step(rough) == pytest.approx(step)


def test_value_labels_have_the_decimals_of_their_step() -> None:
    assert value_ticks(20.0, 21.0, 200, label_px=40).labels == ("20.0", "20.2", "20.4", "20.6", "20.8", "21.0")
    assert value_ticks(1000.0, 1020.0, 200, label_px=40).labels[0] == "1\u202f000"
    assert value_ticks(-0.4, 0.4, 200, label_px=40).labels[2] == "0.0"


def test_nothing_to_show_gives_no_ticks() -> None:
    assert time_ticks(5.0, 5.0, 700, label_px=90, utc=True).labels == ()
    assert value_ticks(5.0, 5.0, 700, label_px=90).labels == ()
