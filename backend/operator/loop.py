"""Runs the keepers side by side and says in the state file how all stands."""

import logging
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.common.state import write_state
from backend.operator.keeper import Finding, Keeper

log = logging.getLogger("kafka-operator")

_FIGURES = re.compile(r"\d+")
_STARTING = Finding(False, "starts", waiting=True)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a keeper steps.

    Attributes:
        converge_s: Pause while something is not as wanted.
        steady_s: Pause while all is as wanted.
        counts: Whether its findings decide about the service's health.
    """

    converge_s: float
    steady_s: float
    counts: bool = True


class Loop:
    """One thread a keeper; the caller's thread writes the state file.

    A keeper that raises is a mistake in this program: it is logged with its traceback, said in the state file, and the
    keeper steps again.
    """

    def __init__(self, *, keepers: Sequence[tuple[Keeper, Pace]], state_file: Path, report_s: float = 2.0) -> None:
        self._keepers = tuple(keepers)
        self._state_file, self._report_s = state_file, report_s
        self._findings: dict[str, Finding] = {keeper.name: _STARTING for keeper, pace in keepers if pace.counts}
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self.stop = threading.Event()

    def converged(self, *names: str) -> bool:
        """Whether the keepers of these names found all as wanted at their last step."""
        with self._lock:
            return all(self._findings[name].converged for name in names)

    def message(self) -> str:
        """One sentence: what is wrong comes before what is waited for."""
        with self._lock:
            open_ones = [(name, f) for name, f in self._findings.items() if f.message]
        wrong = [f.message for _, f in open_ones if not f.waiting]
        waits = [f.message for _, f in open_ones if f.waiting]
        return "; ".join(dict.fromkeys(wrong + waits))

    def run(self) -> None:
        """Until `stop` is set. Returns within about two seconds of that."""
        threads = [
            threading.Thread(target=self._keep, args=(keeper, pace), name=keeper.name, daemon=True)
            for keeper, pace in self._keepers
        ]
        for thread in threads:
            thread.start()
        last = ""
        while not self.stop.is_set():
            ok, message = self.converged(*self._findings), self.message()
            # A figure that goes up is no news.
            if (shape := _FIGURES.sub("#", message)) != last:
                log.info("%s", message or "all as wanted")
                last = shape
            self._report(ok=ok, message=message)
            self._changed.wait(self._report_s)
            self._changed.clear()
        for thread in threads:
            thread.join(timeout=0.5)  # a call that hangs dies with the process
        self._report(ok=False, message="stopped")

    def request_stop(self) -> None:
        """Let `run` return. May be called from a signal handler."""
        self.stop.set()
        self._changed.set()

    def _report(self, *, ok: bool, message: str) -> None:
        try:
            write_state(self._state_file, ok=ok, message=message)
        except OSError as error:
            log.error("the state file %s cannot be written: %s", self._state_file, error.strerror or error)  # noqa: TRY400

    def _keep(self, keeper: Keeper, pace: Pace) -> None:
        while not self.stop.is_set():
            try:
                finding = keeper.step()
            except Exception:
                log.exception("%s: unexpected error; it goes on", keeper.name)
                finding = Finding(False, f"the operator's part for {keeper.name} failed unexpectedly; its log tells more")
            if pace.counts:
                with self._lock:
                    changed = self._findings[keeper.name] != finding
                    self._findings[keeper.name] = finding
                if changed:
                    self._changed.set()
            self.stop.wait(pace.steady_s if finding.converged else pace.converge_s)
        keeper.close()
