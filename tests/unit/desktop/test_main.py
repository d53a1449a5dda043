"""The command line."""

from pathlib import Path

import pytest

from desktop.__main__ import main, parse


def test_defaults() -> None:
    options = parse([])
    assert (options.target, options.port_offset, options.deploy, options.headless) == ("auto", None, False, False)


def test_everything() -> None:
    options = parse(
        [
            "--target",
            "local",
            "--port-offset",
            "7000",
            "--data-dir",
            "d",
            "--deploy",
            "--screenshot",
            "a.png",
            "--after",
            "2.5",
            "--page",
            "services",
            "--theme",
            "dark",
            "--size",
            "1280x800",
        ]
    )
    assert options.data_dir == Path("d")
    assert options.size == (1280, 800)
    assert options.after == 2.5


@pytest.mark.parametrize(
    "wrong", ["--port-offset -1", "--port-offset 60000", "--size 1280", "--size 0x5", "--after -1", "--theme pink"]
)
def test_nonsense_is_refused(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(wrong.split())
    assert ended.value.code == 2
    assert wrong.split()[0] in capsys.readouterr().err


def test_a_target_that_cannot_be_had_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--target", "local", "--headless", "--port-offset", "0", "--data-dir", "/proc/none"]) != 0
    printed = capsys.readouterr()
    assert "Traceback" not in printed.out + printed.err


@pytest.mark.parametrize("text", ["99999999999x99999999999", "²x800", "0x800", "1280", "1280x-1"])
def test_a_size_that_no_window_has(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--size", text])
    assert "is not a size" in capsys.readouterr().err


def test_an_offset_that_is_no_plain_number(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--port-offset", "²"])
    assert "is not a port offset" in capsys.readouterr().err
