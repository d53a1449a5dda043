"""Palette → Qt: the application's QPalette, font and style sheet. Every colour comes from `desktop.model.palette`."""

from pathlib import Path
from typing import Final

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

from desktop.model.palette import CAPTION_PX, FIGURE_PX, FONT_PX, RADIUS, RADIUS_SMALL, Palette

#: Style sheets take pictures from files only.
_ASSETS: Final = Path(__file__).parent / "assets"

# Widgets are addressed by the dynamic property `role`; set it with `page.set_role`.
_SHEET: Final = """
QMainWindow, QDialog, QWidget#Window {{ background: {window}; }}
QToolTip {{ background: {surface}; color: {text}; border: 1px solid {line}; padding: 4px 6px; }}
QLabel[role="caption"] {{ font-size: {caption}px; color: {muted}; }}
QLabel[role="heading"] {{ font-size: {caption}px; color: {muted}; font-weight: 600; letter-spacing: 0.6px; }}
QLabel[role="muted"] {{ color: {muted}; }}
QLabel[role="title"] {{ font-size: {figure}px; font-weight: 600; }}
QLabel[role="subtitle"] {{ font-size: 15px; font-weight: 600; }}
QLabel[role="figure"] {{ font-size: {figure}px; }}
QLabel[role="strong"] {{ font-weight: 600; }}
QLabel[role="bad"] {{ color: {bad}; }}

QFrame[role="card"] {{ background: {surface}; border: 1px solid {line}; border-radius: {radius}px; }}
QFrame[role="panel"] {{ background: {surface}; border: none; }}
QFrame[role="hairline"] {{ background: {line}; border: none; max-height: 1px; min-height: 1px; }}
QFrame[role="vline"] {{ background: {line}; border: none; max-width: 1px; min-width: 1px; }}
QFrame[role="rail"] {{ background: {surface}; border: none; border-right: 1px solid {line}; }}
QFrame[role="strip"] {{ background: {surface}; border: none; border-bottom: 1px solid {line}; }}
QFrame[role="status"] {{ background: {surface}; border: none; border-top: 1px solid {line}; }}
QFrame[role="side"] {{ background: {surface}; border: none; border-right: 1px solid {line}; }}
QFrame[role="banner"] {{ background: {surface}; border: none; border-bottom: 1px solid {line}; }}
QFrame[role="toast"] {{ background: {surface}; border: 1px solid {line}; border-radius: {radius}px; }}
QFrame[role="tag"] {{ background: {hover}; border: none; border-radius: {radius_small}px; }}

QPushButton {{
    background: {surface}; border: 1px solid {line}; border-radius: {radius_small}px; padding: 5px 12px; min-height: 18px;
}}
QPushButton:hover {{ background: {hover}; }}
QPushButton:pressed {{ background: {line}; }}
QPushButton:checked {{ background: {selection}; border-color: {accent}; }}
QPushButton:focus {{ border: 1px solid {accent}; outline: none; }}
QPushButton:disabled {{ color: {idle}; }}
QPushButton[role="primary"] {{
    background: {accent}; color: {on_accent}; border: 1px solid {accent}; font-weight: 600; padding: 8px 20px;
}}
QPushButton[role="primary"]:hover {{ background: {accent_hover}; border-color: {accent_hover}; }}
QPushButton[role="primary"]:focus {{ border: 1px solid {text}; }}
QPushButton[role="primary"]:disabled {{ background: {hover}; border-color: {line}; color: {idle}; }}
QPushButton[role="quiet"] {{ background: transparent; border: 1px solid transparent; padding: 4px 8px; }}
QPushButton[role="quiet"]:hover {{ background: {hover}; }}
QPushButton[role="quiet"]:focus {{ border: 1px solid {accent}; }}
QPushButton[role="link"] {{
    background: transparent; border: 1px solid transparent; padding: 2px 4px; color: {accent}; text-align: left;
}}
QPushButton[role="link"]:hover {{ text-decoration: underline; }}
QPushButton[role="link"]:focus {{ border: 1px solid {accent}; }}

QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: {radius_small}px; padding: 4px; }}
QToolButton:hover {{ background: {hover}; }}
QToolButton:pressed {{ background: {line}; }}
QToolButton:checked {{ background: {selection}; }}
QToolButton:focus {{ border: 1px solid {accent}; }}
QToolButton::menu-indicator {{ image: none; width: 0; }}
QToolButton[role="nav"] {{
    font-size: {caption}px; color: {muted}; border-radius: {radius}px; padding: 7px 2px 5px 2px;
    min-width: 56px; max-width: 56px;
}}
QToolButton[role="nav"]:checked {{ background: {selection}; color: {text}; font-weight: 600; }}
QToolButton[role="segment"] {{ border: 1px solid transparent; border-radius: 5px; padding: 3px 9px; color: {muted}; }}
QToolButton[role="segment"]:hover {{ color: {text}; background: transparent; }}
QToolButton[role="segment"]:checked {{ background: {surface}; color: {text}; border: 1px solid {line}; }}
QToolButton[role="segment"]:focus {{ border: 1px solid {accent}; }}

QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QDateTimeEdit, QAbstractSpinBox {{
    background: {surface}; border: 1px solid {line}; border-radius: {radius_small}px; padding: 4px 8px; min-height: 18px;
    selection-background-color: {accent}; selection-color: {on_accent};
}}
QAbstractSpinBox QLineEdit, QComboBox QLineEdit {{ border: none; padding: 0 7px; min-height: 0; background: transparent; }}
QLineEdit:hover, QSpinBox:hover, QDoubleSpinBox:hover, QComboBox:hover, QDateTimeEdit:hover {{ border-color: {edge}; }}
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus, QDateTimeEdit:focus {{ border-color: {accent}; }}
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled {{ color: {idle}; background: {window}; }}
QComboBox QAbstractItemView, QMenu, QListView[role="popup"] {{
    background: {surface}; border: 1px solid {line}; selection-background-color: {selection}; selection-color: {text};
    outline: none;
}}
QComboBox::drop-down, QDateTimeEdit::drop-down {{ border: none; width: 20px; }}
QComboBox::down-arrow, QDateTimeEdit::down-arrow {{ image: url("{assets}/down-{name}.svg"); width: 14px; height: 14px; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ border: none; background: transparent; width: 16px; }}
QAbstractSpinBox[role="plain"]::up-button, QAbstractSpinBox[role="plain"]::down-button {{ width: 0; }}
QAbstractSpinBox[role="plain"]::up-button {{ subcontrol-origin: border; subcontrol-position: top right; }}
QAbstractSpinBox[role="plain"]::down-button {{ subcontrol-origin: border; subcontrol-position: bottom right; }}
QAbstractSpinBox::up-arrow {{ image: url("{assets}/up-{name}.svg"); width: 10px; height: 10px; }}
QAbstractSpinBox::down-arrow {{ image: url("{assets}/down-{name}.svg"); width: 10px; height: 10px; }}
QAbstractSpinBox[role="plain"]::up-arrow, QAbstractSpinBox[role="plain"]::down-arrow {{ image: none; width: 0; height: 0; }}
QMenu {{ padding: 4px; border-radius: {radius_small}px; }}
QMenu::item {{ padding: 6px 24px 6px 12px; border-radius: 4px; }}
QMenu::item:selected {{ background: {hover}; }}
QMenu::item:disabled {{ color: {idle}; }}
QMenu::separator {{ height: 1px; background: {line}; margin: 4px 8px; }}

QPlainTextEdit, QTextEdit {{
    background: {surface}; border: none; selection-background-color: {accent}; selection-color: {on_accent};
}}
QPlainTextEdit[role="log"] {{
    background: {window}; font-family: "DejaVu Sans Mono", "Menlo", "Consolas", monospace; font-size: 12px;
}}
QTableView, QListView, QTreeView {{
    background: {surface}; border: none; gridline-color: {line}; selection-background-color: {selection};
    selection-color: {text}; alternate-background-color: {surface}; outline: none;
}}
QTableView::item, QListView::item {{ padding: 0 8px; border: none; }}
QTableView::item:selected, QListView::item:selected {{ background: {selection}; color: {text}; }}
QHeaderView {{ background: {surface}; border: none; }}
QHeaderView::section {{
    background: {surface}; color: {muted}; border: none; border-bottom: 1px solid {line}; padding: 6px 11px;
    font-size: {caption}px;
    font-weight: 600;
}}
QTableCornerButton::section {{ background: {surface}; border: none; }}

QScrollArea {{ background: transparent; border: none; }}
QAbstractScrollArea::corner {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {line}; border-radius: 3px; margin: 2px; min-height: 24px; min-width: 24px; }}
QScrollBar::handle:hover {{ background: {idle}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QSplitter::handle {{ background: {line}; }}
QSplitter::handle:horizontal {{ width: 1px; }}
QSplitter::handle:vertical {{ height: 1px; }}
QSplitter::handle:hover {{ background: {accent}; }}

QProgressBar {{ background: {hover}; border: none; border-radius: 2px; min-height: 4px; max-height: 4px; text-align: right; }}
QProgressBar::chunk {{ background: {accent}; border-radius: 2px; }}
QCheckBox, QRadioButton {{ spacing: 8px; background: transparent; }}
QCheckBox::indicator {{ width: 14px; height: 14px; border: 1px solid {edge}; border-radius: 4px; background: {surface}; }}
QCheckBox::indicator:checked {{ background: {accent}; border-color: {accent}; image: url("{assets}/tick-{name}.svg"); }}
QRadioButton::indicator {{ width: 14px; height: 14px; border: 1px solid {edge}; border-radius: 8px; background: {surface}; }}
QRadioButton::indicator:checked {{
    width: 8px; height: 8px; border: 4px solid {accent}; border-radius: 8px; background: {on_accent};
}}
QListView::indicator {{ width: 12px; height: 12px; border: 1px solid {edge}; border-radius: 4px; background: {surface}; }}
QListView::indicator:checked {{ background: {accent}; border-color: {accent}; image: url("{assets}/tick-{name}.svg"); }}
QCheckBox:focus, QRadioButton:focus {{ color: {accent}; }}
"""


def sheet(palette: Palette) -> str:
    """The application's style sheet in `palette`."""
    colours = {
        field: getattr(palette, field)
        for field in (
            "window", "surface", "hover", "line", "edge", "text", "muted", "accent", "accent_hover", "on_accent", "selection",
            "ok", "warn", "bad", "idle",
        )
    }  # fmt: skip
    return _SHEET.format(
        **colours,
        name=palette.name,
        assets=_ASSETS.as_posix(),
        caption=CAPTION_PX,
        figure=FIGURE_PX,
        radius=RADIUS,
        radius_small=RADIUS_SMALL,
    )


def qt_palette(palette: Palette) -> QPalette:
    """What Fusion draws with where the style sheet says nothing."""
    result = QPalette()
    role = QPalette.ColorRole
    for which, colour in (
        (role.Window, palette.window),
        (role.WindowText, palette.text),
        (role.Base, palette.surface),
        (role.AlternateBase, palette.window),
        (role.Text, palette.text),
        (role.Button, palette.surface),
        (role.ButtonText, palette.text),
        (role.BrightText, palette.bad),
        (role.Highlight, palette.accent),
        (role.HighlightedText, palette.on_accent),
        (role.ToolTipBase, palette.surface),
        (role.ToolTipText, palette.text),
        (role.PlaceholderText, palette.muted),
        (role.Link, palette.accent),
        (role.Mid, palette.line),
        (role.Midlight, palette.hover),
        (role.Light, palette.surface),
        (role.Dark, palette.edge),
    ):
        result.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, which, QColor(palette.idle))
    return result


def base_font(app: QApplication) -> QFont:
    """The system's font at the base size, with tabular figures where the font has both kinds."""
    font = QFont(app.font())
    font.setPixelSize(FONT_PX)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def apply(app: QApplication, palette: Palette) -> None:
    """Put `palette` into force for the whole application."""
    app.setPalette(qt_palette(palette))
    app.setStyleSheet(sheet(palette))
