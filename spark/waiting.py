"""Whether records wait for a job that ends no batch: the one sign of life that means that the job works."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from backend.contract.figures import plural
from spark.checkpoint import Position, TopicRange

#: Longer than any batch of a machine that keeps up, in seconds.
WAITED_S: Final = 60.0


class WaitWatch:
    """Compare one look with the last; kept over restarts of the query."""

    def __init__(self, *, limit_s: float = WAITED_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit_s, self._clock = limit_s, clock
        self._done: Mapping[int, int] | None = None
        self._since: float | None = None

    def look(self, position: Position | None, topic: TopicRange) -> str:
        """Return one sentence once records have waited too long; empty before, and while nothing waits."""
        done = position.done if position is not None else {}
        waiting = sum(max(0, end - done.get(p, topic.begin.get(p, 0))) for p, end in topic.end.items())
        now = self._clock()
        if not waiting:
            self._since = None
        elif self._since is None or done != self._done:
            self._since = now
        self._done = done
        waited_s = 0.0 if self._since is None else now - self._since
        if waited_s < self._limit_s:
            return ""
        have = "has" if waiting == 1 else "have"
        return f"{plural(waiting, 'record')} {have} waited for {waited_s:.0f} s and no batch has ended. See the log of the job."
