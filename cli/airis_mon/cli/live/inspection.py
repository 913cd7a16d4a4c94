"""Documents held against the Prometheus that `--live` names."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from airis_mon.analyzer.access import Access, access
from airis_mon.cli.arguments import duration
from airis_mon.cli.live.client import Client, LiveError, checked_url
from airis_mon.rules.compile import Ruler
from airis_mon.rules.live import Facts, examine, mismatches, with_boundaries
from airis_mon.spec import Bundle, Monitor, Problem, SpecError, format_duration

_TIMEOUT = 10.0
"""Seconds for one answer."""
_ALTOGETHER = 600.0
"""Seconds for all questions."""
_WORKERS = 4
"""Questions that a server has to answer at once."""

Count = Callable[[int, int, str], None]


class Inspection:
    """What a server answers about documents; without one, nothing is asked and all stays as declared."""

    def __init__(self, client: Client | None) -> None:
        self._client = client
        self._found: list[Problem] = []
        self.facts = client.facts() if client is not None else Facts()
        self.counted: dict[str, float] = {}
        """Series that were found, by selector."""

    def known(self, monitor: Monitor) -> Monitor:
        """Return a monitor with the bucket boundaries that its series have."""
        if self._client is None:
            return monitor
        real, found = with_boundaries(monitor, self._client)
        self._found += found
        return real

    def warnings(self, bundle: Bundle, ruler: Ruler, count: Count = lambda *_: None) -> list[Problem]:
        """Ask about everything that a bundle needs; SpecError where something of it could never work."""
        if self._client is None:
            return []
        found = [*self._found, *mismatches(self.facts, ruler)]
        for counted, problems in self._examined(bundle.monitors, self._client, count):
            self.counted |= counted
            found += problems
        found = list(dict.fromkeys(found))
        errors = [problem for problem in found if problem.severity == "error"]
        if errors:
            raise SpecError([*errors, *(problem for problem in found if problem.severity == "warning")])
        return found

    def _examined(
        self, monitors: Sequence[Monitor], client: Client, count: Count
    ) -> Iterable[tuple[dict[str, float], list[Problem]]]:
        end = time.monotonic() + _ALTOGETHER

        def one(monitor: Monitor) -> tuple[dict[str, float], list[Problem]]:
            if time.monotonic() > end:
                raise LiveError(
                    f"{client.url} has not answered all within {format_duration(_ALTOGETHER)};"
                    " ask about fewer documents at once"
                )
            result = examine(monitor, client)
            return dict(result.counted), list(result.problems)

        with ThreadPoolExecutor(_WORKERS) as pool:
            try:
                results = pool.map(one, monitors)
                for done, (monitor, result) in enumerate(zip(monitors, results, strict=True), 1):
                    count(done, len(monitors), f"{monitor.name} on {client.url}")
                    yield result
            except BaseException:  # Ctrl-C, or a server that is gone: what waits is not asked any more
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options from which `inspection` is read."""
    add = parser.add_argument
    add("--live", type=_url, metavar="URL",
        help="a Prometheus that has the series, to hold documents against them")  # fmt: skip
    add("--live.http-config", dest="live_access", type=Path, metavar="FILE",
        help="who we are to it, as in promtool's --http.config.file")  # fmt: skip
    add("--live.timeout", dest="live_timeout", type=duration, default=_TIMEOUT, metavar="DURATION",
        help=f"how long one answer may take (default: {format_duration(_TIMEOUT)})")  # fmt: skip


def inspection(arguments: argparse.Namespace) -> Inspection:
    """Return the inspection that the options ask for; LiveError or SpecError where it cannot begin."""
    if arguments.live is None:
        return Inspection(None)
    who = Access() if arguments.live_access is None else access(arguments.live_access)
    return Inspection(Client(arguments.live, who, arguments.live_timeout))


def _url(text: str) -> str:
    try:
        return checked_url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
