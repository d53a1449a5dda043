"""Opening the export dialog from a page: keeps it while it runs, and ends what still runs when the window closes."""

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from desktop.views.export.dialog import ExportDialog
from desktop.views.export.kinds import AggregatesKind, AnomaliesKind, ExportKind, RawKind
from desktop.views.page import PageContext


class Exports:
    """A page's exports.

    Attributes:
        dialogs: Opened and not yet gone.
    """

    def __init__(self, *, context: PageContext, parent: QWidget) -> None:
        self._context, self._parent = context, parent
        self.dialogs: list[ExportDialog] = []

    def open(
        self,
        own: Sequence[ExportKind] = (),
        *,
        device_ids: Sequence[str] = (),
        frame: tuple[float, float] | None = None,
    ) -> ExportDialog:
        """Open the dialog with the page's own kinds first, then those that every page has."""
        endpoints = self._context.monitor.target.endpoints
        kinds: list[ExportKind] = [*own, RawKind(endpoints), AggregatesKind(endpoints), AnomaliesKind(endpoints)]
        dialog = ExportDialog(
            context=self._context, kinds=kinds, selected=kinds[0].key, device_ids=device_ids, frame=frame, parent=self._parent
        )
        self.dialogs.append(dialog)
        dialog.destroyed.connect(lambda: self.dialogs.remove(dialog))
        dialog.show()
        return dialog

    def closing(self) -> None:
        """Cancel what runs."""
        for dialog in self.dialogs:
            dialog.cancel()
