"""A deployment in the terminal: a table of steps that follows them, or one line each without a terminal."""

import threading

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from desktop.model.figures import elapsed
from stack.errors import StackError
from stack.target import Step, StepState, Target

_SIGNS = {
    StepState.PENDING: ("○", "bright_black"),
    StepState.RUNNING: ("◐", "yellow"),
    StepState.DONE: ("●", "green"),
    StepState.FAILED: ("✕", "red"),
}


def steps_table(steps: dict[str, Step]) -> RenderableType:
    """All steps so far."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for step in steps.values():
        mark, colour = _SIGNS[step.state]
        took = elapsed(step.elapsed_s) if step.state is not StepState.PENDING else ""
        table.add_row(Text(mark, style=colour), Text(step.title), Text(took, style="bright_black"), Text(step.detail))
    return table


def step_line(step: Step) -> str:
    """One step for a log."""
    detail = f": {step.detail}" if step.detail else ""
    return f"[{step.index + 1}/{step.total}] {step.title} {step.state.value} ({elapsed(step.elapsed_s)}){detail}"


def deploy(target: Target, console: Console, *, cancel: threading.Event) -> bool:
    """Bring the system up and show it. False when it failed; the reason was printed then."""
    plan = target.plan()
    console.print(f"Deploying to {plan.where} ({plan.reason}).", highlight=False, markup=False)
    steps: dict[str, Step] = {}
    try:
        if console.is_terminal:
            with Live(steps_table(steps), console=console, refresh_per_second=4) as live:
                for step in target.up(cancel=cancel):
                    steps[step.key] = step
                    live.update(steps_table(steps))
        else:
            said: dict[str, StepState] = {}
            for step in target.up(cancel=cancel):
                if said.get(step.key) is not step.state and step.state is not StepState.PENDING:
                    said[step.key] = step.state
                    console.print(step_line(step), highlight=False, markup=False, soft_wrap=True)
    except StackError as error:
        console.print(f"It was not brought up. {error}", style="red", highlight=False, markup=False, soft_wrap=True)
        return False
    return True
