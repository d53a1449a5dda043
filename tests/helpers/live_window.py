"""Parts of the window without the window: what its feed takes in, and a thread to run them on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from desktop.model.readings import ReadingBatch


class Chart:
    """What the window's feed takes in.

    Attributes:
        ids: Device of each reading.
        lag: Records that it has not read.
    """

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.lag = -1

    def ingest(self, batch: ReadingBatch) -> None:
        self.ids += batch.device_ids

    def note_lag(self, records: int) -> None:
        self.lag = records


@contextmanager
def running(part: Any) -> Iterator[None]:
    """Run a part of the window on a thread of its own."""
    stop = threading.Event()
    thread = threading.Thread(target=part.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
