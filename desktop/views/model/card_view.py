"""The card of one version: its scores as a picture, and how it came about."""

import math
import time
from collections.abc import Callable

from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from desktop.model.figures import elapsed, percent, plural, size, thousands
from desktop.model.palette import GAP, GAP_LARGE, GAP_SECTION, GAP_SMALL, Palette
from desktop.model.plain_text import tool_tip
from desktop.model.predictor.card import Card, Version, sensor_label
from desktop.model.predictor.words import moment, span, when
from desktop.plots.scores import LEGEND, ScoresChart
from desktop.qtmodels.theme import ThemeController
from desktop.views.widgets.roles import label, set_role

_CAPTION_PX = 84


class CardView(QWidget):
    """Shows; decides nothing.

    Attributes:
        title: The version.
        promote, remove: The buttons.
        scores: The picture.
        version: What is shown, or None.
    """

    def __init__(
        self, *, theme: ThemeController, clock: Callable[[], float] = time.time, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._clock = clock
        self.version: Version | None = None
        self._shown: tuple[Version, bool] | None = None
        self.title = label(role="subtitle")
        self.trained = label(role="muted")
        self.promote = QPushButton("Promote")
        self.remove = QPushButton("Remove …")
        self.scores = ScoresChart(palette=theme.palette)
        self.legend = label(LEGEND, "caption")
        self.facts = QFormLayout()
        head = QHBoxLayout()
        head.setSpacing(GAP)
        head.addWidget(self.title)
        head.addWidget(self.trained, 1)
        head.addWidget(self.promote)
        head.addWidget(self.remove)
        self.facts.setHorizontalSpacing(GAP_SECTION)
        self.facts.setVerticalSpacing(GAP_SMALL // 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(GAP_LARGE, GAP_SMALL, GAP_LARGE, GAP)
        column.setSpacing(GAP_SMALL)
        column.addLayout(head)
        column.addWidget(self.scores)
        column.addWidget(self.legend)
        column.addSpacing(GAP_SMALL)
        column.addLayout(self.facts)

    def set_palette(self, palette: Palette) -> None:
        """Draw in other colours."""
        self.scores.set_palette(palette)

    def set_operable(self, on: bool) -> None:
        """Whether the version can be promoted or removed now."""
        version = self.version
        free = on and version is not None and not version.promoted
        self.promote.setEnabled(free)
        self.remove.setEnabled(free)
        self.remove.setToolTip("Promote another version first" if version is not None and version.promoted else "")

    def show_version(self, version: Version, *, utc: bool) -> None:
        """Show this one."""
        self.version = version
        if self._shown == (version, utc):
            return
        self._shown = (version, utc)
        card, now = version.card, self._clock()
        self.title.setText(version.version)
        took = f" in {elapsed(card.took_s)}" if math.isfinite(card.took_s) else ""
        self.trained.setText(f"trained {when(moment(card.created), utc=utc, now=now)}{took}")
        set_role(self.promote, "" if version.promoted else "primary")
        self.promote.setText("Promoted" if version.promoted else "Promote")
        known = bool(card.sensors)
        self.scores.setVisible(known)
        self.legend.setVisible(known)
        self.scores.show_card(card)
        while self.facts.rowCount():
            self.facts.removeRow(0)
        for caption, text, more in _facts(version, utc=utc, now=now):
            left = label(caption, "muted")
            left.setMinimumWidth(_CAPTION_PX)
            right = label(text, wrap=True)
            right.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
            right.setToolTip(tool_tip(more))
            self.facts.addRow(left, right)


def _facts(version: Version, *, utc: bool, now: float) -> list[tuple[str, str, str]]:
    """Caption, text and tooltip of each line."""
    card = version.card
    rows = [
        ("Data", _data(card, utc=utc, now=now), ""),
        ("Forecasts", _per_sensor(card, lambda s: card.sensors[s].forecaster + f", {card.sensors[s].devices} devices"), ""),
        ("In the band", _coverage(card), "On the last fifth of the time, which training never saw"),
        ("Features", f"{len(card.features)}, version {card.feature_version}", ", ".join(card.features)),
        ("Made by", f"code {card.code or '–'}, scikit-learn {card.sklearn or '–'}, seed {card.seed}", ""),
        ("File", f"{size(version.size)}, SHA-256 {version.sha256[:16]}…", version.sha256),
    ]
    if card.refused:
        why = "  ".join(f"{sensor_label(s)}: {text}" for s, text in card.refused.items())
        rows.insert(1, ("No model for", why, ""))
    return rows


def _data(card: Card, *, utc: bool, now: float) -> str:
    text = f"{span(card.start, card.end, utc=utc, now=now)}, {plural(card.count('used'), 'reading')}"
    left = [
        f"{thousands(card.count(key))} {words}"
        for key, words in (("missing", "without a value"), ("impossible", "impossible"), ("duplicates", "repeated"))
        if card.count(key)
    ]
    gaps = card.count("gaps")
    return text + (f"; left out: {', '.join(left)}" if left else "") + (f"; {plural(gaps, 'gap')}" if gaps else "")


def _coverage(card: Card) -> str:
    told = _per_sensor(card, lambda s: percent(card.sensors[s].held_out.model.coverage, 1))
    return f"{told}; wanted are {percent(card.coverage)}" if card.sensors else "–"


def _per_sensor(card: Card, tell: Callable[[str], str]) -> str:
    return "  ·  ".join(f"{sensor_label(s)} {tell(s)}" for s in card.sensors) or "–"
