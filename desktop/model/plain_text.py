"""Text from outside, such as device ids, for places that would read it as markup. No Qt.

Qt takes a tooltip with ``<`` or ``&`` for HTML, ``&`` in the text of a button or menu for an underline, and breaks a line only
at spaces. Labels of the window are plain text (`views.widgets.roles.label`) and need none of this.
"""

import html
import re
import textwrap
from typing import Final

#: Of 11 px text, the widest letters included, so many fit the smallest window.
TIP_COLUMNS: Final = 60
#: A longer word may have to be broken to fit a toast.
_LONG_WORD: Final = re.compile(r"[^\s\u200b]{24}(?=[^\s\u200b])")
_BREAK: Final = "\u200b"


def tool_tip(text: str) -> str:
    """Return what a tooltip shows as literally `text`, in lines of at most `TIP_COLUMNS` characters."""
    lines = text.split("\n")
    if not ({"<", "&"} & set(text)) and all(len(line) <= TIP_COLUMNS for line in lines):
        return text
    wrapped = [part for line in lines for part in _wrap(line) or [""]]
    return f'<p style="white-space:pre">{"<br>".join(html.escape(line) for line in wrapped)}</p>'


def button_text(text: str) -> str:
    """Return what a button, a check box or a menu entry shows as literally `text`."""
    return text.replace("&", "&&")


def breakable(text: str) -> str:
    """Return `text` with invisible places in its long words at which a line may end."""
    return _LONG_WORD.sub(lambda found: found.group() + _BREAK, text)


def unbroken(text: str) -> str:
    """Return what `breakable` was given."""
    return text.replace(_BREAK, "")


def _wrap(line: str) -> list[str]:
    if len(line) <= TIP_COLUMNS:
        return [line]
    return textwrap.wrap(
        line, TIP_COLUMNS, break_on_hyphens=False, replace_whitespace=False, expand_tabs=False, drop_whitespace=False
    )
