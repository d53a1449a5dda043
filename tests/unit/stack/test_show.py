"""What people read in a terminal."""

import io
import json

import pytest
from rich.console import Console

from stack.cli.show import JsonOutput, TextOutput
from stack.target import ServiceStatus, Step, StepState


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


def test_what_was_stopped_is_told_from_what_ended_by_itself() -> None:
    text = io.StringIO()
    rows = [
        ServiceStatus("paai", 3, 0, False, 0, "Stopped.", stopped=True),
        ServiceStatus("spark-predict", 1, 0, False, 2, "It exited with code 1."),
        ServiceStatus("connect", 1, 1, False, 0, "It does not answer."),
    ]
    TextOutput(Console(file=text, width=200)).status(rows)
    states = {line.split()[0]: line.split()[1] for line in text.getvalue().splitlines()[1:]}
    assert states == {"paai": "stopped", "spark-predict": "ended", "connect": "unhealthy"}


def test_the_note_of_a_healthy_service_is_shown_and_its_message_stays_empty(capsys: pytest.CaptureFixture[str]) -> None:
    row = ServiceStatus("spark-predict", 1, 1, True, 0, "", note="No model promoted")
    text = io.StringIO()
    TextOutput(Console(file=text, width=200)).status([row])
    line = text.getvalue().splitlines()[1]
    assert line.split()[1] == "healthy"
    assert line.rstrip().endswith("No model promoted")
    JsonOutput().status([row])
    (shown,) = json.loads(capsys.readouterr().out)
    promised = ("service", "wanted", "running", "healthy", "restarts", "message", "note")
    assert [shown[key] for key in promised] == ["spark-predict", 1, 1, True, 0, "", "No model promoted"]
