"""The monitor in the terminal: the model and feeds of the window, drawn with rich, or as plain lines without a terminal."""

from desktop.headless.monitor import run

__all__ = ["run"]
