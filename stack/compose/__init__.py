"""stack.yml and its overlays as Docker understands them, read and checked without Docker.

`load` fills in variables, validates each file (what is not known is refused: an old Docker may not know it either) and merges;
`problems` says what of the rules of this project the result breaks.
"""

from stack.compose.checks import problems
from stack.compose.load import OVERLAYS, STACK_FILE, ComposeError, interpolate, load
from stack.compose.models import Stack

__all__ = ["OVERLAYS", "STACK_FILE", "ComposeError", "Stack", "interpolate", "load", "problems"]
