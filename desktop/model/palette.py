"""Colours and distances: one visual language for windows and charts. No Qt, so that plots and style sheets share it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

# The 4 px grid.
GRID: Final = 4
GAP_SMALL: Final = 8
GAP: Final = 12
GAP_LARGE: Final = 16
GAP_SECTION: Final = 24
RADIUS: Final = 8
RADIUS_SMALL: Final = 6

FONT_PX: Final = 13
CAPTION_PX: Final = 11
FIGURE_PX: Final = 20


@dataclass(frozen=True, slots=True)
class Palette:
    """All colours of one scheme, as ``#RRGGBB``.

    Attributes:
        name: "light" or "dark".
        window: Behind everything.
        surface: Cards, panels, charts.
        hover: A surface under the pointer; also quiet fills (tracks, tags).
        line: Hairlines and grid.
        edge: Outline of a control that can be operated; 3:1 against `surface`.
        text, muted: Text and secondary text; at least 4.5:1 against `window` and `surface`.
        accent: The primary action and the selection only.
        accent_hover: The primary action under the pointer.
        on_accent: Text on `accent`.
        selection: Fill of a selected row.
        ok, warn, bad, idle: Signs of states; never without a sign and a word.
        sensors: Hue by name of the sensor (Okabe-Ito, safe for colour-blind eyes).
    """

    name: str
    window: str
    surface: str
    hover: str
    line: str
    edge: str
    text: str
    muted: str
    accent: str
    accent_hover: str
    on_accent: str
    selection: str
    ok: str
    warn: str
    bad: str
    idle: str
    sensors: Mapping[str, str]

    @property
    def dark(self) -> bool:
        """Whether this is the dark scheme."""
        return self.name == "dark"


LIGHT: Final = Palette(
    name="light",
    window="#F6F7F9",
    surface="#FFFFFF",
    hover="#EEF0F4",
    line="#DDE1E7",
    edge="#8A93A0",
    text="#1B1F24",
    muted="#5B6470",
    accent="#2F6FED",
    accent_hover="#2560D6",
    on_accent="#FFFFFF",
    selection="#E4EDFF",
    ok="#2E9E5B",
    warn="#C98500",
    bad="#D1373F",
    idle="#8A93A0",
    sensors=MappingProxyType(
        {"temperature": "#D55E00", "pressure": "#0072B2", "humidity": "#009E73", "heart_rate": "#CC79A7"},
    ),
)

DARK: Final = Palette(
    name="dark",
    window="#14171C",
    surface="#1B1F26",
    hover="#252B34",
    line="#2C333D",
    edge="#6B7685",
    text="#E6E9EE",
    muted="#9AA4B2",
    accent="#6C9BFF",
    accent_hover="#86ADFF",
    on_accent="#0E1420",
    selection="#263349",
    ok="#3DB872",
    warn="#E0A030",
    bad="#F0626A",
    idle="#7C8796",
    sensors=MappingProxyType(
        {"temperature": "#FF8A4C", "pressure": "#56B4E9", "humidity": "#2FCB9A", "heart_rate": "#E59CC5"},
    ),
)


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2) of ``#RRGGBB``, 0 … 1."""

    def channel(start: int) -> float:
        c = int(colour[start : start + 2], 16) / 255
        return c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4

    return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)


def contrast(one: str, other: str) -> float:
    """Contrast ratio (WCAG 2) of two colours, 1 … 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)
