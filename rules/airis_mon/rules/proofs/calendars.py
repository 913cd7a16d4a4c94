"""Proof of calendar periods: where one ends and the next begins, and that only the current one counts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.calendar import PERIODS
from airis_mon.rules.literals import number
from airis_mon.rules.proofs import strangers
from airis_mon.rules.proofs.case import Case, Input, SampleCheck, close
from airis_mon.rules.windows import DAY, name, recorded
from airis_mon.spec import Calendar

STEP = 6 * 3600.0
"""Seconds between two evaluations around the turn of a period."""
TURNS: dict[Calendar, tuple[datetime, ...]] = {
    "week": (datetime(1970, 1, 5, tzinfo=UTC), datetime(1970, 1, 12, tzinfo=UTC)),
    "month": (datetime(1970, 2, 1, tzinfo=UTC), datetime(1970, 3, 1, tzinfo=UTC)),
    # April is a turn of quarters; May is none, and July is one again.
    "quarter": tuple(datetime(1970, month, 1, tzinfo=UTC) for month in (4, 5, 7)),
}
"""Moments to look at, and just before: promtool begins in 1970, on a Thursday."""
QUIET, LOUD = 1e-3, 1.0
"""Operations per second of the current period, and of all that must not count."""


def period_of(calendar: Calendar, seconds: float) -> str:
    """Return the number of the period in which a moment lies, counted as a calendar does."""
    moment = datetime.fromtimestamp(seconds, UTC)
    if calendar == "week":
        monday = moment.date() - timedelta(days=moment.weekday())
        return str((monday - TURNS["week"][0].date()).days // 7)
    if calendar == "month":
        return str(moment.year * 12 + moment.month)
    return str(moment.year * 4 + (moment.month + 2) // 3)


def turns(burn: Burn, calendar: Calendar) -> Case:
    """Return the test of the label by which periods are told apart."""
    shortest = recorded(burn.objective.window)[0]
    end = max(moment.timestamp() for moment in TURNS[calendar]) + STEP
    inputs, checks = [], []
    for turn in TURNS[calendar]:
        for moment in (turn.timestamp() - STEP, turn.timestamp()):
            told = {**burn.labels, series.PERIOD: period_of(calendar, moment)}
            checks.append(
                SampleCheck(moment, burn.recorded(series.PERIOD_INFO), ((told, 1.0),), series.PERIOD_INFO)
            )
    for prefix, of, value in (
        (series.PERIOD_EVENTS, series.EVENTS, 3.0),
        (series.PERIOD_FAILURES, series.FAILURES, 2.0),
    ):
        labels = {**burn.labels, series.SLO_WINDOW: name(shortest)}
        steps = round(end / STEP) + 1
        inputs.append(strangers.steady(f"{of}{name(shortest)}", labels, value, steps))
        inputs += strangers.recorded(burn, of, shortest, 7.0, steps)
        for turn in TURNS[calendar]:
            for moment in (turn.timestamp() - STEP, turn.timestamp()):
                found = {**labels, series.PERIOD: period_of(calendar, moment)}
                recorded_as = f"{prefix}{name(shortest)}"
                expression = burn.recorded(prefix, shortest)
                checks.append(SampleCheck(moment, expression, ((found, value),), recorded_as))
    return Case(
        f"{burn.objective.name}: a {calendar} ends and the next begins", STEP, tuple(inputs), samples=checks
    )


def current(burn: Burn, calendar: Calendar, every: float) -> Case:
    """Return the test of the current period, from operations and failures that are given as recorded.

    All failed in the period before, and, under the number of the current one, longer ago than any period
    lasts. Within it, a busy stretch and a quiet one with a tenth of its traffic and as many failures: by
    traffic a share of 2 in 11, where a mean of ratios would say 6 in 11.
    """
    length, shortest = PERIODS[calendar].longest, recorded(burn.objective.window)[0]
    stretch = round(DAY / shortest / 4)
    at = math.ceil((length + 4 * stretch * shortest) / every) * every
    # Half of the budget, if a quiet stretch that failed altogether can spend that much.
    failing = min(1.0, 11 / 2 * 0.5 * burn.budget)
    ratio = 2 * failing / 11
    begin, end = round((at - length) / shortest) + stretch, round(at / shortest) - stretch
    now = {**burn.labels, series.PERIOD: period_of(calendar, at)}
    inputs = [strangers.steady(series.PERIOD_INFO, now, 1.0, stretch, end)]
    for other in strangers.neighbours(now, (series.MONITOR, series.SLO_NAME)):
        elsewhere = {**other, series.PERIOD: period_of(calendar, at - length)}
        inputs.append(strangers.steady(series.PERIOD_INFO, elsewhere, 1.0, stretch, end))
    for of, window in ((series.ERROR_RATIO, burn.objective.window), (series.PERIOD_BURN_RATE, None)):
        inputs += strangers.recorded(burn, of, window, 1000.0, stretch, end)
    for prefix, share in (
        (series.PERIOD_EVENTS, (1.0, 1.0, 0.1)),
        (series.PERIOD_FAILURES, (1.0, 0.1 * failing, 0.1 * failing)),
    ):
        first, busy, quiet = (number(QUIET * part) for part in share)
        values = (
            f"{first}+0x{stretch - 1} {_gap(begin - stretch)} {busy}+0x{stretch - 1} "
            f"{_gap(end - begin - stretch)} {quiet}+0x{stretch - 1}"
        )
        inputs.append(_given(burn, prefix, period_of(calendar, at), values))
        before = period_of(calendar, at - length)
        inputs.append(_given(burn, prefix, before, f"_x{begin} {number(LOUD)}+0x{stretch - 1} stale"))
        inputs += _others(burn, prefix, period_of(calendar, at), end, stretch)
    labels = {**burn.labels, series.SLO_WINDOW: name(burn.objective.window)}
    checks = []
    for expression, value, found in (
        (burn.recorded(series.ERROR_RATIO, burn.objective.window), ratio, labels),
        (burn.recorded(series.PERIOD_BURN_RATE), ratio / burn.budget, burn.labels),
        (burn.recorded(series.BUDGET_REMAINING), 1 - ratio / burn.budget, burn.labels),
    ):
        checks.append(SampleCheck(at, close(expression, value, 0.02), ((found, 1.0),)))
    return Case(
        f"{burn.objective.name}: the current {calendar}, weighted by traffic",
        shortest,
        tuple(inputs),
        samples=checks,
    )


def _given(burn: Burn, prefix: str, period: str, values: str) -> Input:
    window = name(recorded(burn.objective.window)[0])
    labels = {**burn.labels, series.SLO_WINDOW: window, series.PERIOD: period}
    return Input(f"{prefix}{window}" + matchers(dict(sorted(labels.items()))), values)


def _others(burn: Burn, prefix: str, period: str, skipped: int, steps: int) -> Iterator[Input]:
    window = name(recorded(burn.objective.window)[0])
    labels = {**burn.labels, series.SLO_WINDOW: window, series.PERIOD: period}
    for other in strangers.neighbours(labels, (series.MONITOR, series.SLO_NAME)):
        yield strangers.steady(f"{prefix}{window}", other, LOUD, steps, skipped)


def _gap(steps: int) -> str:
    return f"stale _x{steps - 1}"
