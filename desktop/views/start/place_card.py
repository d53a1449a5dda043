"""Where the system shall run: one line an option, with the reason of the default and of what speaks against an option."""

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QFrame, QGridLayout, QRadioButton, QVBoxLayout, QWidget

from desktop.model.palette import GAP, GAP_LARGE, GAP_SMALL
from desktop.model.plain_text import button_text
from desktop.qtmodels.places import Places
from desktop.views.widgets.figure import Elided
from desktop.views.widgets.roles import label, set_role
from stack.choose import Option


class PlaceCard(QFrame):
    """Radio buttons over `Places`. Hidden where there is nothing to choose."""

    def __init__(self, *, places: Places, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "card")
        self._places = places
        self._options: list[Option] = []
        self.buttons: list[QRadioButton] = []
        self._group = QButtonGroup(self)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(GAP_LARGE)
        self._grid.setVerticalSpacing(GAP_SMALL)
        self._grid.setColumnStretch(1, 1)
        self.trouble = label("", "bad", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP, GAP_LARGE, GAP)
        layout.setSpacing(GAP_SMALL)
        layout.addWidget(label("WHERE IT RUNS", "heading"))
        layout.addLayout(self._grid)
        layout.addWidget(self.trouble)
        self.show_places()

    @property
    def offers(self) -> bool:
        """Whether there is anything to show."""
        return len(self._options) > 1 or bool(self._places.trouble)

    def show_places(self) -> None:
        """Take what `Places` knows now."""
        places = self._places
        if places.options != self._options:
            self._options = list(places.options)
            self._build()
        wanted = places.moving or places.current
        for option, button in zip(self._options, self.buttons, strict=True):
            button.setChecked(option == wanted)
            button.setEnabled(option.available and places.moving is None)
        self.trouble.setText(places.trouble)
        self.trouble.setVisible(bool(places.trouble))

    def _build(self) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.buttons = []
        for row, option in enumerate(self._options):
            button = QRadioButton(button_text(option.label))
            button.clicked.connect(partial(self._chosen, option))
            self._group.addButton(button)
            self._grid.addWidget(button, row, 0)
            why = Elided(reason_of(option), mode=Qt.TextElideMode.ElideRight, role="muted")
            button.setAccessibleDescription(reason_of(option))
            self._grid.addWidget(why, row, 1)
            self.buttons.append(button)

    def _chosen(self, option: Option, _: bool = False) -> None:
        self._places.choose(option)


def reason_of(option: Option) -> str:
    """``Proposed: there is no Docker here.``, or what speaks against it."""
    if option.is_default:
        return f"Proposed: {option.reason[:1].lower()}{option.reason[1:]}" if option.reason else "Proposed."
    return option.reason
