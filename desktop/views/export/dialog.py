"""One dialog for all exports: what, of which time and devices, to which file; then progress and the result."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QStandardPaths, Qt, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices, QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from backend.contract.devices import DEVICE_TYPES
from desktop.model.figures import plural, size
from desktop.model.palette import GAP, GAP_LARGE, GAP_SMALL
from desktop.model.plain_text import tool_tip
from desktop.services.exports.base import ExportResult, Progress
from desktop.views.export.kinds import Choice, ExportKind, file_name
from desktop.views.page import PageContext
from desktop.views.widgets.roles import label, set_role
from desktop.views.widgets.timeframe import TimeFrameBar

_WIDTH_PX: Final = 560
_FOLDER_KEY: Final = "export/folder"


class _Bridge(QObject):
    """Carries progress from the worker thread to the GUI thread."""

    progress = Signal(object)


class ExportDialog(QDialog):
    """Not modal: it may be closed while the export runs, which then goes on and says when it is done.

    Attributes:
        kinds: What can be chosen, in order.
        path: The file.
        start, cancel_button, open_folder: Buttons.
        result_text: Progress while it runs, then the result or what went wrong.

    Signals:
        done_(object): an `ExportResult`; also of a cancelled export.
    """

    done_ = Signal(object)

    def __init__(
        self,
        *,
        context: PageContext,
        kinds: Sequence[ExportKind],
        selected: str,
        device_ids: Sequence[str] = (),
        frame: tuple[float, float] | None = None,
        clock: Callable[[], float] = time.time,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        self.setWindowTitle("Export")
        self.kinds = tuple(kinds)
        self._context, self._clock = context, clock
        self._device_ids = tuple(device_ids)
        self._cancel: threading.Event | None = None
        self._result: ExportResult | None = None
        self._name_typed = False
        self._bridge = _Bridge(self)
        self._bridge.progress.connect(self._progressed)
        self._group = QButtonGroup(self)
        self.radios: dict[str, QRadioButton] = {}
        self.frame_bar = TimeFrameBar(utc=context.settings.flag("live/utc"), clock=clock)
        if frame is not None:
            self.frame_bar.set_range(*frame)
        self.sensors = {t.sensor: QCheckBox(t.label) for t in DEVICE_TYPES}
        self.devices = QComboBox()
        self.path = QLineEdit()
        self.replaces = label("", "caption")
        self.browse = QPushButton("Browse…")
        self.start = set_role(QPushButton("Export"), "primary")
        self.cancel_button = QPushButton("Cancel")
        self.close_button = QPushButton("Close")
        self.open_folder = QPushButton("Open folder")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.result_text = label("", wrap=True)
        self._build()
        self._connect()
        self.select(selected)
        self._show_state()

    # Building

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP_LARGE, GAP_LARGE, GAP_LARGE)
        layout.setSpacing(GAP_SMALL)
        layout.addWidget(label("WHAT", "heading"))
        for kind in self.kinds:
            radio = QRadioButton(kind.title)
            radio.setAccessibleDescription(kind.explains)
            self._group.addButton(radio)
            self.radios[kind.key] = radio
            layout.addWidget(radio)
            explains = label(kind.explains, "caption", wrap=True)
            explains.setContentsMargins(22, 0, 0, 4)
            layout.addWidget(explains)
        self._asked = QWidget()
        asked = QVBoxLayout(self._asked)
        asked.setContentsMargins(0, GAP_SMALL, 0, 0)
        asked.setSpacing(GAP_SMALL)
        asked.addWidget(label("TIME FRAME", "heading"))
        asked.addWidget(self.frame_bar)
        asked.addWidget(label("SENSORS AND DEVICES", "heading"))
        row = QHBoxLayout()
        row.setSpacing(GAP)
        for box in self.sensors.values():
            box.setChecked(True)
            row.addWidget(box)
        row.addStretch(1)
        asked.addLayout(row)
        self.devices.setAccessibleName("Devices")
        self.devices.addItem("All devices", ())
        if self._device_ids:
            self.devices.addItem(f"Only {plural(len(self._device_ids), 'chosen device')}", self._device_ids)
            self.devices.setToolTip(tool_tip("\n".join(self._device_ids[:20])))
        asked.addWidget(self.devices)
        layout.addWidget(self._asked)
        layout.addSpacing(GAP_SMALL)
        layout.addWidget(label("FILE", "heading"))
        self.path.setAccessibleName("File")
        file_row = QHBoxLayout()
        file_row.addWidget(self.path, 1)
        file_row.addWidget(self.browse)
        layout.addLayout(file_row)
        layout.addWidget(self.replaces)
        layout.addWidget(label("CSV, UTF-8, times in ISO 8601 UTC. Opens in LibreOffice, Excel and pandas.", "caption"))
        layout.addSpacing(GAP_SMALL)
        layout.addWidget(self.bar)
        layout.addWidget(self.result_text)
        layout.addStretch(1)
        buttons = QHBoxLayout()
        buttons.addWidget(self.open_folder)
        buttons.addStretch(1)
        for button in (self.cancel_button, self.close_button, self.start):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        self.start.setDefault(True)
        layout.addLayout(buttons)
        self.setMinimumWidth(_WIDTH_PX)

    def _connect(self) -> None:
        self._group.buttonClicked.connect(lambda _: self._kind_changed())
        self.path.textEdited.connect(self._path_edited)
        self.browse.clicked.connect(self._browse)
        self.start.clicked.connect(self.run)
        self.cancel_button.clicked.connect(self.cancel)
        self.close_button.clicked.connect(self.close)
        self.open_folder.clicked.connect(self._open_folder)
        self.frame_bar.changed.connect(self._show_state)
        for box in self.sensors.values():
            box.toggled.connect(lambda _: self._show_state())

    # What is chosen

    @property
    def kind(self) -> ExportKind:
        """The kind chosen."""
        return next(k for k in self.kinds if self.radios[k.key].isChecked())

    def select(self, key: str) -> None:
        """Choose a kind; the first where there is none of that name."""
        self.radios[key if key in self.radios else self.kinds[0].key].setChecked(True)
        self._kind_changed()

    def choice(self) -> Choice:
        """Time frame, sensors and devices."""
        start, end = self.frame_bar.range()
        chosen = tuple(s for s, box in self.sensors.items() if box.isChecked())
        return Choice(start, end, () if len(chosen) == len(self.sensors) else chosen, tuple(self.devices.currentData() or ()))

    def _kind_changed(self) -> None:
        self._asked.setVisible(self.kind.asks)
        if not self._name_typed:
            self.path.setText(str(self._folder() / file_name(self.kind, self._clock())))
            self._look_at_path()
        self._result = None
        self.result_text.setText("")
        self._show_state()
        self._fit()

    def _folder(self) -> Path:
        """Where the last export went, else the documents; the home directory where there is neither."""
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        wished = (self._context.settings.text(_FOLDER_KEY), documents)
        return next((Path(folder) for folder in wished if folder and Path(folder).is_dir()), Path.home())

    def _path_edited(self) -> None:
        self._name_typed = True
        self._look_at_path()
        self._show_state()

    def _look_at_path(self) -> None:
        path = Path(self.path.text())

        def looked(there: bool) -> None:
            if str(path) == self.path.text():
                self.replaces.setText("A file of this name is there; it will be replaced." if there else "")

        self._context.run_task(path.is_file, looked, lambda _: None)

    def _browse(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, "Export to", self.path.text(), "CSV (*.csv)")
        if chosen:
            self.path.setText(chosen if Path(chosen).suffix else f"{chosen}.csv")
            self._path_edited()

    def problem(self) -> str:
        """Why it cannot start; empty when it can."""
        if not self.path.text().strip():
            return "Choose a file."
        if self.kind.asks:
            if not any(box.isChecked() for box in self.sensors.values()):
                return "Choose at least one sensor."
            return self.frame_bar.problem()
        return ""

    # Running

    def run(self) -> None:
        """Export."""
        if self._cancel is not None or self.problem():
            self._show_state()
            return
        path = Path(self.path.text().strip()).expanduser()
        work = self.kind.work(self.choice(), path)
        cancel = self._cancel = threading.Event()
        self._result = None
        self.bar.setRange(0, 0)
        self.result_text.setText("Writing …")
        self._show_state()
        emit = self._bridge.progress.emit
        self._context.run_task(lambda: work(emit, cancel), self._finished, self._failed)

    def cancel(self) -> None:
        """End early; no file is left."""
        if self._cancel is not None:
            self._cancel.set()
            self.result_text.setText("Cancelling …")

    @property
    def running(self) -> bool:
        """Whether an export runs."""
        return self._cancel is not None

    def _progressed(self, progress: Progress) -> None:
        if self._cancel is None or self._cancel.is_set():
            return
        if progress.fraction is not None:
            self.bar.setRange(0, 1000)
            self.bar.setValue(round(1000 * progress.fraction))
        self.result_text.setText(f"{plural(progress.rows, 'row')} written …")

    def _finished(self, result: ExportResult) -> None:
        self._cancel = None
        self._result = result
        if result.cancelled:
            self.result_text.setText("Cancelled. No file was written.")
            self._look_at_path()
        else:
            text = f"{plural(result.rows, 'row')}, {size(result.size_bytes)}, written to {result.path.name}."
            if result.left_out:
                text += f" {plural(result.left_out, 'damaged document')} left out."
            self.result_text.setText(text)
            self.replaces.setText("")  # the file that is there is the one just written
            self._context.settings.set_text(_FOLDER_KEY, str(result.path.parent))
            if not self.isVisible():
                self._context.notifications.info(f"Export done: {text}")
        self._show_state()
        self._grow()
        self.done_.emit(result)

    def _failed(self, error: Exception) -> None:
        self._cancel = None
        self.result_text.setText(str(error))
        set_role(self.result_text, "bad")
        if not self.isVisible():
            self._context.notifications.error(f"The export failed. {error}")
        self._show_state()
        self._grow()

    def _open_folder(self) -> None:
        if self._result is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._result.path.parent)))

    def _show_state(self) -> None:
        running, problem = self.running, self.problem()
        written = self._result is not None and not self._result.cancelled
        for widget in (*self.radios.values(), self._asked, self.path, self.browse):
            widget.setEnabled(not running)
        self.start.setVisible(not running)
        self.start.setEnabled(not problem)
        self.start.setToolTip(tool_tip(problem))
        self.cancel_button.setVisible(running)
        self.close_button.setText("Hide" if running else "Close")
        self.close_button.setToolTip("The export continues and says when it is done" if running else "")
        self.bar.setVisible(running)
        self.open_folder.setVisible(written)
        if running or written:
            set_role(self.result_text, "")
        elif problem:
            self.result_text.setText(problem)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.resize(self.width(), self._needed_height())

    def _grow(self) -> None:
        """A long message is read whole; a dialog made larger by hand stays so."""
        self.resize(self.width(), max(self.height(), self._needed_height()))

    def _needed_height(self) -> int:
        # adjustSize does not ask wrapped labels how high they are at this width.
        layout = self.layout()
        if layout is None:
            return self.height()
        layout.activate()
        return layout.totalHeightForWidth(self.width())

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        super().closeEvent(event)
        if not self.running:
            self.deleteLater()
