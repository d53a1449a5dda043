"""A chart as a picture: what is on the screen, with the sensor's name, unit and time range written on it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from PySide6.QtCore import QByteArray, QRect, QSaveFile, Qt
from PySide6.QtGui import QColor, QFont, QImage, QImageWriter, QPainter

from desktop.model.palette import Palette
from desktop.plots.chart import Chart

_HEAD_PX: Final = 34


def chart_image(chart: Chart, palette: Palette) -> QImage:
    """The chart as it is drawn now, crosshair included, with a heading."""
    ratio = chart.devicePixelRatioF()
    size = chart.size()
    image = QImage(round(size.width() * ratio), round((size.height() + _HEAD_PX) * ratio), QImage.Format.Format_ARGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(QColor(palette.surface))
    painter = QPainter(image)
    font = QFont(chart.font())
    font.setBold(True)
    painter.setFont(font)
    painter.setPen(QColor(palette.text))
    kind = chart.device_type
    heading = QRect(16, 0, size.width() - 32, _HEAD_PX)
    painter.drawText(heading, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, f"{kind.label} in {kind.unit}")
    font.setBold(False)
    painter.setFont(font)
    painter.setPen(QColor(palette.muted))
    painter.drawText(heading, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, range_heading(chart))
    painter.translate(0, _HEAD_PX)
    chart.render(painter, QRect(0, 0, size.width(), size.height()))  # type: ignore[no-untyped-call]
    painter.end()
    return image


def range_heading(chart: Chart) -> str:
    """``2026-11-24 12:41:00 – 12:46:00 UTC``."""
    start, end = (datetime.fromtimestamp(t, UTC) for t in (chart.frame.start, chart.frame.end))
    if not chart.axes.utc:
        start, end = start.astimezone(), end.astimezone()
    return f"{start:%Y-%m-%d %H:%M:%S} – {end:%H:%M:%S} {end:%Z}"


def save_png(image: QImage, path: Path) -> None:
    """Write `image`; the file is whole or not there. Blocking.

    Raises:
        OSError: it cannot be written.
    """
    file = QSaveFile(str(path))
    if (
        not file.open(QSaveFile.OpenModeFlag.WriteOnly)
        or not QImageWriter(file, QByteArray(b"png")).write(image)
        or not file.commit()
    ):
        raise OSError(f"{path} cannot be written: {file.errorString()}")
