"""Where the system may run, and going to another place while the window stays open."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from desktop.model.notifications import Notifications, describe
from desktop.qtmodels.deployment import Deployment
from desktop.qtmodels.monitor import Monitor
from desktop.qtmodels.tasks import RunTask
from desktop.services.switched_target import SwitchedTarget
from stack.choose import Option
from stack.target import Target


@dataclass(frozen=True, slots=True)
class PlaceSource:
    """What `Places` needs of the outside.

    Attributes:
        target: Given to everything else as its target.
        context: The Docker context of the target that it begins with, or None.
        find: What can be offered (blocking, bounded).
        make: The target of an option (blocking, bounded); raises StackError.
    """

    target: SwitchedTarget
    context: str | None
    find: Callable[[], list[Option]]
    make: Callable[[Option], Target]


class Places(QObject):
    """Lives on the GUI thread. Leaving a place leaves its system running.

    Attributes:
        options: What can be offered, the default first; empty until `look` was answered.

    Signals:
        changed(): other options, another place, or a choice that could not be carried out (see `trouble`).
    """

    changed = Signal()

    def __init__(
        self,
        *,
        source: PlaceSource | None,
        monitor: Monitor,
        deployment: Deployment,
        run_task: RunTask,
        notifications: Notifications,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._source = source
        self._monitor = monitor
        self._deployment = deployment
        self._run_task = run_task
        self._notifications = notifications
        self._here = (source.target.name, source.context) if source is not None else ("", None)
        self._looking = False
        self.options: list[Option] = []
        self.trouble = ""
        self.moving: Option | None = None

    @property
    def current(self) -> Option | None:
        """The option that is in force; None before `look` was answered."""
        return next((o for o in self.options if (o.kind, o.context) == self._here), None)

    def look(self) -> None:
        """Find out what can be offered."""
        source = self._source
        if source is None or self._looking:
            return
        self._looking = True

        def done(options: list[Option]) -> None:
            self._looking = False
            if options != self.options:
                self.options = options
                self._name_it()
                self.changed.emit()

        def failed(error: Exception) -> None:
            self._looking = False
            self.trouble = f"Could not list other targets: {describe(error)}"
            self.changed.emit()

        self._run_task(source.find, done, failed)

    def choose(self, option: Option) -> None:
        """Go there. Does nothing while something is deployed or taken down."""
        source = self._source
        if source is None or self._deployment.busy or self.moving is not None or (option.kind, option.context) == self._here:
            self.changed.emit()  # a radio button that was pressed shows again what holds
            return
        self.moving, self.trouble = option, ""
        self.changed.emit()

        def done(target: Target) -> None:
            self.moving = None
            if self._deployment.busy:  # begun in the meantime
                self.changed.emit()
                return
            left = self.current
            if self._monitor.is_attached and left is not None:
                self._notifications.info(f"The system on {in_a_sentence(left.label)} keeps running.")
            source.target.current = target
            self._here = (option.kind, option.context)
            self._monitor.leave()
            self._name_it()
            self._deployment.retarget()
            self.changed.emit()

        def failed(error: Exception) -> None:
            self.moving = None
            self.trouble = f"{option.label} cannot be used. {describe(error)}"
            self.changed.emit()

        self._run_task(lambda: source.make(option), done, failed)

    def _name_it(self) -> None:
        current = self.current
        if current is not None:
            self._monitor.set_where(current.label)


def in_a_sentence(place: str) -> str:
    """``This machine`` → ``this machine``; names stay as they are."""
    return place[0].lower() + place[1:] if place.startswith("This ") else place
