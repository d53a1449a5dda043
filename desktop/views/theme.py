"""Palette → Qt: the application's QPalette, font and style sheet. Every colour comes from `desktop.model.palette`.

The style sheet is the same in every scheme: it names roles of the QPalette, never colours. Setting another style sheet would
restyle every widget of the window in one go, which takes a good part of a second on a busy machine; see `restyle`.
"""

from pathlib import Path
from typing import Final

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

from desktop.model.palette import CAPTION_PX, FIGURE_PX, FONT_PX, RADIUS, RADIUS_SMALL, Palette

#: Style sheets take pictures from files only.
_ASSETS: Final = Path(__file__).parent / "assets"

# Widgets are addressed by the dynamic property `role`; set it with `widgets.roles.set_role`. Pictures follow the window's
# property `scheme`.
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
QLabel[role="caution"] {{ font-size: {caption}px; color: {text}; }}
QLabel[role="bad"] {{ color: {bad}; }}
QLabel[role="badge"] {{
    background: {bad}; color: {on_accent}; border-radius: 7px; padding: 0 4px; min-height: 14px; max-height: 14px;
    min-width: 6px; font-size: 10px; font-weight: 600;
}}
QWidget#LiveBody {{ background: {surface}; }}

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
    font-size: {caption}px; color: {muted}; border-radius: {radius}px; padding: 7px 0 5px 0;
    min-width: 66px; max-width: 66px;
}}
QToolButton[role="nav"]:checked {{ background: {selection}; color: {text}; font-weight: 600; }}
QToolButton[role="segment"] {{ border: 1px solid transparent; border-radius: 5px; padding: 3px 9px; color: {muted}; }}
QToolButton[role="segment"]:hover {{ color: {text}; background: transparent; }}
QToolButton[role="segment"]:checked {{ background: {surface}; color: {text}; border: 1px solid {line}; }}
QToolButton[role="segment"]:focus {{ border: 1px solid {accent}; }}

QToolButton[role="cell"] {{ font-size: {caption}px; color: {muted}; padding: 1px 4px; border-radius: 4px; }}
QToolButton[role="cell"]:hover {{ color: {text}; background: {hover}; }}

QToolButton[role="chip"] {{
    background: {hover}; border: 1px solid transparent; border-radius: 4px; padding: 2px 4px; font-size: {caption}px;
}}
QToolButton[role="chip"]:hover {{ border-color: {line}; }}
QToolButton[role="chip"]:focus {{ border-color: {accent}; }}

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
QComboBox {{ combobox-popup: 0; }}
QComboBox QAbstractItemView {{ padding: 2px; }}
QComboBox QAbstractItemView::item {{ min-height: 24px; padding-left: 4px; }}
QComboBox::drop-down, QDateTimeEdit::drop-down {{ border: none; width: 20px; }}
QComboBox::down-arrow, QDateTimeEdit::down-arrow {{ image: url("{assets}/down-light.svg"); width: 14px; height: 14px; }}
QMainWindow[scheme="dark"] QComboBox::down-arrow,
QMainWindow[scheme="dark"] QDateTimeEdit::down-arrow {{ image: url("{assets}/down-dark.svg"); }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ border: none; background: transparent; width: 16px; }}
QAbstractSpinBox[role="plain"]::up-button, QAbstractSpinBox[role="plain"]::down-button {{ width: 0; }}
QAbstractSpinBox[role="plain"]::up-button {{ subcontrol-origin: border; subcontrol-position: top right; }}
QAbstractSpinBox[role="plain"]::down-button {{ subcontrol-origin: border; subcontrol-position: bottom right; }}
QAbstractSpinBox::up-arrow {{ image: url("{assets}/up-light.svg"); width: 10px; height: 10px; }}
QMainWindow[scheme="dark"] QAbstractSpinBox::up-arrow {{ image: url("{assets}/up-dark.svg"); }}
QAbstractSpinBox::down-arrow {{ image: url("{assets}/down-light.svg"); width: 10px; height: 10px; }}
QMainWindow[scheme="dark"] QAbstractSpinBox::down-arrow {{ image: url("{assets}/down-dark.svg"); }}
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
QWidget#HistoryBody QListView::item {{ padding: 3px 2px; }}
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
QCheckBox::indicator:checked {{ background: {accent}; border-color: {accent}; image: url("{assets}/tick-light.svg"); }}
QMainWindow[scheme="dark"] QCheckBox::indicator:checked {{ image: url("{assets}/tick-dark.svg"); }}
QRadioButton::indicator {{ width: 14px; height: 14px; border: 1px solid {edge}; border-radius: 8px; background: {surface}; }}
QRadioButton::indicator:checked {{
    width: 8px; height: 8px; border: 4px solid {accent}; border-radius: 8px; background: {on_accent};
}}
QListView::indicator {{ width: 12px; height: 12px; border: 1px solid {edge}; border-radius: 4px; background: {surface}; }}
QListView::indicator:checked {{ background: {accent}; border-color: {accent}; image: url("{assets}/tick-light.svg"); }}
QMainWindow[scheme="dark"] QListView::indicator:checked {{ image: url("{assets}/tick-dark.svg"); }}
QCheckBox:focus, QRadioButton:focus {{ color: {accent}; }}
"""

_Role = QPalette.ColorRole

#: Field of our palette → role of Qt's that carries it, and its name in a style sheet, which can name a colour in no other
#: way: so some roles carry something else than they are called after, none of which Fusion draws with here.
_ROLES: Final = {
    "window": (_Role.Window, "window"),
    "surface": (_Role.Base, "base"),
    "hover": (_Role.Midlight, "midlight"),
    "line": (_Role.Mid, "mid"),
    "edge": (_Role.Dark, "dark"),
    "text": (_Role.Text, "text"),
    "muted": (_Role.PlaceholderText, "placeholder-text"),
    "accent": (_Role.Highlight, "highlight"),
    "accent_hover": (_Role.LinkVisited, "link-visited"),
    "on_accent": (_Role.HighlightedText, "highlighted-text"),
    "selection": (_Role.AlternateBase, "alternate-base"),
    "bad": (_Role.BrightText, "bright-text"),
    "idle": (_Role.Shadow, "shadow"),
}


def sheet() -> str:
    """The application's style sheet, for every scheme."""
    return _SHEET.format(
        **{field: f"palette({name})" for field, (_, name) in _ROLES.items()},
        assets=_ASSETS.as_posix(),
        caption=CAPTION_PX,
        figure=FIGURE_PX,
        radius=RADIUS,
        radius_small=RADIUS_SMALL,
    )


def qt_palette(palette: Palette) -> QPalette:
    """The colours as roles: for the style sheet, and for what Fusion draws by itself."""
    result = QPalette()
    for field, (role, _) in _ROLES.items():
        result.setColor(role, QColor(getattr(palette, field)))
    for role, colour in (
        (_Role.WindowText, palette.text),
        (_Role.Button, palette.surface),
        (_Role.ButtonText, palette.text),
        (_Role.ToolTipBase, palette.surface),
        (_Role.ToolTipText, palette.text),
        (_Role.Link, palette.accent),
        (_Role.Accent, palette.accent),
        (_Role.Light, palette.surface),
    ):
        result.setColor(role, QColor(colour))
    for role in (_Role.WindowText, _Role.Text, _Role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(palette.idle))
    return result


def base_font(app: QApplication) -> QFont:
    """The system's font at the base size, with tabular figures where the font has both kinds."""
    font = QFont(app.font())
    font.setPixelSize(FONT_PX)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font
