"""Colours can be read, and told apart."""

import pytest

from backend.contract.devices import SENSORS
from desktop.model.palette import DARK, LIGHT, Palette, contrast

BOTH = pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda p: p.name)


def test_contrast_of_the_extremes() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#777777") == pytest.approx(1)


@BOTH
def test_text_is_readable_on_every_ground(palette: Palette) -> None:
    for ground in (palette.window, palette.surface, palette.hover, palette.selection):
        assert contrast(palette.text, ground) >= 7
        assert contrast(palette.muted, ground) >= 4.5
    assert contrast(palette.on_accent, palette.accent) >= 4.5
    assert contrast(palette.bad, palette.surface) >= 4.5


@BOTH
def test_signs_and_curves_stand_out(palette: Palette) -> None:
    for colour in (palette.ok, palette.warn, palette.bad, palette.idle, palette.edge, palette.accent):
        assert contrast(colour, palette.surface) >= 3


@BOTH
def test_every_sensor_has_its_own_hue(palette: Palette) -> None:
    assert set(palette.sensors) == set(SENSORS)
    assert len(set(palette.sensors.values())) == len(SENSORS)
