"""Two options for the workshop's runs, loaded with `-p tests.ci_plugin`.

`--servers-only` keeps the tests that talk to Prometheus, promtool, Alertmanager or amtool: the ones worth
running again against another version. `--no-skips` makes a skip a failure, but for a few reasons that a
machine may honestly have: what CI does not run, nobody runs. Both hold with workers (`-n 2`) as without,
and what a test prints reaches the main process whatever it is.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

SERVERS = frozenset(
    (
        "prometheus",
        "promtool",
        "alertmanager",
        "amtool",
        "prometheus_server",
        "alertmanager_server",
        "victoria_metrics_server",
    )
)
"""Fixtures that hand a real server to a test."""

HONEST = ("no Docker daemon", "the recorded traces are not on this machine")
"""Beginnings of reasons for which even CI may skip."""

SKIPS = "skips"
"""Key below which a worker hands over what it saw skipped."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("workshop")
    group.addoption("--servers-only", action="store_true", help="only tests that talk to a real server")
    group.addoption("--no-skips", action="store_true", help="a skipped test is a failure")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--no-skips"):
        config.pluginmanager.register(_Skips(config), "skips")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--servers-only"):
        return
    kept = [item for item in items if SERVERS & set(getattr(item, "fixturenames", ()))]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Write half characters as their numbers: a worker cannot send them, and would end with its test."""
    return _sendable((yield))


def _sendable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {key: _sendable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_sendable, value))
    return value


class _Skips:
    """Remember what was skipped, and fail the run for it at the end.

    The main process hears of every test that a worker has run, but of no module that was skipped as a whole:
    those a worker hands over when it ends.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._handed_over: dict[str, Any] | None = getattr(config, "workeroutput", None)
        """Where a worker puts what the main process is to know; None in the main process."""
        self.found: dict[str, str] = {}
        """What was skipped, and why; every worker collects everything, which makes one skip of it."""

    def _remember(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            if not reason.removeprefix("Skipped: ").startswith(HONEST):
                self.found[report.nodeid] = reason

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._remember(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._remember(report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        self.found.update(getattr(node, "workeroutput", {}).get(SKIPS, {}))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._handed_over is not None:
            self._handed_over[SKIPS] = self.found
        elif self.found and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.found:
            terminalreporter.section("skipped, and must not be (--no-skips)", red=True)
            for name, reason in sorted(self.found.items()):
                terminalreporter.line(f"{name}: {reason}", red=True)
