"""The program's own icons: 24 px outlines, drawn in the palette's colours. No icon font is needed on the machine."""

from functools import lru_cache
from typing import Final

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

#: Elements inside <svg>, on a 24 × 24 field, stroked in the wanted colour.
SHAPES: Final[dict[str, str]] = {
    "live": '<path d="M3 12h4l2.5-7 5 14 2.5-7h4"/>',
    "history": '<path d="M4 20V4"/><path d="M4 20h16"/><path d="M8 16v-4M12 16V8M16 16v-6"/>',
    "services": '<rect x="4" y="4" width="16" height="6" rx="1.5"/><rect x="4" y="14" width="16" height="6" rx="1.5"/>'
    '<path d="M7.5 7h.01M7.5 17h.01M11 7h5.5M11 17h5.5"/>',
    "flow": '<path d="M4 8h13l-3-3M20 16H7l3 3"/>',
    "anomalies": '<path d="M12 4.5 20.5 19h-17z"/><path d="M12 10v4M12 16.6h.01"/>',
    "model": '<path d="M3.5 19h17M4 15.5c5 0 4.5-10 8-10s3 10 8 10"/>',
    "mark": '<circle cx="12" cy="12" r="8.5"/><path d="M6.5 12.5h2.6l1.7-4.4 2.8 8 1.8-3.6h2.1"/>',
    "play": '<path d="M8 5.5v13l10.5-6.5z"/>',
    "pause": '<path d="M9 5.5v13M15 5.5v13"/>',
    "stop": '<rect x="6.5" y="6.5" width="11" height="11" rx="1.5"/>',
    "more": '<path d="M5.5 12h.01M12 12h.01M18.5 12h.01" stroke-width="2.4"/>',
    "close": '<path d="M7 7l10 10M17 7 7 17"/>',
    "add": '<path d="M12 6v12M6 12h12"/>',
    "minus": '<path d="M6 12h12"/>',
    "search": '<circle cx="10.5" cy="10.5" r="5.5"/><path d="m15 15 4.5 4.5"/>',
    "panel": '<rect x="4" y="5" width="16" height="14" rx="2"/><path d="M10 5v14"/>',
    "copy": '<rect x="9" y="9" width="11" height="11" rx="2"/>'
    '<path d="M15 9V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v7a2 2 0 0 0 2 2h3"/>',
    "restart": '<path d="M19 12a7 7 0 1 1-2.2-5.1"/><path d="M19.5 3.5V7.5h-4"/>',
    "follow": '<path d="M12 4.5v11M7 11l5 5 5-5M6 20h12"/>',
    "log": '<path d="M5 6h14M5 10.5h14M5 15h9M5 19.5h6"/>',
    "export": '<path d="M12 15V4M8 8l4-4 4 4"/><path d="M5 14v4a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2v-4"/>',
    "link": '<path d="M13.5 5H19v5.5M19 5l-8 8"/><path d="M10 6H7a2 2 0 0 0-2 2v9a2 2 0 0 0 2 2h9a2 2 0 0 0 2-2v-3"/>',
    "check": '<path d="m5.5 12.5 4.5 4.5 9-10"/>',
    "down": '<path d="m7 10 5 5 5-5"/>',
    "up": '<path d="m7 14 5-5 5 5"/>',
    "right": '<path d="m10 7 5 5-5 5"/>',
    "deploy": '<path d="M5 8.5 12 5l7 3.5v7L12 19l-7-3.5z"/><path d="m5 8.5 7 3.5 7-3.5M12 12v7"/>',
    "machine": '<rect x="4" y="5" width="16" height="11" rx="2"/><path d="M9 20h6M12 16v4"/>',
    "theme": '<circle cx="12" cy="12" r="7.5"/><path d="M12 4.5v15a7.5 7.5 0 0 0 0-15z" fill="currentColor"/>',
    "keyboard": '<rect x="3" y="7" width="18" height="11" rx="2"/><path d="M7 11h.01M11 11h.01M15 11h.01M8 14.5h8"/>',
    "save": '<path d="M12 4v11M8 11l4 4 4-4"/><path d="M5 19.5h14"/>',
    "reset": '<path d="M5 12a7 7 0 1 0 2.2-5.1"/><path d="M4.5 3.5V7.5h4"/>',
}

_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="{colour}" color="{colour}" '
    'stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round">{shape}</svg>'
)


@lru_cache(maxsize=512)
def pixmap(name: str, colour: str, size: int = 20, ratio: float = 2.0) -> QPixmap:
    """The icon `name` in `colour`, `size` logical pixels wide. Kept: a change of colours asks for dozens at once."""
    shape = SHAPES[name].replace("currentColor", colour)
    renderer = QSvgRenderer(QByteArray(_SVG.format(colour=colour, shape=shape).encode()))
    image = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter, QRectF(0, 0, image.width(), image.height()))
    painter.end()
    image.setDevicePixelRatio(ratio)
    return image


def icon(name: str, colour: str, *, active: str | None = None, disabled: str | None = None, size: int = 20) -> QIcon:
    """The icon `name`.

    Args:
        name: A key of `SHAPES`.
        colour: Colour as it is usually.
        active: Colour while checked.
        disabled: Colour while it cannot be used.
        size: Logical pixels.
    """
    result = QIcon(pixmap(name, colour, size))
    if active:
        result.addPixmap(pixmap(name, active, size), QIcon.Mode.Normal, QIcon.State.On)
    if disabled:
        result.addPixmap(pixmap(name, disabled, size), QIcon.Mode.Disabled)
    return result
