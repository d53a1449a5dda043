"""`build` of the local target: fetch and build ahead what `up` needs."""

from collections.abc import Iterator

from stack.errors import StackError
from stack.jars import resolve
from stack.local.board import StepBoard
from stack.target import Step


def build() -> Iterator[Step]:
    """Fetch the JVM artifacts."""
    board = StepBoard()
    board.add("jars", "Kafka, Connect and Spark parts")
    yield board.begin("jars", "Looks for them in the cache.")
    try:
        jars = resolve(on_progress=lambda _done, _total, _text: None, cancel=None)
    except StackError as error:
        yield board.failed("jars", str(error))
        raise
    yield board.done("jars", f"In {jars.kafka.parent}")
