"""Two options for the workshop's runs, loaded with `-p tests.ci_plugin`.

`--servers-only` keeps the tests that talk to Prometheus, promtool, Alertmanager or amtool: the ones worth
running again against another version. `--no-skips` makes a skip a failure, but for a few reasons that a
machine may honestly have: what CI does not run, nobody runs.
"""

from __future__ import annotations

import pytest

SERVERS = frozenset(
    ("prometheus", "promtool", "alertmanager", "amtool", "prometheus_server", "alertmanager_server")
)
"""Fixtures that hand a real server to a test."""

HONEST = ("no Docker daemon", "the recorded traces are not on this machine")
"""Beginnings of reasons for which even CI may skip."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("workshop")
    group.addoption("--servers-only", action="store_true", help="only tests that talk to a real server")
    group.addoption("--no-skips", action="store_true", help="a skipped test is a failure")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--no-skips"):
        config.pluginmanager.register(_Skips(), "skips")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--servers-only"):
        return
    kept = [item for item in items if SERVERS & set(getattr(item, "fixturenames", ()))]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


class _Skips:
    """Remember what was skipped, and fail the run for it at the end."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def _remember(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            if not reason.removeprefix("Skipped: ").startswith(HONEST):
                self.found.append(f"{report.nodeid}: {reason}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._remember(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._remember(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.found and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.found:
            terminalreporter.section("skipped, and must not be (--no-skips)", red=True)
            for line in self.found:
                terminalreporter.line(line, red=True)
