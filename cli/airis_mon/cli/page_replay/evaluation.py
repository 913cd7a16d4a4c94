"""The rules over the past: recordings first, then the alerts, then the states of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from airis_mon.alertmanager.replay import Firing
from airis_mon.cli.page_replay.workbench import Grid, Labels, Workbench
from airis_mon.rules.replay import AlertRule, Episode, Plan, episodes

_NAME = "__name__"


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
    for done, recording in enumerate(plan.recordings, 1):
        own = grid.shifted(offsets.get(recording.group, 0.0)).earlier(recording.reach)
        values = bench.evaluate(recording.expression, own)
        bench.record(recording.name, dict(recording.labels), values, own)
        progress(done, total, "rules evaluated")
    found: list[Fired] = []
    for done, rule in enumerate(plan.alerts, len(plan.recordings) + 1):
        found += _fired(rule, bench, grid.shifted(offsets.get(rule.group, 0.0)))
        progress(done, total, "rules evaluated")
    return sorted(found, key=lambda fired: (fired.episode.fired_at, fired.identity))


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
