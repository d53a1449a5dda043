"""Running Ivy: what its output means, and that it always ends."""

import sys
import threading
import time
from pathlib import Path

import pytest

from stack.errors import CancelledError, JarsError, NoNetworkError
from stack.jars.ivy import IvyOutput, proxy_options, run_ivy

#: As printed by Ivy 2.5.3, shortened; the host is not the real one.
GOOD = """\
:: resolving dependencies :: paai#monitor;working@host
\tconfs: [kafka, spark]
\tfound org.apache.kafka#kafka-clients;3.9.2 in public
\tfound org.slf4j#slf4j-api;2.0.13 in public
downloading https://registry.invalid/org/apache/kafka/kafka-clients/3.9.2/kafka-clients-3.9.2.jar ...
.................... (9000kB)
.. (0kB)
\t[SUCCESSFUL ] org.apache.kafka#kafka-clients;3.9.2!kafka-clients.jar (160ms)
:: retrieving :: paai#monitor
\t2 artifacts copied, 0 already retrieved (9066kB/116ms)
"""
NO_NETWORK = """\
\tmodule not found: org.apache.kafka#kafka_2.13;3.9.2
Server access error at url https://registry.invalid/kafka_2.13-3.9.2.pom (java.net.ConnectException: Connection refused)
\t\t:: org.apache.kafka#kafka_2.13;3.9.2: not found
:: USE VERBOSE OR DEBUG MESSAGE LEVEL FOR MORE DETAILS
"""
UNKNOWN_VERSION = """\
\t\t::          UNRESOLVED DEPENDENCIES         ::
\t\t:: org.apache.kafka#kafka_2.13;9.9.9: not found
"""


def run(tmp_path: Path, script: str, **options: object) -> list[tuple[int, int, str]]:
    """Run a Python script in Ivy's place; returns the progress that was reported."""
    progress: list[tuple[int, int, str]] = []
    arguments: dict[str, object] = {"cancel": None, "stall_s": 20.0, "timeout_s": 30.0, **options}
    run_ivy(
        ivy_xml=tmp_path / "ivy.xml",
        cache=tmp_path / "cache",
        out=tmp_path / "out",
        expected=2,
        on_progress=lambda *step: progress.append(step),
        log_file=tmp_path / "log" / "ivy.log",
        command=[sys.executable, "-u", "-c", script],
        **arguments,  # type: ignore[arg-type]
    )
    return progress


def test_progress_counts_what_was_found_and_downloaded(tmp_path: Path) -> None:
    progress = run(tmp_path, f"print({GOOD!r})")

    assert progress == [
        (1, 4, "Found kafka-clients 3.9.2"),
        (2, 4, "Found slf4j-api 2.0.13"),
        (3, 4, "Downloaded kafka-clients.jar"),
        (3, 4, "Copying"),
    ]
    assert "kafka-clients.jar" in (tmp_path / "log" / "ivy.log").read_text()


def test_no_network_is_told_apart_and_has_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(NoNetworkError) as caught:
        run(tmp_path, f"print({NO_NETWORK!r}); raise SystemExit(1)")

    assert "Connection refused" in caught.value.why
    assert "try again" in caught.value.remedy


def test_an_artifact_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(JarsError) as caught:
        run(tmp_path, f"print({UNKNOWN_VERSION!r}); raise SystemExit(1)")

    assert not isinstance(caught.value, NoNetworkError)
    assert "org.apache.kafka#kafka_2.13;9.9.9" in caught.value.why
    assert "ivy.log" in caught.value.remedy


def test_missing_artifacts_fail_also_when_ivy_says_that_all_is_well(tmp_path: Path) -> None:
    with pytest.raises(JarsError, match=r"kafka_2\.13;9\.9\.9"):
        run(tmp_path, f"print({UNKNOWN_VERSION!r})")


def test_cancelling_ends_it_within_a_second(tmp_path: Path) -> None:
    cancel = threading.Event()
    timer = threading.Timer(0.3, cancel.set)
    timer.start()
    begun = time.monotonic()

    with pytest.raises(CancelledError):
        run(tmp_path, "import time; print('started'); time.sleep(60)", cancel=cancel)

    timer.join()
    assert time.monotonic() - begun < 3


def test_silence_is_not_waited_for_without_end(tmp_path: Path) -> None:
    with pytest.raises(NoNetworkError, match="nothing for"):
        run(tmp_path, "import time; print('started'); time.sleep(60)", stall_s=0.6)


def test_dots_without_a_line_end_are_a_sign_of_life(tmp_path: Path) -> None:
    script = "import sys, time\nfor _ in range(12): sys.stdout.write('.'); time.sleep(0.1)"

    assert run(tmp_path, script, stall_s=0.9) == []


def test_the_whole_run_is_bounded(tmp_path: Path) -> None:
    with pytest.raises(JarsError):
        run(tmp_path, "import time\nwhile True: print('.'); time.sleep(0.05)", timeout_s=0.8)


def test_the_tail_keeps_the_last_lines_only() -> None:
    output = IvyOutput()
    for number in range(100):
        output.feed(f"line {number}")

    assert output.tail == [f"line {number}" for number in range(80, 100)]


@pytest.mark.parametrize(
    ("environ", "options"),
    [
        ({}, []),
        ({"no_proxy": "localhost"}, []),
        ({"HTTPS_PROXY": "http://proxy.invalid:8080"}, ["-Dhttps.proxyHost=proxy.invalid", "-Dhttps.proxyPort=8080"]),
        (
            {"https_proxy": "http://proxy.invalid", "NO_PROXY": "localhost, .example"},
            ["-Dhttps.proxyHost=proxy.invalid", "-Dhttps.proxyPort=3128", "-Dhttp.nonProxyHosts=localhost|*.example"],
        ),
    ],
)
def test_the_proxy_of_the_environment_reaches_the_jvm(environ: dict[str, str], options: list[str]) -> None:
    assert proxy_options(environ) == options
