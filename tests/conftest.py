"""What holds for every test: a skipped test that needs the real system is a failure where CI runs.

`ALLOW_SKIP=reason` turns that off and prints the reason in the summary.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something of the machine's load, not of the code.
settings.register_profile("paai", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("paai")

_MUST_RUN = ("integration", "e2e", "swarm")
_skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail") and any(mark in report.keywords for mark in _MUST_RUN):
        _skipped.append(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if _skipped and os.environ.get("CI") and not os.environ.get("ALLOW_SKIP") and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reason = os.environ.get("ALLOW_SKIP")
    if not _skipped:
        return
    terminalreporter.section("skipped tests that need the real system")
    for nodeid in _skipped:
        terminalreporter.write_line(nodeid)
    terminalreporter.write_line(f"allowed: {reason}" if reason else "not allowed where CI is set; ALLOW_SKIP=reason allows it")
