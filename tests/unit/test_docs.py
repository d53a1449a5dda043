"""What the documents say exists: commands parse, targets and files are there."""

import re
import shlex
from pathlib import Path

import pytest

from stack.cli.arguments import parse

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(text: str) -> list[str]:
    """Every command line in code blocks and code spans, without its comment."""
    blocks = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in [*lines, *re.findall(r"`([^`\n]+)`", text)] if line]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_exist(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {
        match for command in commands(document.read_text(encoding="utf-8")) for match in re.findall(r"^make ([a-z-]+)", command)
    }
    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_stack_commands_parse(document: Path) -> None:
    for command in commands(document.read_text(encoding="utf-8")):
        found = re.match(r"(?:\.venv/bin/)?python -m stack (.+)", command)
        if found and not re.search(r"[A-Z]{4,}|…", found[1]):
            parse(shlex.split(found[1]))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_linked_files_exist(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)\)", document.read_text(encoding="utf-8"))
    missing = [link for link in links if not link.startswith("http") and not (document.parent / link).exists()]
    assert not missing
