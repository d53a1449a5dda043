"""Whether the system of a data directory shall run, kept there: so that an end nobody asked for can be told from `down`."""

from stack.local import jsonfile
from stack.local.layout import Layout

_KEY = "up"


def remember_up(layout: Layout) -> None:
    """It was brought up."""
    jsonfile.write(layout.instance_file, {**jsonfile.read(layout.instance_file), _KEY: True})


def remember_down(layout: Layout) -> None:
    """It was asked to end. Writes nothing where it was never brought up."""
    if shall_run(layout):
        jsonfile.write(layout.instance_file, {**jsonfile.read(layout.instance_file), _KEY: False})


def shall_run(layout: Layout) -> bool:
    """Whether it was brought up and nobody has taken it down since."""
    return jsonfile.read(layout.instance_file).get(_KEY) is True
