"""Text from outside is shown as it is."""

import pytest

from desktop.model.plain_text import TIP_COLUMNS, breakable, button_text, tool_tip, unbroken


@pytest.mark.parametrize("text", ["", "thermostat-00001", "two\nlines", "x" * TIP_COLUMNS])
def test_an_ordinary_tooltip_stays_as_it_is(text: str) -> None:
    assert tool_tip(text) == text


def test_markup_in_a_tooltip_is_escaped() -> None:
    assert tool_tip("<b>x</b>") == '<p style="white-space:pre">&lt;b&gt;x&lt;/b&gt;</p>'
    assert tool_tip("a&b\n<i>") == '<p style="white-space:pre">a&amp;b<br>&lt;i&gt;</p>'


def test_a_long_tooltip_is_wrapped() -> None:
    shown = tool_tip("W" * 128 + "\n" + "word " * 30)
    lines = shown.removeprefix('<p style="white-space:pre">').removesuffix("</p>").split("<br>")
    assert max(map(len, lines)) <= TIP_COLUMNS
    assert "".join(lines[:3]) == "W" * 128
    assert "".join(lines[3:]) == "word " * 30


def test_ampersands_of_a_button_are_doubled() -> None:
    assert button_text("a&b && c") == "a&&b &&&& c"


def test_a_long_word_can_be_broken_and_is_the_same_again() -> None:
    text = "id " + "W" * 128 + " is silent"
    assert "W" * 25 not in breakable(text)
    assert unbroken(breakable(text)) == text
    assert breakable("a sentence of words") == "a sentence of words"
