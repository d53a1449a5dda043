"""`build` of the local target: fetch and compile ahead what `up` needs or is quicker with."""

import threading
from collections.abc import Iterator

from stack import mongo
from stack.board import StepBoard
from stack.jars.own_jar import prepare
from stack.target import Step
from stack.working import run_step


def build(*, cancel: threading.Event | None = None) -> Iterator[Step]:
    """Fetch the JVM artifacts; compile the Rust build of the embedded database where that can be done and is of use."""
    board, wants_rs = StepBoard(), mongo.choose().kind == "secantusd-py" and mongo.may_build()
    board.add("jars", "Kafka, Connect and Spark parts")
    if wants_rs:
        board.add("mongodb", "SecantusDB, Rust build")
    yield from run_step(board, "jars", lambda progress: prepare(on_progress=progress, cancel=cancel))
    if wants_rs:
        yield from run_step(board, "mongodb", lambda progress: mongo.build_rs(progress, cancel))
