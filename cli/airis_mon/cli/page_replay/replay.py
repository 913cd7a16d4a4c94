"""The whole replay: past, rules, Alertmanager, account; for one version of the documents, or two."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from airis_mon.alertmanager.replay import Delays, Outcome, Silence, posts
from airis_mon.alertmanager.replay import replay as told
from airis_mon.cli.page_replay import past
from airis_mon.cli.page_replay.account import Account, account
from airis_mon.cli.page_replay.editions import Edition
from airis_mon.cli.page_replay.evaluation import evaluate
from airis_mon.cli.page_replay.workbench import Grid, workbench
from airis_mon.remote_read import HttpReader
from airis_mon.stack.servers import Server

WARM_UP = 3600.0
"""Seconds before the time that is asked for from which alerts are evaluated, beside their own `for`: one that
fires already when it begins must not look like new, and Alertmanager's groups have to be as they were."""


@dataclass(frozen=True)
class Span:
    """The time that is replayed; Unix seconds."""

    since: float
    until: float
    interval: float
    """Seconds between two evaluations of the rules."""
    offsets: Mapping[str, float] = field(default_factory=dict)
    """Group of rules to the seconds by which its evaluations come after whole intervals of the clock."""
    evaluated_since: float = 0.0
    """Unix seconds before which nothing was evaluated, where that is known."""
    asked_since: float | None = None
    """Unix seconds from which it was asked for, where there is nothing before a later time."""

    def begun(self, oldest: float) -> Span:
        """Return the span without the time before the oldest sample: rules begin with the data."""
        begun = replace(self, evaluated_since=max(self.evaluated_since, oldest))
        return begun if oldest <= self.since else replace(begun, since=oldest, asked_since=self.since)

    def grid(self, before: float) -> Grid:
        """Return the evaluations, from so many seconds before on; at whole intervals of the clock."""
        step = round(self.interval * 1000)
        start, end = (round(moment * 1000) // step * step for moment in (self.since, self.until))
        return Grid(start, end, step, round(self.evaluated_since * 1000)).earlier(before)


@dataclass(frozen=True)
class Result:
    """What came of it."""

    accounts: tuple[Account, ...]
    """Of each edition, in their order."""
    outcomes: tuple[Outcome, ...]
    """Likewise: what Alertmanager sends, message by message, from before the time that is asked for."""
    brought: past.Brought
    wanted_ms: int
    """Time from which the past was needed."""
    span: Span
    """What was replayed: the time that was asked for, or less of it."""


@dataclass(frozen=True)
class Watcher:
    """Who hears of the progress."""

    notify: Callable[[str], None]
    count: Callable[[int, int, str], None]
    tick: Callable[[], None]
    """Raises where somebody wants it to end."""


def replay(
    editions: Sequence[Edition],
    span: Span,
    reader: HttpReader,
    server: Server,
    watcher: Watcher,
    silences: Sequence[Silence] = (),
    delays: Delays = Delays(),  # noqa: B008  frozen
    oldest: float | None = None,
) -> Result:
    """Return what each edition would have told whom; `server` is the Prometheus that evaluates here.

    `oldest` is when there was any sample first (Unix seconds; infinite where that is not known). What lies
    before it and before everything that the rules read is left out: it would look like silence. With None
    nothing is. Raises ReadError, PastError, WorkbenchError, ProcessError and TooManyEventsError.
    """
    grids = [span.grid(_warm_up(edition)) for edition in editions]

    def count(done: int, total: int, what: str) -> None:
        watcher.tick()
        watcher.count(done, total, what)

    with ExitStack() as ending:
        folder = tempfile.TemporaryDirectory(prefix="airis-mon-page-replay-", ignore_cleanup_errors=True)
        work = Path(ending.enter_context(folder))
        benches = [
            ending.enter_context(workbench(server, work / str(number), watcher.tick))
            for number in range(len(editions))
        ]
        needs = _needs(editions, grids)
        watcher.notify("reading the past")
        brought = past.bring(reader, needs, grids[0].end_ms, benches, count)
        if oldest is not None and brought.first_ms is not None:
            span = span.begun(min(oldest, brought.first_ms / 1000))
            grids = [span.grid(_warm_up(edition)) for edition in editions]
        watcher.notify(
            f"{brought.samples} samples of {brought.series} series were read; "
            f"evaluating the rules every {span.interval:g} s"
        )
        accounts: list[Account] = []
        outcomes: list[Outcome] = []
        for edition, grid, bench in zip(editions, grids, benches, strict=True):
            fired = evaluate(edition.plan, bench, grid, span.offsets, count)
            arriving = posts([one.firing for one in fired], span.interval)
            watcher.tick()
            heard = told(edition.configuration, arriving, span.until, silences=silences, delays=delays)
            outcomes.append(heard)
            accounts.append(account(fired, heard, edition.bundle, span.since))
    first = min((need.start_ms for need in needs), default=0)
    return Result(tuple(accounts), tuple(outcomes), brought, first, span)


def _warm_up(edition: Edition) -> float:
    longest = max((rule.duration + rule.keep_firing_for for rule in edition.plan.alerts), default=0.0)
    return longest + WARM_UP


def _needs(editions: Sequence[Edition], grids: Sequence[Grid]) -> list[past.Need]:
    """Return what any edition reads, each selector once and from its earliest time on."""
    starts: dict[object, past.Need] = {}
    for edition, grid in zip(editions, grids, strict=True):
        for selector in edition.plan.stored:
            start = grid.start_ms - round(selector.reach * 1000)
            known = starts.get(selector.conditions)
            if known is None or start < known.start_ms:
                starts[selector.conditions] = past.Need(selector, start)
    return list(starts.values())
