"""Expectations, bands, scores and forecasts by recording rules alone, where no analyzer runs.

They are published under the analyzer's names and labels, so that whatever reads these works alike. A signal
is expected to be at the level of its last hours or, where that was nearer to the truth during the last day,
where it was at the same time of other days, moved to its present level. It may depart from that as far as it
did in its past, and a little further; before there is a day of past, nothing is called anomalous. A forecast
is a straight line: the trend of the whole past, drawn on from the level of an hour ago.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from airis_mon.analyzer import series as analyzer
from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.groups import Group, Rule, numbered, recording
from airis_mon.rules.indicators import contract_of
from airis_mon.rules.literals import number
from airis_mon.spec import Anomaly, Band, Forecast, Monitor, Problem, Threshold, format_duration

DAY = 86400.0

LEVEL = "2h"
"""Past whose median is the level: a spike of less than an hour does not move it."""
LEVEL_AGE = 3600.0
"""Seconds that a steady course is ahead of its level: the median of a line is what it was half way."""
AROUND = 600.0
"""Seconds to each side of the same time of another day that are looked at."""
DAYS_BEFORE = (1, 2, 7)
"""Other days: the nearest, and the same weekday. Of three one may have had an incident."""
GAIN = 0.95
"""Share of the level's own error that the same time of other days has to come down to, to be believed."""

DECILES = (0.9, 0.1)
SPREADS = 2.5
"""Times the distance between the deciles of a day's deviations; 6.4 standard deviations of plain noise."""
RECORDS = 1.1
"""Times the farthest deviation of the whole past."""
LEAST_SHARE = 0.05
"""Share of the expectation that is never anomalous."""
LEAST_RATIO, LEAST = 0.015, 1e-9
"""What is never anomalous of a ratio, and of other signals, in their base units."""
SETTLED = "1h"
"""Newest past that says nothing of what is usual: an incident would make itself usual."""

OUTCOMES = (0.975, 0.025)
"""Quantiles of what forecasts were off: 95 of 100 outcomes lie between."""

SHORTEST_HORIZON, LONGEST_PAST = 3600.0, 30 * DAY
"""A line from a median of hours says nothing of minutes; and each evaluation reads all of the past."""

ABOVE, BELOW = "above", "below"
LEVEL_METHOD, SAME_TIME = "level", "same_time"
SIDES = {"up": (ABOVE,), "down": (BELOW,), "both": (ABOVE, BELOW)}

Entry = Anomaly | Forecast | Threshold


@dataclass(frozen=True)
class Expectation:
    """One signal of a monitor, and all that is expected of it."""

    monitor: Monitor = field(compare=False)
    of: str
    window: float
    """Seconds over which rates and quantiles are taken."""
    by: tuple[str, ...]
    """Labels that are kept apart."""
    history: float
    """Seconds of past that are looked at: whole days."""
    direction: str | None
    """Which departures count; None where nothing asks for a score."""
    horizons: tuple[float, ...]
    """Seconds ahead, in rising order."""

    @property
    def labels(self) -> dict[str, str]:
        """Labels of all that is recorded, beside those of `by`."""
        return {
            series.MONITOR: self.monitor.name,
            series.MODEL: self.monitor.model.name,
            series.FOR: self.of,
        }

    @property
    def ratio(self) -> bool:
        """Whether it is a share, and so never above 1."""
        return contract_of(self.monitor).unit(self.of) == "ratio"

    @property
    def least(self) -> float:
        """What is never anomalous, in the signal's base unit."""
        return LEAST_RATIO if self.ratio else LEAST

    def groups(self) -> tuple[Group, ...]:
        """Return every rule, in the order in which one depends on the other."""
        stages = (
            ("reading", [self._reading()]),
            ("expectation", [*self._expecting()]),
            ("band", [*self._judging()]),
            ("forecast", [rule for horizon in self.horizons for rule in self._ahead(horizon)]),
        )
        return tuple(
            group
            for stage, rules in stages
            for group in numbered(self.monitor.name, f"{self.of}:{stage}", rules)
        )

    def _reading(self) -> Rule:
        selector = self.monitor.source.selector
        signal = contract_of(self.monitor).expression(self.of, selector, self.window, self.by)
        # No signal is below 0; what is no number, such as a ratio without operations, is no reading.
        return self._rule(analyzer.ACTUAL, f"({signal}) >= 0")

    def _expecting(self) -> Iterator[Rule]:
        actual = self._series(analyzer.ACTUAL)
        level = f"quantile_over_time(0.5, {actual}[{LEVEL}])"
        yield self._rule(series.CANDIDATE, level, {series.METHOD: LEVEL_METHOD})
        yield self._rule(series.CANDIDATE, self._same_time(), {series.METHOD: SAME_TIME})
        candidates = self._series(series.CANDIDATE)
        yield self._rule(
            series.ERROR, f"abs({candidates} - ignoring ({series.METHOD}) group_left () {actual})"
        )
        yield self._rule(analyzer.EXPECTED, self._expected(), _NOW)
        expected = self._series(analyzer.EXPECTED, _NOW)
        yield self._rule(series.DEVIATION, f"{actual} - ignoring ({analyzer.HORIZON}) {expected}", _NOW)

    def _same_time(self) -> str:
        """Return the median of what other days had at this time, each moved to the present level."""
        actual, level, parts = self._series(analyzer.ACTUAL), self._level, []
        ignored = f"ignoring ({series.METHOD})"
        for days in DAYS_BEFORE:
            if days * DAY > self.history:
                break
            around = f"[{format_duration(2 * AROUND)}] offset {format_duration(days * DAY - AROUND)}"
            then = f"quantile_over_time(0.5, {actual}{around})"
            parts.append((f"{days}d", f"{then} - {ignored} {level} offset {days}d + {ignored} {level}"))
        return _together("quantile", "0.5, ", "ago", parts)

    def _expected(self) -> str:
        """Return the candidate that was nearer during the last day."""
        level, same_time = (
            f"avg_over_time({self._series(series.ERROR, {series.METHOD: method})}[1d])"
            for method in (LEVEL_METHOD, SAME_TIME)
        )
        ignored = f"ignoring ({series.METHOD})"
        better = f"{same_time} < {ignored} {number(GAIN)} * {level}"
        other = self._series(series.CANDIDATE, {series.METHOD: SAME_TIME})
        chosen = f"{other}\n  and {ignored}\n({better})\n  or {ignored}\n{self._level}"
        return self._possible(f"max without ({series.METHOD}) (\n{chosen}\n)")

    def _judging(self) -> Iterator[Rule]:
        expected = self._series(analyzer.EXPECTED, _NOW)
        for side in (ABOVE, BELOW):
            yield self._rule(series.ROOM, self._room(side), {**_NOW, series.SIDE: side})
        upper, lower = (
            f"{expected} + ignoring ({series.SIDE}) {self._series(series.ROOM, {series.SIDE: side})}"
            for side in (ABOVE, BELOW)
        )
        # The expectation itself is possible: an edge can leave that to its own side alone.
        yield self._rule(analyzer.UPPER, f"clamp_max({upper}, 1)" if self.ratio else upper, _NOW)
        yield self._rule(analyzer.LOWER, f"clamp_min({lower}, 0)", _NOW)
        if self.direction is not None:
            yield self._rule(analyzer.SCORE, self._score(SIDES[self.direction]))

    def _room(self, side: str) -> str:
        """Return how far the signal may depart to one side, once there is a day of past."""
        deviation = self._series(series.DEVIATION, _NOW)
        day = f"{deviation}[1d] offset {SETTLED}"
        upper, lower = (f"quantile_over_time({number(share)}, {day})" for share in DECILES)
        whole = f"{deviation}[{format_duration(self.history)}] offset {SETTLED}"
        farthest = f"max_over_time({whole})" if side == ABOVE else f"-min_over_time({whole})"
        parts = (
            ("spread", f"{number(SPREADS)} * ({upper} - {lower})"),
            ("record", f"{number(RECORDS)} * {farthest}"),
            ("share", f"{number(LEAST_SHARE)} * {self._series(analyzer.EXPECTED, _NOW)}"),
        )
        widest = f"clamp_min({_together('max', '', 'part', parts)}, {number(self.least)})"
        return f"{'' if side == ABOVE else '-'}{widest}\n  and\n{self._past_of(deviation)}"

    def _score(self, sides: Sequence[str]) -> str:
        """Return how much of the room is taken; 0 as long as there is no room known."""
        actual, expected = self._series(analyzer.ACTUAL), self._series(analyzer.EXPECTED, _NOW)
        chosen = {**_NOW, series.SIDE: sides[0]} if len(sides) == 1 else _NOW
        room = self._series(series.ROOM, chosen)
        deviation = f"({actual} - ignoring ({analyzer.HORIZON}) group_right () {expected})"
        taken = f"{deviation} / ignoring ({analyzer.HORIZON}, {series.SIDE}) group_right () {room}"
        return f"clamp_min(max without ({analyzer.HORIZON}, {series.SIDE}) ({taken}), 0)\nor\n{actual} * 0"

    def _ahead(self, horizon: float) -> Iterator[Rule]:
        """Yield a straight line, and its band from what such lines were off when their time had come."""
        label = {analyzer.HORIZON: format_duration(horizon)}
        trend = f"deriv({self._level}[{format_duration(self.history)}])"
        line = f"{self._level} + {trend} * {number(LEVEL_AGE + horizon)}"
        first = self.history - DAY
        known = f"present_over_time({self._level}[1d]{f' offset {format_duration(first)}' if first else ''})"
        # Nothing cuts it off at 1: when a capacity is reached is told by how steep it is.
        yield self._rule(
            analyzer.EXPECTED, f"clamp_min(max without ({series.METHOD}) ({line} and {known}), 0)", label
        )
        expected, actual = self._series(analyzer.EXPECTED, label), self._series(analyzer.ACTUAL)
        before = f"{expected} offset {format_duration(horizon)}"
        yield self._rule(series.DEVIATION, f"{actual} - ignoring ({analyzer.HORIZON}) {before}", label)
        deviation = self._series(series.DEVIATION, label)
        past = f"{deviation}[{format_duration(self.history)}]"
        for name, share, kept in zip(
            (analyzer.UPPER, analyzer.LOWER), OUTCOMES, ("clamp_min", "clamp_max"), strict=True
        ):
            off = f"{kept}(quantile_over_time({number(share)}, {past}), 0)"
            edge = f"clamp_min({expected} + {off}, 0)\n  and\n{self._past_of(deviation)}"
            yield self._rule(name, edge, label)

    def _past_of(self, deviation: str) -> str:
        """Return something where deviations are known that are more than a day old."""
        return f"present_over_time({deviation}[{format_duration(max(self.history - DAY, DAY))}] offset 1d)"

    @property
    def _level(self) -> str:
        return self._series(series.CANDIDATE, {series.METHOD: LEVEL_METHOD})

    def _possible(self, value: str) -> str:
        """Return a value without what the signal cannot be."""
        return f"clamp({value}, 0, 1)" if self.ratio else f"clamp_min({value}, 0)"

    def _series(self, name: str, more: Mapping[str, str] | None = None) -> str:
        return name + matchers({series.MONITOR: self.monitor.name, series.FOR: self.of, **(more or {})})

    def _rule(self, name: str, expression: str, more: Mapping[str, str] | None = None) -> Rule:
        return recording(name, expression, {**self.labels, **(more or {})})


_NOW = {analyzer.HORIZON: analyzer.NOW}


def _together(aggregation: str, parameter: str, label: str, parts: Sequence[tuple[str, str]]) -> str:
    """Return an aggregation of those parts that are there, each told apart by a label."""
    told = "\n  or\n".join(f'label_replace({part}, "{label}", "{value}", "", "")' for value, part in parts)
    return f"{aggregation} without ({label}) ({parameter}\n{told}\n)"


def entries(monitor: Monitor) -> Iterator[tuple[str, Entry]]:
    """Yield all that needs an expectation, with its place in the document."""
    for place, anomaly in enumerate(monitor.anomalies):
        yield f"spec.anomalies[{place}]", anomaly
    for place, forecast in enumerate(monitor.forecasts):
        yield f"spec.forecasts[{place}]", forecast
    for place, threshold in enumerate(monitor.thresholds):
        if isinstance(threshold.bound, Band):
            yield f"spec.thresholds[{place}]", threshold


def expectations(monitor: Monitor) -> tuple[Expectation, ...]:
    """Return every signal of which rules alone expect something, in the document's order."""
    if monitor.engine != "rules":
        return ()
    found: dict[str, list[Entry]] = {}
    for _, entry in entries(monitor):
        found.setdefault(entry.of, []).append(entry)
    return tuple(_expectation(monitor, of, asking) for of, asking in found.items())


def _expectation(monitor: Monitor, of: str, asking: Sequence[Entry]) -> Expectation:
    days = max(monitor.history(entry) for entry in asking) // DAY
    return Expectation(
        monitor,
        of,
        window=asking[0].window,
        by=tuple(sorted(asking[0].by)),
        history=max(days, 1.0) * DAY,
        direction=next((entry.direction for entry in asking if isinstance(entry, Anomaly)), None),
        horizons=tuple(sorted(entry.horizon for entry in asking if isinstance(entry, Forecast))),
    )


def groups(monitor: Monitor) -> tuple[Group, ...]:
    """Return the rules of every expectation of a monitor."""
    return tuple(group for expected in expectations(monitor) for group in expected.groups())


def problems(monitor: Monitor) -> Iterator[Problem]:
    """Yield what is wrong with what rules alone are asked to expect."""
    if monitor.engine != "rules":
        return
    first: dict[str, tuple[str, Entry]] = {}
    for path, entry in entries(monitor):
        place, other = first.setdefault(entry.of, (path, entry))
        for key, word, same in (
            ("by", "other labels", set(other.by) == set(entry.by)),
            ("window", "another window", other.window == entry.window),
        ):
            if not same:
                yield _problem(
                    monitor,
                    f"{path}.{key}",
                    f"`engine: rules` expects one thing of `{entry.of}`, and {place} has {word}",
                    f"give both the same `{key}`",
                )
        past = monitor.history(entry)
        told = f"{path}.{entry.side}_band" if isinstance(entry, Threshold) else f"{path}.history"
        if past % DAY or past < DAY:
            whole = format_duration(math.ceil(max(past, 1) / DAY) * DAY)
            yield _problem(
                monitor,
                told,
                f"`engine: rules` looks back whole days, not {format_duration(past)}",
                f"write `history: {whole}`, or leave this to the analyzer",
            )
        if past > LONGEST_PAST:
            yield _problem(
                monitor,
                told,
                f"`engine: rules` would read {format_duration(past)} of samples at each evaluation",
                f"write `history: {format_duration(LONGEST_PAST)}` or less, or leave this to the analyzer",
            )
        if isinstance(entry, Forecast):
            yield from _horizon(monitor, path, entry)


def _horizon(monitor: Monitor, path: str, forecast: Forecast) -> Iterator[Problem]:
    """Yield why no straight line is drawn so far, or so near, or is not all there is."""
    if forecast.candidates:
        yield _problem(
            monitor,
            f"{path}.candidates",
            "`engine: rules` draws a straight line and tries no other forecaster",
            "leave them out, or leave this to the analyzer",
        )
    ahead, days = format_duration(forecast.horizon), max(monitor.history(forecast) // DAY, 1.0)
    if forecast.horizon < SHORTEST_HORIZON:
        yield _problem(
            monitor,
            f"{path}.horizon",
            f"`engine: rules` draws lines from the level of {LEVEL}, which says nothing of the next {ahead}",
            f"write `horizon: {format_duration(SHORTEST_HORIZON)}` or more, or leave this to the analyzer",
        )
    elif forecast.horizon > days * DAY:
        yield _problem(
            monitor,
            f"{path}.horizon",
            f"a straight line through {format_duration(days * DAY)} of past says nothing of {ahead} ahead",
            f"write `history: {format_duration(math.ceil(forecast.horizon / DAY) * DAY)}` or more, "
            "or a shorter horizon",
        )


def _problem(monitor: Monitor, path: str, message: str, hint: str) -> Problem:
    return Problem(message, path, monitor.origin.locate(path), hint)
