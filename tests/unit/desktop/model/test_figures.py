"""Numbers as people read them."""

import math

import pytest

from desktop.model import figures
from desktop.model.figures import THIN, UNKNOWN, percent


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0, 0, "0"),
        (999, 0, "999"),
        (1848, 0, f"1{THIN}848"),
        (1234567.89, 1, f"1{THIN}234{THIN}567.9"),
        (-1234, 0, f"−1{THIN}234"),
        (-0.04, 1, "0.0"),
        (math.nan, 0, "–"),
        (math.inf, 0, "–"),
    ],
)
def test_thousands(value: float, decimals: int, text: str) -> None:
    assert figures.thousands(value, decimals) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 B"), (999, "999 B"), (999_600, "1 MB"), (118_000_000, "118 MB"), (1_250_000_000, "1.2 GB"), (2.5e12, "2.5 TB")],
)
def test_size(value: float, text: str) -> None:
    assert figures.size(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "00:00:00"), (761.9, "00:12:41"), (86399, "23:59:59"), (3 * 86400 + 761, "3 d 00:12:41"), (-5, "00:00:00")],
)
def test_clock(seconds: float, text: str) -> None:
    assert figures.clock(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(4.23, "4.2 s"), (9.96, "10 s"), (41, "41 s"), (185, "3 min 05 s"), (3725, "1 h 02 min")]
)
def test_elapsed(seconds: float, text: str) -> None:
    assert figures.elapsed(seconds) == text


@pytest.mark.parametrize(("value", "text"), [(140.4, "140 ms"), (2340, "2.3 s"), (math.nan, "–")])
def test_milliseconds(value: float, text: str) -> None:
    assert figures.milliseconds(value) == text


def test_plural() -> None:
    assert figures.plural(1, "device") == "1 device"
    assert figures.plural(1200, "device") == f"1{THIN}200 devices"
    assert figures.plural(2, "reply", "replies") == "2 replies"


def test_percent() -> None:
    assert percent(0.9024, 1) == f"90.2{THIN}%"
    assert percent(1.0) == f"100{THIN}%"
    assert percent(float("nan")) == UNKNOWN
