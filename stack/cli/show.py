"""Output of the command line: a live table on a terminal, plain lines into a pipe, JSON for programs."""

import contextlib
import dataclasses
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from stack.target import Check, Endpoints, HistoryEntry, Plan, ServiceStatus, Step, StepState

_FIGURES = re.compile(r"\d+")
_MARKS = {StepState.PENDING: "·", StepState.RUNNING: "→", StepState.DONE: "✓", StepState.FAILED: "✗"}
_STYLES = {StepState.PENDING: "dim", StepState.RUNNING: "cyan", StepState.DONE: "green", StepState.FAILED: "red"}
_REDRAWS_PER_S = 8
_PIPE_COLUMNS = 1000


class Output(Protocol):
    """Where results go."""

    def plan(self, plan: Plan) -> None:
        """What will be done, where and why."""
        ...

    def steps(self, steps: Iterator[Step]) -> None:
        """Run the steps and show them as they change. Exceptions pass through."""
        ...

    def status(self, rows: Sequence[ServiceStatus]) -> None:
        """One row a service."""
        ...

    def checks(self, checks: Sequence[Check]) -> None:
        """Findings of the preflight."""
        ...

    def endpoints(self, endpoints: Endpoints) -> None:
        """Addresses."""
        ...

    def history(self, entries: Sequence[HistoryEntry]) -> None:
        """What became of replicas."""
        ...

    def error(self, text: str) -> None:
        """Why the command failed."""
        ...


class JsonOutput:
    """One JSON document, or one line a step."""

    def plan(self, plan: Plan) -> None:
        """Nothing: steps follow, one a line."""

    def steps(self, steps: Iterator[Step]) -> None:
        """See `Output`."""
        for step in steps:
            _print(dataclasses.asdict(step))

    def status(self, rows: Sequence[ServiceStatus]) -> None:
        """See `Output`."""
        _print([dataclasses.asdict(row) | {"since": row.since.isoformat() if row.since else None} for row in rows])

    def checks(self, checks: Sequence[Check]) -> None:
        """See `Output`."""
        _print([dataclasses.asdict(check) for check in checks])

    def endpoints(self, endpoints: Endpoints) -> None:
        """See `Output`."""
        _print(dataclasses.asdict(endpoints))

    def history(self, entries: Sequence[HistoryEntry]) -> None:
        """See `Output`."""
        _print([dataclasses.asdict(entry) | {"at": entry.at.isoformat()} for entry in entries])

    def error(self, text: str) -> None:
        """To stderr, so that stdout stays what was promised."""
        sys.stderr.write(json.dumps({"error": text}, ensure_ascii=False) + "\n")


class TextOutput:
    """For people. Colours and redrawing only on a terminal."""

    def __init__(self, console: Console | None = None, *, errors: Console | None = None) -> None:
        # Into a pipe or a file a row stays one line, whatever its length.
        width = None if sys.stdout.isatty() else _PIPE_COLUMNS
        self._console = console or Console(highlight=False, no_color=bool(os.environ.get("NO_COLOR")), width=width)
        self._errors = errors or Console(stderr=True, highlight=False)

    def plan(self, plan: Plan) -> None:
        """See `Output`."""
        self._console.print(f"{plan.where} ({plan.target}): {plan.reason}")
        for item in plan.items:
            if item.why:
                self._console.print(f"{item.service}: {item.how}. {item.why}", markup=False)

    def steps(self, steps: Iterator[Step]) -> None:
        """See `Output`."""
        if self._console.is_terminal:
            self._live(steps)
        else:
            self._lines(steps)

    def _live(self, steps: Iterator[Step]) -> None:
        known: dict[str, tuple[Step, float]] = {}
        live = Live(
            console=self._console, refresh_per_second=_REDRAWS_PER_S, get_renderable=lambda: _step_table(known), transient=False
        )
        with live:
            for step in steps:
                known[step.key] = (step, time.monotonic())

    def _lines(self, steps: Iterator[Step]) -> None:
        """A line when a step begins, ends or waits for something else; a figure that goes up is nothing else."""
        shapes: dict[str, tuple[StepState, str]] = {}
        for step in steps:
            shape = (step.state, _FIGURES.sub("#", step.detail))
            if shapes.get(step.key) == shape:
                continue
            shapes[step.key] = shape
            if step.state is not StepState.PENDING and (step.detail or step.state is not StepState.RUNNING):
                elapsed = f" ({step.elapsed_s:.1f} s)" if step.state is not StepState.RUNNING else ""
                self._console.print(f"{_MARKS[step.state]} {step.title}: {step.detail}{elapsed}", markup=False, soft_wrap=True)

    def status(self, rows: Sequence[ServiceStatus]) -> None:
        """See `Output`."""
        table = Table(box=None, pad_edge=False)
        for header in ("service", "state", "replicas", "restarts", "memory", "message"):
            table.add_column(header, justify="right" if header in {"replicas", "restarts", "memory"} else "left")
        for row in rows:
            state = _state(row)
            memory = f"{row.memory_bytes / 1024**2:.0f} MiB" if row.memory_bytes else ""
            table.add_row(
                row.service,
                state,
                f"{row.running}/{row.wanted}",
                str(row.restarts),
                memory,
                Text(" ".join(filter(None, (row.message, row.note, row.update))), overflow="fold"),
            )
        self._console.print(table)

    def checks(self, checks: Sequence[Check]) -> None:
        """See `Output`."""
        for check in checks:
            mark = Text("✓", "green") if check.ok else Text("✗", "red")
            self._console.print(mark, Text(f"{check.name}: {check.detail}"), soft_wrap=True)
            if not check.ok and check.remedy:
                self._console.print(Text(f"    {check.remedy}"), soft_wrap=True)

    def endpoints(self, endpoints: Endpoints) -> None:
        """See `Output`."""
        for name, value in dataclasses.asdict(endpoints).items():
            if value:
                self._console.print(f"{name:<15}{value}", markup=False, soft_wrap=True)

    def history(self, entries: Sequence[HistoryEntry]) -> None:
        """See `Output`."""
        if not entries:
            self._console.print("No attempts recorded.")
        for entry in entries:
            where = f" on {entry.node}" if entry.node else ""
            line = f"{entry.at:%Y-%m-%d %H:%M:%S} replica {entry.replica}{where}: {entry.state}. {entry.message}"
            self._console.print(line.rstrip(), markup=False, soft_wrap=True)

    def error(self, text: str) -> None:
        """See `Output`."""
        self._errors.print(Text(text), style="red", soft_wrap=True)


def _state(row: ServiceStatus) -> Text:
    if row.healthy:
        return Text("healthy", "green")
    if row.stopped:  # as somebody wanted it
        return Text("stopped", "dim")
    return Text("unhealthy" if row.running else "ended", "red")


def _step_table(known: dict[str, tuple[Step, float]]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(width=1)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="ellipsis")
    for step, seen in sorted(known.values(), key=lambda pair: pair[0].index):
        elapsed = step.elapsed_s + (time.monotonic() - seen if step.state is StepState.RUNNING else 0.0)
        style = _STYLES[step.state]
        percent = f"{step.progress:.0%} " if step.progress is not None and step.state is StepState.RUNNING else ""
        table.add_row(
            Text(_MARKS[step.state], style),
            Text(step.title, style if step.state is not StepState.DONE else ""),
            Text("" if step.state is StepState.PENDING else f"{elapsed:.1f} s", "dim"),
            Text(percent + step.detail, "dim" if step.state is StepState.DONE else ""),
        )
    return table


def _print(value: Any) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(value, ensure_ascii=False), flush=True)  # noqa: T201
