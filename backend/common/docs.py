"""The page behind ``/docs``: draws ``/openapi.json`` with what stands in the page itself, so it needs no internet."""

from pathlib import Path
from typing import Final

_PAGE: Final = Path(__file__).with_name("docs_page.html")


def docs_page() -> str:
    """The HTML of the page."""
    return _PAGE.read_text(encoding="utf-8")
