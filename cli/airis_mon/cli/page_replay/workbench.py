"""A Prometheus of our own, for the time of one replay: it holds the past, and evaluates what is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import requests

from airis_mon.remote_read import ReadError, hand_on
from airis_mon.remote_write import STALE, write_request
from airis_mon.stack import ports, prometheus
from airis_mon.stack.processes import Process
from airis_mon.stack.servers import Server

_POINTS = 10_000
"""Points asked for at once; Prometheus refuses more than 11,000."""
_SAMPLES = 50_000
"""Samples of one write."""
_TIMEOUT = 600.0
"""Seconds for one expression."""
_BLOCK = "3650d"
_FLAGS = (
    # The head takes what is at most half a block older than its newest sample. With a block of ten years
    # every series may be written from its beginning, one after the other, and none of it is compacted.
    f"--storage.tsdb.min-block-duration={_BLOCK}",
    f"--storage.tsdb.max-block-duration={_BLOCK}",
    "--enable-feature=native-histograms",
    f"--query.timeout={_TIMEOUT:.0f}s",
    "--query.max-samples=200000000",
)
_RETENTION = 20 * 3650 * 86_400.0

Labels = tuple[tuple[str, str], ...]
"""Pairs sorted by name."""


class WorkbenchError(Exception):
    """An expression that our own Prometheus did not evaluate; the text says which and why."""


@dataclass(frozen=True)
class Grid:
    """Times of evaluation."""

    start_ms: int
    end_ms: int
    """Included."""
    step_ms: int
    floor_ms: int = 0
    """Time before which nothing was evaluated: no grid that is made of this one begins earlier."""

    def times(self) -> range:
        """Return all of them, in milliseconds."""
        return range(self.start_ms, self.end_ms + 1, self.step_ms)

    def shifted(self, seconds: float) -> Grid:
        """Return the same grid, but so much later, within the same end."""
        return replace(self, start_ms=self.start_ms + round(seconds * 1000))

    def earlier(self, seconds: float) -> Grid:
        """Return the same grid, begun at least so much earlier."""
        wanted = -(-round(seconds * 1000) // self.step_ms)
        possible = (self.start_ms - self.floor_ms) // self.step_ms
        return replace(self, start_ms=self.start_ms - min(wanted, possible) * self.step_ms)


class Workbench:
    """The running server."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False  # loopback needs no proxy

    def take(self, body: bytes) -> None:
        """Store what a serialised WriteRequest holds. Raises ReadError."""
        hand_on(self._session, self.url, body)

    def evaluate(self, expression: str, grid: Grid) -> dict[Labels, dict[int, float]]:
        """Return the series of an expression, with their values by time (ms). Raises WorkbenchError."""
        found: dict[Labels, dict[int, float]] = {}
        for first in range(grid.start_ms, grid.end_ms + 1, grid.step_ms * _POINTS):
            last = min(first + grid.step_ms * (_POINTS - 1), grid.end_ms)
            for series in self._range(expression, first, last, grid.step_ms):
                values = found.setdefault(tuple(sorted(series["metric"].items())), {})
                values.update((round(at * 1000), float(value)) for at, value in series.get("values", ()))
        return found

    def record(
        self, name: str, labels: Mapping[str, str], series: Mapping[Labels, Mapping[int, float]], grid: Grid
    ) -> None:
        """Store the result of a recording rule, with an end wherever a series was no longer there.

        Raises WorkbenchError where Prometheus would not record it, and ReadError.
        """
        # The rule's labels may make one series of two: those of `a or b`, of which one is there at a time.
        recorded: dict[Labels, dict[int, float]] = {}
        for own, values in series.items():
            merged = {**dict(own), **labels, "__name__": name}
            identity = tuple(sorted((label, value) for label, value in merged.items() if value))
            known = recorded.setdefault(identity, {})
            if not known.keys().isdisjoint(values):
                raise WorkbenchError(
                    f"`{name}`: two series would have the same labels; Prometheus refuses that"
                )
            known.update(values)
        for identity, values in recorded.items():
            for part in _parts(_ended(values, grid)):
                request = write_request()()
                one = request.timeseries.add()
                for label, value in identity:
                    one.labels.add(name=label, value=value)
                for at, number in part:
                    one.samples.add(timestamp=at, value=number)
                self.take(request.SerializeToString())

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _range(self, expression: str, first: int, last: int, step: int) -> list[dict[str, Any]]:
        form = {
            "query": expression,
            "start": f"{first / 1000:.3f}",
            "end": f"{last / 1000:.3f}",
            "step": f"{step / 1000:.3f}",
        }
        try:
            answer = self._session.post(f"{self.url}/api/v1/query_range", data=form, timeout=_TIMEOUT)
            body = json.loads(answer.content)
        except (requests.RequestException, ValueError) as error:
            raise WorkbenchError(f"our own Prometheus did not answer `{expression}`: {error}") from error
        if body.get("status") != "success":
            raise WorkbenchError(
                f"our own Prometheus does not evaluate `{expression}`: {body.get('error')}; "
                "where it is too old, name another one with --prometheus BIN"
            )
        return list(body["data"]["result"])


@contextmanager
def workbench(server: Server, folder: Path, tick: Callable[[], None] = lambda: None) -> Iterator[Workbench]:
    """Run a Prometheus that scrapes nothing, with its data below `folder`; it ends with the context.

    Raises ProcessError where it does not start.
    """
    folder.mkdir(parents=True)
    config = folder / "prometheus.yml"
    config.write_text("{}\n", encoding="utf-8")
    address = ports.choose({"Prometheus": "127.0.0.1:0"}, {"Prometheus": ""})["Prometheus"]
    command = prometheus.command(
        server, config=config, data=folder / "data", address=address, retention=_RETENTION, flags=_FLAGS
    )
    process = Process(command, folder / "prometheus.log")
    try:
        process.wait_ready(tick)
        bench = Workbench(command.url)
        try:
            yield bench
        finally:
            bench.close()
    finally:
        process.stop()


def _ended(values: Mapping[int, float], grid: Grid) -> Iterator[tuple[int, float]]:
    """Yield the values in order, and a stale marker at each evaluation that has none after one that has."""
    before = False
    for at in grid.times():
        value = values.get(at)
        if value is not None:
            yield at, value
        elif before:
            yield at, STALE
        before = value is not None


def _parts(samples: Iterator[tuple[int, float]]) -> Iterator[Sequence[tuple[int, float]]]:
    part: list[tuple[int, float]] = []
    for sample in samples:
        part.append(sample)
        if len(part) == _SAMPLES:
            yield part
            part = []
    if part:
        yield part


__all__ = ["Grid", "Labels", "ReadError", "Workbench", "WorkbenchError", "workbench"]
