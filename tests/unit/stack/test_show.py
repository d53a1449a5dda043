"""What people read in a terminal."""

import io

from rich.console import Console

from stack.cli.show import TextOutput
from stack.target import Step, StepState


def test_a_figure_that_goes_up_is_no_line_of_its_own() -> None:
    text = io.StringIO()
    output = TextOutput(Console(file=text, width=200))
    waiting = [Step("a", "Operator", StepState.RUNNING, f"Waits: nothing stored for {s} s", s) for s in range(50)]
    output.steps(
        iter(
            [
                *waiting,
                Step("a", "Operator", StepState.RUNNING, "Waits for Kafka"),
                Step("a", "Operator", StepState.DONE, "Well."),
            ]
        )
    )
    lines = text.getvalue().splitlines()
    assert [line.split(": ", 1)[1] for line in lines] == ["Waits: nothing stored for 0 s", "Waits for Kafka", "Well. (0.0 s)"]
