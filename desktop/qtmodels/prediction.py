"""The predictor as the window sees it: its models, its trainings, how far scoring is; and what a user does with them."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.model.notifications import Notifications
from desktop.model.predictor.card import Models
from desktop.model.predictor.training import Scoring, Training
from desktop.model.predictor.words import outcome
from desktop.qtmodels.monitor import Monitor
from desktop.qtmodels.tasks import RunTask
from desktop.services.errors import ServiceError, UnreachableError
from desktop.settings import Settings
from stack.target import Endpoints

LOOK_MS: Final = 1000
#: Models change seldom: every so many looks, and after whatever may have changed them.
MODELS_EVERY: Final = 3
_PROMOTE_KEY: Final = "model/promote_after"


class PredictorApi(Protocol):
    """`desktop.services.predictor_client.PredictorClient`. Blocking; raises ServiceError."""

    def models(self) -> Models: ...
    def jobs(self) -> list[Training]: ...
    def train(self, *, start: float | None = None, end: float | None = None, sensors: Sequence[str] = ()) -> str: ...
    def cancel(self, job: str) -> Training: ...
    def promote(self, version: str) -> None: ...
    def roll_back(self) -> str: ...
    def delete(self, version: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Link:
    """What is asked, and how that is let go of.

    Attributes:
        api: The predictor.
        scoring: How far the scoring job is (blocking; raises ServiceError).
        close: Drops the connections.
    """

    api: PredictorApi
    scoring: Callable[[], Scoring | None]
    close: Callable[[], None]


MakeLink = Callable[[Endpoints], Link]


@dataclass(frozen=True, slots=True)
class _Seen:
    """One look; without models neither they nor the scoring were asked for."""

    trainings: list[Training]
    models: Models | None = None
    scoring: Scoring | None = None


class Prediction(QObject):
    """Lives on the GUI thread; asks off it, once a second while it is watched or a training is to be promoted.

    Attributes:
        models: As last told; None before the first answer.
        trainings: Since the predictor's start, the newest first.
        scoring: None where the scoring job never told.
        error: Why the last look failed, or None.
        doing: What is being done for the user right now: "promotes v3"; empty for nothing.

    Signals:
        changed(): any of these.
        failed(Exception): what the user asked for was refused.
        promoted(str): a version scores the stream from now on.
    """

    changed = Signal()
    failed = Signal(object)
    promoted = Signal(str)

    def __init__(
        self,
        *,
        monitor: Monitor,
        run_task: RunTask,
        settings: Settings,
        notifications: Notifications,
        make_link: MakeLink,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._monitor, self._run_task, self._settings = monitor, run_task, settings
        self._notifications, self._make_link = notifications, make_link
        self._link: Link | None = None
        self._building = threading.Lock()
        self._epoch = 0  # counts systems; an answer of an earlier one is dropped
        self._looking = False
        self._looks = 0
        self._newest = 0  # number of the look that counts; one that was overtaken is dropped
        self._watched = False
        self._forget()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)

    def _forget(self) -> None:
        self.models: Models | None = None
        self.trainings: list[Training] = []
        self.scoring: Scoring | None = None
        self.error: Exception | None = None
        self.doing = ""

    # What is known

    @property
    def running(self) -> Training | None:
        """The training that runs."""
        return next((t for t in self.trainings if t.running), None)

    @property
    def last(self) -> Training | None:
        """The training that began last."""
        return self.trainings[0] if self.trainings else None

    @property
    def promotes_after(self) -> str:
        """The job whose model is promoted where it is better; empty for none. Outlives the window."""
        return self._settings.text(_PROMOTE_KEY)

    # Life

    def watch(self, on: bool) -> None:
        """Whether somebody looks."""
        self._watched = on
        self._mind_timer()
        if on:
            self._looks = 0
            self.look()

    def attached(self) -> None:
        """Another system is there."""
        self._leave()
        self._mind_timer()
        if self._watched:
            self.look()

    def detached(self) -> None:
        """None is there."""
        self._leave()
        self._timer.stop()
        self.changed.emit()

    def close(self) -> None:
        """For good."""
        self._timer.stop()
        self._epoch += 1
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _leave(self) -> None:
        with self._building:  # or a link to this system is built after it was left
            self._epoch += 1
            link, self._link = self._link, None
        self._looking = False
        self._forget()
        if link is not None:
            self._run_task(link.close, lambda _: None, lambda _: None)

    def _mind_timer(self) -> None:
        if self._monitor.is_attached and (self._watched or self.promotes_after):
            self._timer.start()
        else:
            self._timer.stop()

    # Looking

    def look(self) -> None:
        """Ask now, unless an answer is awaited."""
        if self._looking or not self._monitor.is_attached:
            return
        self._looking = True
        full = self.models is None or self._looks % MODELS_EVERY == 0
        self._looks += 1
        self._newest += 1
        number = self._newest

        ended = {t.job for t in self.trainings if not t.running}

        epoch = self._epoch

        def ask() -> _Seen:
            link = self._connect(epoch)
            trainings = link.api.jobs()
            # What a training published is asked for with its end: said without its version it would be said wrongly.
            if full or any(not t.running and t.job not in ended for t in trainings):
                return _Seen(trainings, link.api.models(), _scoring(link))
            return _Seen(trainings)

        def saw(seen: _Seen) -> None:
            if number == self._newest:
                self._saw(seen)

        def failed(error: Exception) -> None:
            if number == self._newest:
                self._looking, self.error = False, error
                self.changed.emit()

        self._ask(ask, saw, failed)

    def _saw(self, seen: _Seen) -> None:
        self._looking = False
        self.error = None
        self.trainings = seen.trainings
        if seen.models is not None:
            self.models, self.scoring = seen.models, seen.scoring
        self.changed.emit()
        if seen.models is not None:
            self._promote_what_is_better()

    def _promote_what_is_better(self) -> None:
        job = self.promotes_after
        if not job or self.models is None:
            return
        training = next((t for t in self.trainings if t.job == job), None)
        if training is not None and training.running:
            return
        self._settings.set_text(_PROMOTE_KEY, "")
        self._mind_timer()
        if training is None:
            self._tell("The predictor restarted; the result of the training is unknown.")
            return
        version = self.models.get(training.result.version) if training.result is not None else None
        if version is not None and not version.promoted and version.card.beats_baselines:
            self.promote(version.version)
        else:
            self._tell(outcome(training, version).line.text)

    def _tell(self, text: str) -> None:
        if not self._watched:  # on the page it is seen
            self._notifications.info(text)

    # Doing

    def train(self, *, start: float | None, end: float | None, sensors: Sequence[str], promote: bool) -> None:
        """Begin a training; with `promote` its model is promoted if it beats every simple forecast."""

        def began(job: str) -> None:
            self._settings.set_text(_PROMOTE_KEY, job if promote else "")
            self._mind_timer()

        self._do("begins the training", lambda api: api.train(start=start, end=end, sensors=sensors), began)

    def cancel(self) -> None:
        """End the training that runs."""
        training = self.running
        if training is not None:
            self._do("cancels the training", lambda api: api.cancel(training.job), lambda _: None)

    def promote(self, version: str) -> None:
        """Score the stream with this version."""
        self._do(f"promotes {version}", lambda api: api.promote(version), lambda _: self._was_promoted(version))

    def roll_back(self) -> None:
        """Score the stream with what scored it before."""
        self._do("rolls back", lambda api: api.roll_back(), self._was_promoted)

    def delete(self, version: str) -> None:
        """Remove a version."""
        self._do(f"removes {version}", lambda api: api.delete(version), lambda _: None)

    def _was_promoted(self, version: str) -> None:
        self.promoted.emit(version)
        self._tell(f"Model {version} is promoted: the stream is scored with it within seconds.")

    def _do(self, doing: str, call: Callable[[PredictorApi], object], then: Callable[..., None]) -> None:
        if self.doing:
            return
        self.doing = doing
        self.changed.emit()

        def done(result: object) -> None:
            self.doing = ""
            then(result)
            self._looks, self._looking = 0, False
            self.look()
            self.changed.emit()

        def failed(error: Exception) -> None:
            self.doing = ""
            self.changed.emit()
            self.failed.emit(error)
            self._tell(str(error))

        epoch = self._epoch
        self._ask(lambda: call(self._connect(epoch).api), done, failed)

    # Asking

    def _connect(self, epoch: int) -> Link:
        """The link to the system of `epoch`; worker thread."""
        with self._building:
            if epoch != self._epoch:
                raise UnreachableError("This system was left", remedy="Go back to it and repeat the request.")
            if self._link is None:
                endpoints = self._monitor.endpoints
                if endpoints is None:
                    raise UnreachableError("Nothing runs", remedy="Deploy the system first.")
                if not endpoints.predictor:
                    raise UnreachableError(
                        "This system has no predictor", remedy="An earlier version deployed it: stop it and deploy it again."
                    )
                self._link = self._make_link(endpoints)
            return self._link

    def _ask(self, func: Callable[[], object], on_result: Callable[..., None], on_error: Callable[[Exception], None]) -> None:
        epoch = self._epoch

        def done(result: object) -> None:
            if epoch == self._epoch:
                on_result(result)

        def failed(error: Exception) -> None:
            if epoch == self._epoch:
                on_error(error)

        self._run_task(func, done, failed)


def _scoring(link: Link) -> Scoring | None:
    try:
        return link.scoring()
    except ServiceError:
        return None  # the predictor answers; what MongoDB does not tell is unknown
