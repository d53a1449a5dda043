"""Runs one step's work in a thread, so that its progress can be yielded as `Step`s."""

import queue
import threading
from collections.abc import Callable, Iterator

from stack.board import StepBoard
from stack.target import Step

#: Called with (done, total, one sentence); (0, 0) while the total is not known.
Progress = Callable[[int, int, str], None]


def run_step(
    board: StepBoard, key: str, work: Callable[[Progress], object], *, begins: str = "Looks for it in the cache."
) -> Iterator[Step]:
    """Carry out `work`, which bounds its own waits; yields the step's news. What it said last stands as the result.

    Raises:
        Whatever `work` raises, after the failed step was yielded.
    """
    news: queue.SimpleQueue[tuple[int, int, str] | None] = queue.SimpleQueue()
    failure: list[Exception] = []

    def run() -> None:
        try:
            work(lambda done, total, text: news.put((done, total, text)))
        except Exception as error:  # noqa: BLE001  # raised again by whoever reads the steps
            failure.append(error)
        finally:
            news.put(None)

    yield board.begin(key, begins)
    thread = threading.Thread(target=run, name=key, daemon=True)
    thread.start()
    last = "Already there."
    while (item := news.get()) is not None:
        done, total, last = item
        if step := board.update(key, last, done / total if total else None):
            yield step
    thread.join()
    if failure:
        yield board.failed(key, str(failure[0]))
        raise failure[0]
    yield board.done(key, last)
