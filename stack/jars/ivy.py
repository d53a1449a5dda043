"""Runs the Ivy that ships inside pyspark and turns what it prints into progress and typed errors."""

import importlib.util
import os
import re
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from stack.errors import CancelledError, JarsError, NoNetworkError
from stack.java import find_java
from stack.tied import tied

#: Called with (steps done, steps in all, one sentence).
Progress = Callable[[int, int, str], None]

_POLL_S = 0.25
_FOUND = re.compile(r"^\s*found (\S+?)#(\S+?);(\S+) in ")
_DOWNLOADED = re.compile(r"^\s*\[SUCCESSFUL \] \S+?!(\S+)")
_MISSING = re.compile(r":: (\S+?#\S+?;[^:\s]+): (not found|.*)$|^\s*\[(?:NOT FOUND|FAILED)\s*\]\s*(\S+)")
_NETWORK = re.compile(
    r"UnknownHost|ConnectException|NoRouteToHost|SocketException|SocketTimeout|SSLHandshake|SSLException|Server access error"
    r"|Host \S+ not found|response status: 5\d\d|Connection (?:refused|reset|timed out)|Network is unreachable"
)


@dataclass(slots=True)
class IvyOutput:
    """What Ivy has printed so far.

    Attributes:
        found: Modules whose description was read.
        downloaded: Files that were fetched; a resumed run has fewer.
        missing: Modules or files that could not be had.
        network: Lines that speak of the network.
        tail: The last lines, for a report.
    """

    found: int = 0
    downloaded: int = 0
    missing: list[str] = field(default_factory=list)
    network: list[str] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)

    def feed(self, line: str) -> str:
        """Take one line; returns a sentence for people when it is news, else an empty string."""
        text = line.strip()
        if text.strip("."):
            self.tail = [*self.tail[-19:], text]
        if match := _FOUND.match(line):
            self.found += 1
            return f"Found {match[2]} {match[3]}"
        if match := _DOWNLOADED.match(line):
            self.downloaded += 1
            return f"Downloaded {match[1]}"
        if _NETWORK.search(line):
            self.network.append(text)
        elif match := _MISSING.search(line):
            self.missing.append(match[1] or match[3])
        return "Copying" if text.startswith(":: retrieving") else ""

    def error(self, log_file: Path) -> JarsError:
        """What to raise after a failed run."""
        if self.network:
            return NoNetworkError(
                "The JVM artifacts cannot be downloaded",
                why=f"Maven Central does not answer ({_reason(self.network[-1])}).",
                remedy="Check the network (HTTPS_PROXY is honoured), then try again: what is there already is kept.",
            )
        why = f"Not to be had: {', '.join(dict.fromkeys(self.missing))}." if self.missing else _short(" ".join(self.tail[-3:]))
        return JarsError("The JVM artifacts cannot be resolved", why=why, remedy=f"The whole output is in {log_file}.")


def run_ivy(
    *,
    ivy_xml: Path,
    cache: Path,
    out: Path,
    expected: int,
    on_progress: Progress,
    cancel: threading.Event | None,
    log_file: Path,
    checksums: bool = True,
    stall_s: float = 180.0,
    timeout_s: float = 3600.0,
    command: list[str] | None = None,
) -> None:
    """Resolve `ivy_xml` into `out/<configuration>/`; what `cache` holds already is not fetched again.

    Args:
        expected: Number of files that will come of it, for the progress; it counts two steps for each.
        log_file: Gets all that Ivy prints.
        checksums: Let Ivy fetch the registry's checksum of every file too: twice the requests, needless where a lock decides.
        stall_s: Give up when nothing at all is printed for so long.
        timeout_s: Give up after so long in any case.
        command: Instead of Java and Ivy, for tests.

    Raises:
        CancelledError, NoNetworkError, JarsError, JavaMissingError.
    """
    argv = tied(command or _command(ivy_xml, cache, out, checksums=checksums))
    output, total = IvyOutput(), max(2 * expected, 1)
    # Not more than the total: with several configurations a module is found more than once.
    report = lambda text: on_progress(min(output.found, expected) + min(output.downloaded, expected), total, text)  # noqa: E731
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            code = _follow(process, output, report, log.write, cancel=cancel, stall_s=stall_s, timeout_s=timeout_s)
        finally:
            _stop(process)
    if code != 0 or output.missing:
        raise output.error(log_file)


def _follow(
    process: subprocess.Popen[bytes],
    output: IvyOutput,
    report: Callable[[str], None],
    write_log: Callable[[bytes], object],
    *,
    cancel: threading.Event | None,
    stall_s: float,
    timeout_s: float,
) -> int:
    """Read until the end of the output; returns the exit code."""
    if process.stdout is None:
        raise AssertionError("started without a pipe")
    begun = last = time.monotonic()
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if cancel is not None and cancel.is_set():
                raise CancelledError(
                    "The download of the JVM artifacts was cancelled", remedy="It goes on from here next time."
                )
            now = time.monotonic()
            if now - last > stall_s or now - begun > timeout_s:
                output.network.append(f"nothing for {now - last:.0f} s")
                raise output.error(Path())
            if not selector.select(_POLL_S):
                continue
            # Raw chunks, since the dots of a long download come without a line's end and are a sign of life.
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                return process.wait(timeout=30)
            last = time.monotonic()
            write_log(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                news = output.feed(line.decode("utf-8", errors="replace"))
                if news:
                    report(news)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=5)
    if process.stdout is not None:
        process.stdout.close()


def pyspark_jars() -> Path:
    """The folder of jars inside the pyspark package, found without importing it.

    Raises:
        JarsError: pyspark is not installed.
    """
    spec = importlib.util.find_spec("pyspark")
    if spec is None or not spec.submodule_search_locations:
        raise JarsError("pyspark is not installed", remedy="Type: make setup")
    return Path(next(iter(spec.submodule_search_locations))) / "jars"


def _command(ivy_xml: Path, cache: Path, out: Path, *, checksums: bool) -> list[str]:
    return [
        str(find_java().executable),
        *proxy_options(os.environ),
        # Two more questions for each module, about files that nobody wants.
        "-Divy.maven.lookup.sources=false",
        "-Divy.maven.lookup.javadoc=false",
        *([] if checksums else ["-Divy.checksums="]),
        "-cp",
        f"{pyspark_jars()}/*",
        "org.apache.ivy.Main",
        "-ivy",
        str(ivy_xml),
        "-cache",
        str(cache),
        "-retrieve",
        f"{out}/[conf]/[artifact]-[revision](-[classifier]).[ext]",
        "-types",
        "jar",
        "bundle",
    ]


def proxy_options(environ: Mapping[str, str]) -> list[str]:
    """What tells a JVM of the proxy that everybody else takes from the environment."""
    options = []
    for scheme in ("https", "http"):
        parts = urlsplit(environ.get(f"{scheme}_proxy") or environ.get(f"{scheme.upper()}_PROXY") or "")
        if parts.hostname:
            options += [f"-D{scheme}.proxyHost={parts.hostname}", f"-D{scheme}.proxyPort={parts.port or 3128}"]
    exempt = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    if options and exempt:
        hosts = "|".join(f"*{host}" if host.startswith(".") else host for host in exempt.replace(" ", "").split(",") if host)
        options.append(f"-Dhttp.nonProxyHosts={hosts}")
    return options


def _reason(line: str) -> str:
    """What of a line about the network is for people: without addresses."""
    found = re.findall(
        r"Connection \w+|\w+ timed out|UnknownHost|Network is unreachable|response status: \d+|nothing for \d+ s", line
    )
    return found[-1].replace("UnknownHost", "the host is not known") if found else _short(line)


def _short(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
