"""Proof of straight lines: the trend of the whole past, and a band from what such lines were off."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from airis_mon.analyzer import series as analyzer
from airis_mon.rules import series
from airis_mon.rules.expectation import DAY, Expectation
from airis_mon.rules.groups import Group
from airis_mon.rules.proofs import recorded
from airis_mon.rules.proofs.case import Case, SampleCheck
from airis_mon.rules.proofs.past import Past, noise, quantile
from airis_mon.rules.proofs.proof import Proof
from airis_mon.spec import format_duration

LEVEL = {series.METHOD: "level"}
LOOKS = 60
"""Samples of a past, about."""
LOOKBACK = 240.0
"""Seconds for which a sample is seen; Prometheus has five minutes."""


def proofs(about: Expectation, groups: Sequence[Group]) -> Iterator[Proof]:
    """Yield a proof for each horizon: its steps go into it."""
    for horizon in about.horizons:
        step = _step(about.history, horizon)
        yield Proof(
            f"forecast-{format_duration(horizon)}", groups, step, tuple(_Ahead(about, horizon, step).cases())
        )


def _step(history: float, horizon: float) -> float:
    """Return seconds that go into a horizon, all but a moment, and not into the past."""
    edges = [edge for edge in (history, history - DAY, DAY) if edge]
    most = min(max(history / LOOKS, 3600.0), horizon)
    for step in range(int(most), 0, -1):
        if -horizon % step < LOOKBACK and all(60 <= edge % step <= step - 60 for edge in edges):
            return float(step)
    raise LookupError(f"no step for {horizon}")


class _Ahead:
    def __init__(self, about: Expectation, horizon: float, step: float) -> None:
        self._about, self._horizon, self._step = about, horizon, step
        self._label = {analyzer.HORIZON: format_duration(horizon)}
        self._unit = recorded.scale(about)

    def cases(self) -> Iterator[Case]:
        """Yield the tests of one horizon."""
        history, step = self._about.history, self._step
        whole = round((2.3 * history + self._horizon + DAY) / step)
        uneven, other = noise(whole), noise(whole + 50)[50:]
        rising = [self._unit * (4 + 6 * place / whole + one) for place, one in enumerate(uneven)]
        actual = [level + self._unit * one for level, one in zip(rising, other, strict=True)]
        # Once a line is drawn, once outcomes of a day are known, and once they fill the past.
        begins = max(history - DAY, 0.0)
        day = begins + self._horizon + DAY
        moments = [begins + 3 * step, day - 2 * step, day + 2 * step, day + 0.2 * DAY, (whole - 1) * step]
        if begins:
            moments.insert(0, begins - 2 * step)
        yield self._case("a past that rises", rising, actual, moments)
        high = [value + 30 * self._unit for value in rising]
        yield self._case("outcomes that were higher", rising, high, moments[-1:])
        low = [0.0 for _ in rising]
        yield self._case("outcomes that were lower", rising, low, moments[-1:])
        falling = [
            self._unit * max(12 * (1 - place / whole) + 0.2 * one, 0) for place, one in enumerate(uneven)
        ]
        yield self._case("a past that falls", falling, falling, moments[-1:])
        for share in (0.1, -0.1):
            gap = round((history + share * DAY) / step)
            what = f"a past that ends {'before' if share > 0 else 'in'} the one that counts"
            yield self._case(what, _gap(rising, gap), actual, [(whole - 1) * step])
        reach = max(history, 2 * DAY)
        for share in (0.1, -0.1):
            gap = round((reach + share * DAY) / step)
            yield self._case(
                f"outcomes that end {'before' if share > 0 else 'in'} the past",
                rising,
                _gap(actual, gap),
                [(whole - 1) * step],
            )

    def _case(
        self, what: str, level: Sequence[float], actual: Sequence[float], moments: Sequence[float]
    ) -> Case:
        about = self._about
        levels, readings = (Past([round(one, 6) for one in values], self._step) for values in (level, actual))
        lines = [self._line(levels, place) for place in range(len(level))]
        back = math.ceil(self._horizon / self._step)
        off = [
            readings.values[place] - lines[place - back] if place >= back else math.nan
            for place in range(len(actual))
        ]
        checks: list[SampleCheck] = []
        for moment in moments:
            place = round(moment / self._step)
            at, line = place * self._step, lines[place]
            found = Past(off, self._step)
            outcomes = found.between(place, about.history, 0)
            known = found.between(place, max(about.history, 2 * DAY), DAY) and not math.isnan(line)
            upper = max(line + max(quantile(outcomes, 0.975), 0), 0) if known and outcomes else None
            lower = max(line + min(quantile(outcomes, 0.025), 0), 0) if known and outcomes else None
            checks += [
                recorded.holds(about, analyzer.EXPECTED, at, None if math.isnan(line) else line, self._label),
                recorded.holds(
                    about, series.DEVIATION, at, None if math.isnan(off[place]) else off[place], self._label
                ),
                recorded.holds(about, analyzer.UPPER, at, upper, self._label),
                recorded.holds(about, analyzer.LOWER, at, lower, self._label),
            ]
        inputs = (
            *recorded.given(about, series.CANDIDATE, levels, LEVEL),
            *recorded.given(
                about, series.CANDIDATE, Past([1.0] * len(level), self._step), {series.METHOD: "same_time"}
            ),
            *recorded.given(about, analyzer.ACTUAL, readings),
            *recorded.others(
                about, ((name, self._label) for name in (analyzer.EXPECTED, series.DEVIATION)), len(level)
            ),
        )
        title = f"forecast of {about.of} {format_duration(self._horizon)} ahead: {what}"
        return Case(title, self._step, inputs, samples=checks)

    def _line(self, levels: Past, place: int) -> float:
        """Return where a line through the past leads, from the present level; NaN where it is too short."""
        history, step = self._about.history, self._step
        begin = max(0, place - math.floor(history / step))
        points = [
            (one * step, levels.values[one])
            for one in range(begin, place + 1)
            if not math.isnan(levels.values[one])
        ]
        now = levels.values[place]
        if math.isnan(now) or len(points) < 2 or not levels.between(place, history, history - DAY):
            return math.nan
        mean = sum(at for at, _ in points) / len(points)
        middle = sum(value for _, value in points) / len(points)
        rise = sum((at - mean) * (value - middle) for at, value in points)
        slope = rise / sum((at - mean) ** 2 for at, _ in points)
        # The level is a median of two hours: of a steady course, what it was an hour ago.
        return max(now + slope * (self._horizon + 3600.0), 0.0)


def _gap(values: Sequence[float], gap: int) -> list[float]:
    """Return values without those that begin so many places before the end; the last ones stay."""
    last = len(values) - 1
    recent = 8
    return [math.nan if last - gap < place < last - recent else value for place, value in enumerate(values)]
