"""Folders with any names: what Java and supervisord read back is what was meant."""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from supervisor.options import ServerOptions

from stack.cli.arguments import parse
from stack.cli.run import run
from stack.errors import PreflightError
from stack.java import find_java
from stack.jvm import command, kafka
from stack.local import supervisord
from stack.local.layout import Layout
from stack.local.program import Program

NAMES = ["Jürgen", "Straße", "café", "data 🌡️", "👩‍🔬", " a  b ", "日本", "a=b:c", "été\u00a0x", "!#", "\\u00fc", "\t", "x\\"]

#: Prints the properties of a file as Java reads them, values as code points.
JAVA_SOURCE = """
class Read {
    public static void main(String[] names) throws Exception {
        var found = new java.util.Properties();
        try (var in = new java.io.FileInputStream(names[0])) { found.load(in); }
        found.forEach((key, value) -> {
            System.out.print(key);
            value.toString().codePoints().forEach(c -> System.out.print(" " + c));
            System.out.println();
        });
    }
}
"""

#: Any character that a file's name can hold, without those of no encoding.
anything = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=40)


def can_compile() -> bool:
    modules = subprocess.run(
        [find_java().executable, "--list-modules"], capture_output=True, text=True, timeout=60, check=False
    )
    return "jdk.compiler" in modules.stdout


def test_java_reads_values_back(tmp_path: Path) -> None:
    if not can_compile():
        pytest.skip("this Java has no compiler")
    meant = {f"k{n}": value for n, value in enumerate(NAMES)}
    (tmp_path / "x.properties").write_text(kafka.render(meant), "ascii")
    (tmp_path / "Read.java").write_text(JAVA_SOURCE, "ascii")
    call = [find_java().executable, tmp_path / "Read.java", tmp_path / "x.properties"]
    answer = subprocess.run(call, capture_output=True, text=True, timeout=60, check=True)
    rows = (line.split(" ") for line in answer.stdout.splitlines())
    assert {key: "".join(chr(int(code)) for code in codes) for key, *codes in rows} == meant


def as_java(text: str) -> str:
    """A value by the documentation of `java.util.Properties.load`, written down independently."""
    text = text.lstrip(" \t\f")
    plain = re.sub(
        r"\\(?:u([0-9a-fA-F]{4})|(.))",
        lambda m: chr(int(m[1], 16)) if m[1] else {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}.get(m[2], m[2]),
        text,
    )
    return plain.encode("utf-16-be", "surrogatepass").decode("utf-16-be")


@given(anything)
def test_any_value_is_one_line_of_ascii_and_read_back(value: str) -> None:
    rendered = kafka.render({"log.dirs": value})
    assert rendered.isascii()
    assert rendered.count("\n") == 1
    assert as_java(rendered.removeprefix("log.dirs=").removesuffix("\n")) == value


@given(anything)
def test_any_folder_is_refused_or_understood_by_the_supervisor(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            layout = Layout.of(Path(folder) / "x" / name)
        except PreflightError as error:
            assert "--data-dir" in error.remedy  # noqa: PT017
            return
        asked = Program("broker", ("java", f"-Dx={layout.tmp}", str(layout.run)), {"PAAI_STATE_DIR": str(layout.state)})
        conf = Path(folder) / "supervisord.conf"
        conf.write_text(supervisord.render(layout, [asked]), "utf-8")
        layout.create()
        options: Any = ServerOptions()  # type: ignore[no-untyped-call]  # supervisor has no types
        options.realize(args=["-c", str(conf)])
        process = {group.name: group for group in options.process_group_configs}["broker"].process_configs[0]
        assert shlex.split(process.command) == list(asked.command)
        assert process.environment["PAAI_STATE_DIR"] == str(layout.state)
        assert process.stdout_logfile == str(layout.log_file("broker"))
        assert process.directory == str(layout.work)
        assert options.pidfile == str(layout.pid_file)


def test_a_name_that_is_no_utf_8_is_refused() -> None:
    with pytest.raises(PreflightError, match=r"/data/J\\xfcrgen cannot be used: Its path is not UTF-8"):
        Layout.of(Path(os.fsdecode(b"/data/J\xfcrgen")))


def test_where_names_are_not_read_as_utf_8_they_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "iso8859-1")
    assert Layout.of(Path("/data/plain")).data_dir == Path("/data/plain")
    with pytest.raises(PreflightError, match=r"read as iso8859-1 here\. Set LC_ALL=C\.UTF-8"):
        Layout.of(Path("/data/Jürgen"))


def test_services_read_names_as_utf_8_whatever_the_users_locale(tmp_path: Path) -> None:
    environment = supervisord.daemon_environment(Layout.of(tmp_path), {"LC_ALL": "C", "LANG": "de_DE", "HOME": "/home/Jürgen"})
    assert (environment["LC_ALL"], environment["HOME"]) == ("C.UTF-8", "/home/Jürgen")


@pytest.mark.parametrize("name", ["Jürgen 🌡️", "a b#c?d%e"])
def test_the_loggers_configuration_is_found_in_any_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "LOGGING_DIR", tmp_path / name)
    for flag in (command.log4j_flag(), command.log4j2_flag()):
        address = flag.partition("=")[2]
        assert address.isascii()
        assert Path(unquote(urlsplit(address).path)).parent == tmp_path / name


def test_a_home_of_nobody_and_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for folder in (Path("~no-such-user/x"), tmp_path / "a" / "x"):
        with pytest.raises(PreflightError, match=r"cannot be used: .*\. Choose another one with --data-dir"):
            Layout.of(folder)


def test_a_name_that_is_too_long_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["status"], ["down"], ["endpoints"]):
        code = run(parse([*words, "--target", "local", "--data-dir", str(tmp_path / ("x" * 300))]))
        assert code in {0, 1, 2}
        assert "Traceback" not in capsys.readouterr().err
