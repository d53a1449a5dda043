"""One list of characters that are not printable, whatever the interpreter knows of Unicode."""

import unicodedata

import pytest

from backend.contract.printable import NON_PRINTABLE, is_printable
from tests.conformance.vectors import FOLDER


def test_the_list_is_that_of_the_conformance_folder() -> None:
    lines = (FOLDER / "nonprintable.txt").read_text(encoding="ascii").splitlines()
    ranges = [tuple(int(part, 16) for part in line.split("-")) for line in lines if not line.startswith("#")]

    assert list(NON_PRINTABLE) == ranges


def test_it_holds_what_its_categories_say() -> None:
    listed = {code for first, last in NON_PRINTABLE for code in range(first, last + 1)}
    for code in range(0x110000):
        category = unicodedata.category(chr(code))
        noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
        # Unassigned for this interpreter: it may have been assigned since.
        if category != "Cn" or noncharacter:
            expected = noncharacter or (category in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs") and code != 0x20)
            assert (code in listed) == expected, f"U+{code:04X}"


@pytest.mark.parametrize("text", ["", "b-1", "ü ☀\ufe0f", "\U0001fae8", "\U0003fff0"])
def test_printable(text: str) -> None:
    assert is_printable(text)


@pytest.mark.parametrize("text", ["a\n", "\x7f", "\u2028", "x\u200d", "\ud800", "\U000f0000", "\ufffe"])
def test_not_printable(text: str) -> None:
    assert not is_printable(text)
