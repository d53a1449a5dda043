"""The steps of one run of either target, kept current and handed out as immutable `Step`s."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stack.target import Step, StepState


@dataclass(slots=True)
class _Entry:
    key: str
    title: str
    service: str | None
    state: StepState = StepState.PENDING
    detail: str = ""
    progress: float | None = None
    begun: float | None = None
    ended: float | None = None


class StepBoard:
    """Owned by the thread that runs the steps."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._by_key: dict[str, _Entry] = {}

    def add(self, key: str, title: str, *, service: str | None = None) -> None:
        """Announce a step. All are announced before the first begins."""
        entry = _Entry(key, title, service)
        self._entries.append(entry)
        self._by_key[key] = entry

    def all(self) -> list[Step]:
        """Every step as it is now."""
        return [self._step(entry) for entry in self._entries]

    def begin(self, key: str, detail: str = "") -> Step:
        """The step's clock starts now."""
        entry = self._by_key[key]
        entry.state, entry.detail, entry.begun, entry.ended = StepState.RUNNING, detail, time.monotonic(), None
        return self._step(entry)

    def update(self, key: str, detail: str, progress: float | None = None) -> Step | None:
        """A running step's news; None when nothing changed."""
        entry = self._by_key[key]
        if (entry.detail, entry.progress) == (detail, progress):
            return None
        entry.detail, entry.progress = detail, progress
        return self._step(entry)

    def follow(self, key: str, sentences: Iterable[str]) -> Iterator[Step]:
        """The step from its begin to its end: its news, and last the result."""
        yield self.begin(key)
        detail = ""
        for detail in sentences:
            if step := self.update(key, detail):
                yield step
        yield self.done(key, detail)

    def done(self, key: str, detail: str = "") -> Step:
        """The step has succeeded."""
        return self._end(key, StepState.DONE, detail)

    def failed(self, key: str, detail: str) -> Step:
        """The step has failed."""
        return self._end(key, StepState.FAILED, detail)

    def has(self, key: str) -> bool:
        """Whether there is such a step."""
        return key in self._by_key

    def running(self) -> list[str]:
        """Keys of the steps that have begun and not ended."""
        return [entry.key for entry in self._entries if entry.state is StepState.RUNNING]

    def is_running(self, key: str) -> bool:
        """Whether the step has begun and not ended."""
        return self._by_key[key].state is StepState.RUNNING

    def elapsed_s(self, key: str) -> float:
        """Seconds since the step began."""
        entry = self._by_key[key]
        return 0.0 if entry.begun is None else (entry.ended or time.monotonic()) - entry.begun

    def _end(self, key: str, state: StepState, detail: str) -> Step:
        entry = self._by_key[key]
        now = time.monotonic()
        entry.state, entry.detail, entry.ended = state, detail, now
        entry.begun = now if entry.begun is None else entry.begun
        entry.progress = 1.0 if state is StepState.DONE else entry.progress
        return self._step(entry)

    def _step(self, entry: _Entry) -> Step:
        return Step(
            key=entry.key,
            title=entry.title,
            state=entry.state,
            detail=entry.detail,
            elapsed_s=round(self.elapsed_s(entry.key), 2),
            service=entry.service,
            progress=entry.progress,
            index=self._entries.index(entry),
            total=len(self._entries),
        )
