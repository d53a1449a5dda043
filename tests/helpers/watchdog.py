"""Measures how long the GUI thread kept its event loop waiting."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Qt, QTimer

_BEAT_MS = 1


@dataclass(slots=True)
class Watch:
    """Seconds between two beats of the event loop.

    Attributes:
        wall: By the clock: what a user feels; longer where other processes take the processor.
        cpu: Of this thread's own processor time: what the program itself is to blame for.
    """

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def longest_ms(self) -> float:
        """The longest pause by the clock."""
        return max(self.wall, default=0.0) * 1000

    @property
    def longest_cpu_ms(self) -> float:
        """The longest pause of this thread's own making."""
        return max(self.cpu, default=0.0) * 1000


@contextmanager
def watching(parent: QObject | None = None) -> Iterator[Watch]:
    """Watch this thread's event loop, which must run in the meantime."""
    watch = Watch()
    last = [time.perf_counter(), time.thread_time()]

    def beat() -> None:
        wall, cpu = time.perf_counter(), time.thread_time()
        watch.wall.append(wall - last[0])
        watch.cpu.append(cpu - last[1])
        last[:] = [wall, cpu]

    timer = QTimer(parent)
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(beat)
    timer.start(_BEAT_MS)
    try:
        yield watch
    finally:
        beat()
        timer.stop()
        timer.deleteLater()
