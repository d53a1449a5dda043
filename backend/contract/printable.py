"""Printable characters, by one list that is the same in every language and interpreter.

`str.isprintable` goes by the interpreter's Unicode version and refuses an emoji that is newer than it. The list here is that of
tests/conformance/nonprintable.txt: Unicode 15.1's Cc, Cf, Cs, Co, Zl, Zp and Zs except U+0020, and the noncharacters.
"""

import re
from typing import Final

#: Inclusive ranges of code points.
NON_PRINTABLE: Final[tuple[tuple[int, int], ...]] = (
    (0x0000, 0x001F),
    (0x007F, 0x00A0),
    (0x00AD, 0x00AD),
    (0x0600, 0x0605),
    (0x061C, 0x061C),
    (0x06DD, 0x06DD),
    (0x070F, 0x070F),
    (0x0890, 0x0891),
    (0x08E2, 0x08E2),
    (0x1680, 0x1680),
    (0x180E, 0x180E),
    (0x2000, 0x200F),
    (0x2028, 0x202F),
    (0x205F, 0x2064),
    (0x2066, 0x206F),
    (0x3000, 0x3000),
    (0xD800, 0xF8FF),
    (0xFDD0, 0xFDEF),
    (0xFEFF, 0xFEFF),
    (0xFFF9, 0xFFFB),
    (0xFFFE, 0xFFFF),
    (0x110BD, 0x110BD),
    (0x110CD, 0x110CD),
    (0x13430, 0x1343F),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0x1FFFE, 0x1FFFF),
    (0x2FFFE, 0x2FFFF),
    (0x3FFFE, 0x3FFFF),
    (0x4FFFE, 0x4FFFF),
    (0x5FFFE, 0x5FFFF),
    (0x6FFFE, 0x6FFFF),
    (0x7FFFE, 0x7FFFF),
    (0x8FFFE, 0x8FFFF),
    (0x9FFFE, 0x9FFFF),
    (0xAFFFE, 0xAFFFF),
    (0xBFFFE, 0xBFFFF),
    (0xCFFFE, 0xCFFFF),
    (0xDFFFE, 0xDFFFF),
    (0xE0001, 0xE0001),
    (0xE0020, 0xE007F),
    (0xEFFFE, 0x10FFFF),
)

_FIND: Final = re.compile("[" + "".join(f"\\U{first:08X}-\\U{last:08X}" for first, last in NON_PRINTABLE) + "]")
_BREAKS: Final = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]")


def is_printable(text: str) -> bool:
    """Whether `text` contains no character of `NON_PRINTABLE`. True for an empty one."""
    # For ASCII the two agree, and this one is several times faster.
    return text.isprintable() if text.isascii() else _FIND.search(text) is None


def on_one_line(text: str) -> str:
    """The text with control characters and line separators as escapes: a path may hold a line feed, a message may not."""
    return _BREAKS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
