"""`build` of the local target: fetch and compile ahead what `up` needs or is quicker with."""

import queue
import threading
from collections.abc import Callable, Iterator

from stack import mongo
from stack.board import StepBoard
from stack.errors import StackError
from stack.jars import resolve
from stack.target import Step

#: Called with (done, total, one sentence).
Progress = Callable[[int, int, str], None]


def build(*, cancel: threading.Event | None = None) -> Iterator[Step]:
    """Fetch the JVM artifacts; compile the Rust build of the embedded database where that can be done and is of use."""
    board, wants_rs = StepBoard(), mongo.choose().kind == "secantusd-py" and mongo.may_build()
    board.add("jars", "Kafka, Connect and Spark parts")
    if wants_rs:
        board.add("mongodb", "SecantusDB, Rust build")
    yield from _step(board, "jars", lambda progress: resolve(on_progress=progress, cancel=cancel))
    if wants_rs:
        yield from _step(board, "mongodb", lambda progress: mongo.build_rs(progress, cancel))


def _step(board: StepBoard, key: str, work: Callable[[Progress], object]) -> Iterator[Step]:
    """Works in a thread, so that its progress can be yielded from here. `work` bounds its own waits."""
    news: queue.SimpleQueue[tuple[int, int, str] | None] = queue.SimpleQueue()
    failure: list[StackError] = []

    def run() -> None:
        try:
            work(lambda done, total, text: news.put((done, total, text)))
        except StackError as error:
            failure.append(error)
        finally:
            news.put(None)

    yield board.begin(key, "Looks for it in the cache.")
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
