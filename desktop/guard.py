"""One guard around every Python override that Qt calls: no exception leaves it.

On Python 3.11 an exception raised by C code (``int(float("nan"))``, a missing key) that leaves such an override ends the
program with a segmentation fault. The guard reports it once, through `sys.excepthook`, and returns a harmless value, so that
drawing continues. Slots need no guard: PySide passes their exceptions to `sys.excepthook` itself.
"""

import functools
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Final

from PySide6.QtCore import QAbstractItemModel, QMargins, QModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainterPath, QValidator
from PySide6.QtWidgets import QAbstractSpinBox, QLayout
from shiboken6 import Shiboken

#: The base of all of Qt's classes.
_ROOT: Final[Any] = Shiboken.Object
_MARK: Final = "__guards__"


def _always(value: object) -> Callable[..., Any]:
    return lambda *_: value


#: What Qt gets from a virtual method that failed, by its name. Methods named ``…Event`` that are not here return nothing.
DEFAULTS: Final[dict[str, Callable[..., Any]]] = {
    **dict.fromkeys(
        (
            *("event", "eventFilter", "viewportEvent", "sceneEvent", "sceneEventFilter", "helpEvent", "editorEvent"),
            *("focusNextPrevChild", "contains", "hasHeightForWidth"),
            *("setData", "setHeaderData", "hasChildren", "canFetchMore", "dropMimeData", "lessThan"),
        ),
        _always(False),
    ),
    **dict.fromkeys(
        (
            *(
                "paint",
                "drawBackground",
                "drawForeground",
                "drawRow",
                "drawBranches",
                "paintSection",
                "paintGL",
                "initializeGL",
            ),
            *("initStyleOption", "setGeometry", "updateEditorGeometry", "updateGeometries", "scrollContentsBy", "setVisible"),
            *("addItem", "itemAt", "takeAt", "invalidate", "data", "headerData", "fetchMore", "sort", "mimeData"),
            *("createEditor", "setEditorData", "setModelData", "selectionChanged", "currentChanged", "dataChanged"),
            *("stepBy", "inputMethodQuery", "accept", "reject", "done", "showPopup", "hidePopup", "createPopupMenu", "run"),
        ),
        _always(None),
    ),
    **dict.fromkeys(("sizeHint", "minimumSizeHint", "viewportSizeHint", "minimumSize", "maximumSize"), _always(QSize())),
    **dict.fromkeys(("boundingRect", "childrenBoundingRect"), _always(QRectF())),
    **dict.fromkeys(("rowCount", "columnCount", "count"), _always(0)),
    **dict.fromkeys(("heightForWidth", "sizeHintForRow", "sizeHintForColumn"), _always(-1)),
    **dict.fromkeys(("mapToSource", "mapFromSource", "buddy"), _always(QModelIndex())),
    **dict.fromkeys(("filterAcceptsRow", "filterAcceptsColumn"), _always(True)),
    **dict.fromkeys(("displayText", "textFromValue", "fixup"), _always("")),
    "visualRect": _always(QRect()),
    "viewportMargins": _always(QMargins()),
    "shape": _always(QPainterPath()),
    "flags": _always(Qt.ItemFlag.NoItemFlags),
    "roleNames": _always({}),
    "validate": _always(QValidator.State.Invalid),
    "valueFromText": _always(0),
    "stepEnabled": _always(QAbstractSpinBox.StepEnabledFlag.StepNone),
    "itemChange": lambda item, change, value: value,
}
#: Names that are virtual in one class only; elsewhere Python code calls them and wants to hear of the exception.
_VIRTUAL_IN: Final[dict[str, type]] = {"addItem": QLayout, "count": QLayout, "setData": QAbstractItemModel}


def install() -> None:
    """Guard the overrides of every Python class that derives from a Qt class, those that are defined later included."""
    if _MARK in vars(_ROOT):
        return

    def guard_new_class(cls: Any, /, **options: Any) -> None:
        super(_ROOT, cls).__init_subclass__(**options)
        guard(cls)

    _ROOT.__init_subclass__ = classmethod(guard_new_class)
    setattr(_ROOT, _MARK, True)
    for cls in subclasses(_ROOT):
        guard(cls)


def guard(cls: type) -> None:
    """Guard the overrides that `cls` itself defines."""
    if is_binding(cls):
        return
    for name in overrides(cls):
        function = vars(cls)[name]
        if not is_guarded(function) and (default := default_of(cls, name)) is not None:
            setattr(cls, name, guarded(function, default))


def overrides(cls: type) -> Iterator[str]:
    """Names of the methods of `cls` that a Qt base class has too: its overrides, and those that only hide one of Qt's."""
    bases = [base for base in cls.__mro__[1:] if is_binding(base)]
    for name, value in list(vars(cls).items()):
        if not name.startswith("__") and inspect.isfunction(value) and any(name in vars(base) for base in bases):
            yield name


def default_of(cls: type, name: str) -> Callable[..., Any] | None:
    """What makes the value that Qt gets when the override `name` of `cls` fails; None for a method that Qt does not call."""
    if name in _VIRTUAL_IN and not issubclass(cls, _VIRTUAL_IN[name]):
        return None
    return DEFAULTS.get(name) or (_always(None) if name.endswith("Event") else None)


def is_guarded(function: object) -> bool:
    """Whether `function` is a guard."""
    return hasattr(function, _MARK)


def is_binding(cls: type) -> bool:
    """Whether `cls` is one of Qt's own classes."""
    return cls.__module__.partition(".")[0] in ("PySide6", "Shiboken", "shiboken6")


def subclasses(cls: type) -> Iterator[type]:
    """Every class that derives from `cls`; one of several bases more than once."""
    children: list[type] = type.__subclasses__(cls)
    for child in children:
        yield child
        yield from subclasses(child)


def guarded(function: Callable[..., Any], default: Callable[..., Any]) -> Callable[..., Any]:
    """`function` for Qt: returns `default` of its arguments when it raises."""
    reported: set[tuple[type, int]] = set()

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except BaseException as error:  # noqa: BLE001 - whatever leaves an override can end the program
            _report(error, reported)
            return default(*args)

    setattr(call, _MARK, function)
    return call


def _report(error: BaseException, reported: set[tuple[type, int]]) -> None:
    """Report `error` unless the same line of the same override raised its like before."""
    key = type(error), _line_of(error.__traceback__)
    if key not in reported:
        reported.add(key)
        try:
            sys.excepthook(type(error), error, error.__traceback__)
        except BaseException:  # noqa: BLE001 - a report that fails must not leave the override either
            sys.__excepthook__(type(error), error, error.__traceback__)
    # A painter among the local variables stays active as long as the traceback holds it; then nothing else can be painted.
    traceback.clear_frames(error.__traceback__)


def _line_of(tb: TracebackType | None) -> int:
    """The line that raised."""
    line = 0
    while tb is not None:
        line, tb = tb.tb_lineno, tb.tb_next
    return line
