"""The rules over the past: recordings first, then the alerts, then the states of each."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from airis_mon.alertmanager.replay import Firing
from airis_mon.cli.page_replay.workbench import Grid, Labels, Workbench
from airis_mon.rules.replay import AlertRule, Episode, Plan, Recording, episodes

WORKERS = 2
"""Expressions that are evaluated at a time: one core each, of our own Prometheus."""
_NAME = "__name__"

T = TypeVar("T")


@dataclass(frozen=True)
class Fired:
    """One time for which an alert fired, and by which rule."""

    rule: AlertRule
    identity: Labels
    """All labels of the alert, sorted."""
    episode: Episode

    @property
    def firing(self) -> Firing:
        """As Alertmanager hears of it."""
        episode = self.episode
        return Firing(self.identity, episode.fired_at, episode.resolved_at, episode.forgotten_at)


def evaluate(
    plan: Plan,
    bench: Workbench,
    grid: Grid,
    offsets: Mapping[str, float],
    progress: Callable[[int, int, str], None] = lambda _done, _total, _what: None,
) -> list[Fired]:
    """Return when each alert of the plan fired, by the past that the bench holds. Raises WorkbenchError.

    `offsets` are the seconds by which the evaluations of a group come after those of the grid.
    """
    total = len(plan.recordings) + len(plan.alerts)
    done = itertools.count(1)

    def own(group: str) -> Grid:
        return grid.shifted(offsets.get(group, 0.0))

    def record(recording: Recording) -> None:
        times = own(recording.group).earlier(recording.reach)
        values = bench.evaluate(recording.expression, times)
        bench.record(recording.name, dict(recording.labels), values, times)

    found: list[Fired] = []
    with _workers() as pool:
        for _, level in itertools.groupby(plan.recordings, key=lambda recording: recording.level):
            for _ in _finished([pool.submit(record, recording) for recording in level]):
                progress(next(done), total, "rules evaluated")
        pending = [pool.submit(_fired, rule, bench, own(rule.group)) for rule in plan.alerts]
        for fired in _finished(pending):
            found += fired
            progress(next(done), total, "rules evaluated")
    return sorted(found, key=lambda fired: (fired.episode.fired_at, fired.identity))


@contextmanager
def _workers() -> Iterator[ThreadPoolExecutor]:
    """Yield a pool that begins nothing more, and is not waited for, once something goes wrong."""
    pool = ThreadPoolExecutor(WORKERS)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _finished(pending: Iterable[Future[T]]) -> Iterator[T]:
    return (future.result() for future in as_completed(pending))


def _fired(rule: AlertRule, bench: Workbench, grid: Grid) -> list[Fired]:
    evaluations = [at / 1000 for at in grid.times()]
    held: dict[Labels, set[float]] = {}
    for labels, values in bench.evaluate(rule.expression, grid).items():
        merged = {**dict(labels), **dict(rule.labels), "alertname": rule.name}
        merged.pop(_NAME, None)
        identity = tuple(sorted((label, value) for label, value in merged.items() if value))
        held.setdefault(identity, set()).update(at / 1000 for at in values)
    return [
        Fired(rule, identity, episode)
        for identity, holds in held.items()
        for episode in episodes(
            evaluations, holds, duration=rule.duration, keep_firing_for=rule.keep_firing_for
        )
    ]
