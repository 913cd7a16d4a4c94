"""Proof of what rules alone expect, stage by stage: each is given what those before it record.

What is expected is computed here once more, from a past that is uneven on purpose: any other range, quantile
or factor would come to another value. Steps are such that no sample lies at the edge of a range, where
Prometheus 2 and 3 differ.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from airis_mon.analyzer import series as analyzer
from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.expectation import DAY, Expectation
from airis_mon.rules.proofs import forecasting, recorded, values
from airis_mon.rules.proofs.case import Case, Input, SampleCheck
from airis_mon.rules.proofs.past import Past, noise, quantile
from airis_mon.rules.proofs.proof import Proof
from airis_mon.rules.signals import Signal

STEP = 588.0
"""Seconds between two samples: a day, two days and a week ago each have one within five minutes before."""
LONG_STEP = 2220.0
"""The same where only ranges are read."""
HOUR = 3600.0
NOW = {analyzer.HORIZON: analyzer.NOW}
LEVEL, SAME_TIME = {series.METHOD: "level"}, {series.METHOD: "same_time"}
ABOVE, BELOW = {series.SIDE: "above"}, {series.SIDE: "below"}


class Reading(Signal):
    """A signal as it is recorded for its expectation."""

    @property
    def name(self) -> str:
        """Name of the recorded series."""
        return analyzer.ACTUAL

    @property
    def labels(self) -> dict[str, str]:
        """Labels that are added to those of `by`."""
        found = super().labels
        found.pop(series.DIMENSIONS, None)
        return found

    @property
    def selector(self) -> str:
        """PromQL of the recorded series."""
        return self.name + matchers({series.MONITOR: self.monitor.name, series.FOR: self.of})


def proofs(about: Expectation) -> Iterator[Proof]:
    """Yield the proofs of all that is expected of one signal."""
    readings, expecting, judging, *ahead = about.groups()
    reading = Reading(about.monitor, about.of, about.window, about.by)
    step = about.window
    yield Proof("reading", (readings,), step, (*values.cases([reading], step), *values.idle(reading, step)))
    yield Proof("expectation", (expecting,), STEP, tuple(_expecting(about)))
    yield Proof("band", (judging,), LONG_STEP, tuple(_Judged(about, LONG_STEP).cases()))
    if ahead:
        yield from forecasting.proofs(about, ahead)


# What is expected now


def _expecting(about: Expectation) -> Iterator[Case]:
    days = _days(about)
    count = round((days[-1] + 0.7) * DAY / STEP)
    unit = recorded.scale(about)
    uneven = [
        round(unit * (8 + 3 * math.sin(2 * math.pi * place * STEP / DAY) + 3 * off), 6)
        for place, off in enumerate(noise(count))
    ]
    yield _expected(about, "an uneven past", Past(uneven, STEP), [0.5, *(day + 0.5 for day in days)])
    for what, ratio in (("just nearer", 0.92), ("hardly nearer", 0.98)):
        past = _bumps(about, ratio)
        yield _expected(about, f"other days that are {what} than the level", past, [past.end / DAY])
    for what, bump, level in (("below zero", -10.0, 1.0), ("above one", 10.0, 19.0)):
        if bump < 0 or about.ratio:
            past = _moved(about, bump, level)
            yield _expected(about, f"other days that come to {what}", past, [past.end / DAY])
    yield Case(
        "nothing is expected of nothing",
        STEP,
        (),
        samples=[recorded.holds(about, analyzer.EXPECTED, 0, None, NOW)],
    )


def _days(about: Expectation) -> list[int]:
    return [day for day in (1, 2, 7) if day * DAY <= about.history]


def _expected(about: Expectation, what: str, past: Past, moments: Sequence[float]) -> Case:
    checks = []
    for moment in moments:
        place = min(round(moment * DAY / STEP), len(past.values) - 1)
        known = _Known(about, past)
        at, actual, level, same_time = (
            place * STEP,
            past.values[place],
            known.level(place),
            known.same_time(place),
        )
        expected = known.expected(place)
        checks += [
            recorded.holds(about, series.CANDIDATE, at, level, LEVEL),
            recorded.holds(about, series.CANDIDATE, at, same_time, SAME_TIME),
            recorded.holds(about, series.ERROR, at, abs(level - actual), LEVEL),
            recorded.holds(
                about, series.ERROR, at, None if same_time is None else abs(same_time - actual), SAME_TIME
            ),
            recorded.holds(about, analyzer.EXPECTED, at, expected, NOW),
            recorded.holds(about, series.DEVIATION, at, actual - expected, NOW),
        ]
    inputs = (
        *recorded.given(about, analyzer.ACTUAL, past),
        *recorded.others(about, _RECORDED, len(past.values)),
    )
    return Case(f"expectation of {about.of}: {what}", STEP, inputs, samples=checks)


_RECORDED = (
    (series.CANDIDATE, LEVEL),
    (series.CANDIDATE, SAME_TIME),
    (series.ERROR, LEVEL),
    (series.ERROR, SAME_TIME),
    (analyzer.EXPECTED, NOW),
)


class _Known:
    """What is known of a past at each of its samples."""

    def __init__(self, about: Expectation, past: Past) -> None:
        self._about, self._past = about, past

    def level(self, place: int) -> float:
        return quantile(self._past.between(place, 2 * HOUR, 0), 0.5)

    def same_time(self, place: int) -> float | None:
        found = []
        for day in _days(self._about):
            then = self._past.between(place, day * DAY + 600, day * DAY - 600)
            before = place - math.ceil(day * DAY / STEP)
            if then and before >= 0:
                found.append(quantile(then, 0.5) - self.level(before) + self.level(place))
        return quantile(found, 0.5) if found else None

    def ratio(self, place: int) -> float | None:
        """Return the error of other days as a share of that of the level, over the last day."""
        places = range(max(0, place - math.ceil(DAY / STEP) + 1), place + 1)
        actual = self._past.values
        other = [abs(value - actual[one]) for one in places if (value := self.same_time(one)) is not None]
        level = [abs(self.level(one) - actual[one]) for one in places]
        return (sum(other) / len(other)) / (sum(level) / len(level)) if other and sum(level) else None

    def expected(self, place: int) -> float:
        other, ratio = self.same_time(place), self.ratio(place)
        value = self.level(place) if other is None or ratio is None or ratio >= 0.95 else other
        return min(max(value, 0.0), 1.0 if self._about.ratio else math.inf)


def _bumps(about: Expectation, wanted: float) -> Past:
    """Return days with a bump at six, and one at noon that today lacks; other days are off by that share."""
    low, high = 0.0, 4.0
    for _ in range(30):
        echo = (low + high) / 2
        past = _bumpy(about, echo)
        found = _Known(about, past).ratio(len(past.values) - 1)
        low, high = (echo, high) if found is not None and found < wanted else (low, echo)
    return past


def _bumpy(about: Expectation, echo: float) -> Past:
    last = 1  # one other day is enough here, and quicker
    found = []
    for place in range(round((last + 1.77) * DAY / STEP)):
        day, hour = divmod(place * STEP / HOUR, 24)
        at_six = 1.0 if 6 <= hour < 6.9 else 0.0
        at_noon = echo if 12 <= hour < 12.9 and day < last + 0.5 else 0.0
        at_dusk = 1.0 if 18 <= hour < 18.9 and day < last + 0.5 else 0.0
        found.append(round(recorded.scale(about) * (10 + at_six + at_noon + at_dusk), 9))
    return Past(found, STEP)


def _moved(about: Expectation, bump: float, level: float) -> Past:
    """Return days with bumps each three hours, and a level that is another one at the end."""
    last = 1  # one other day is enough here, and quicker
    found = []
    for place in range(round((last + 1 + 18.4 / 24) * DAY / STEP)):
        hour = place * STEP / HOUR
        ends = hour >= (last + 1) * 24 + 15.5
        bumped = bump if hour % 3 < 0.8 and not ends else 0.0
        found.append(recorded.scale(about) * (level if ends else 10 + bumped))
    return Past(found, STEP)


# How far off is usual


@dataclass(frozen=True)
class _Judged:
    about: Expectation
    step: float

    def cases(self) -> Iterator[Case]:
        """Yield the tests of bands and scores."""
        long = round((self.about.history + 0.6 * DAY) / self.step)
        uneven = noise(long)
        unit, history = recorded.scale(self.about), self.about.history
        end = (long - 1) * self.step

        def ago(place: int) -> float:
            return end - place * self.step

        def spread(place: int) -> float:
            return uneven[place] * (0.6 if ago(place) > DAY + HOUR else 2.0 if ago(place) < HOUR else 1.0)

        def record(place: int) -> float:
            spikes = {
                0.5 * HOUR: 15.0,
                history - 0.1 * DAY: 9.0,
                history / 2: -7.0,
                history + 0.2 * DAY: 18.0,
                history + 0.4 * DAY: -12.0,
            }
            near = next(
                (high for before, high in spikes.items() if abs(ago(place) - before) <= self.step / 2), None
            )
            return 0.1 * uneven[place] if near is None else near

        yield self._case("days with noise", [unit * spread(place) for place in range(long)], 10 * unit)
        yield self._case("days with excursions", [unit * record(place) for place in range(long)], 10 * unit)
        yield self._case("days without noise", [0.0] * long, 10 * unit)
        yield self._case("days of nothing", [0.0] * long, 0.0)
        yield self._case("days near the top", [0.0] * long, 19.8 * unit)
        yield from self._warm()

    def _case(self, what: str, deviations: Sequence[float], expected: float) -> Case:
        about, past = self.about, Past(deviations, self.step)
        last = len(deviations) - 1
        above, below = self._room(past, last, expected, 1), self._room(past, last, expected, -1)
        actual, checks, top = [expected] * last, [], 1.0 if about.ratio else math.inf
        actual += [expected + 1.5 * above, max(expected - 0.5 * below, 0.0)]
        at = last * self.step
        checks += [
            recorded.holds(about, series.ROOM, at, above, {**NOW, **ABOVE}),
            recorded.holds(about, series.ROOM, at, -below, {**NOW, **BELOW}),
            recorded.holds(about, analyzer.UPPER, at, min(expected + above, top), NOW),
            recorded.holds(about, analyzer.LOWER, at, max(expected - below, 0.0), NOW),
        ]
        following = Past([*deviations, deviations[-1]], self.step)
        for place in (last, last + 1) if about.direction else ():
            off = actual[place] - expected
            room = above if off > 0 else below
            if place > last:
                room = self._room(following, place, expected, 1 if off > 0 else -1)
            counts = about.direction == "both" or (about.direction == "up") == (off > 0)
            checks.append(
                recorded.holds(about, analyzer.SCORE, place * self.step, abs(off) / room if counts else 0.0)
            )
        return self._given(what, actual, [expected] * (last + 2), following.values, checks)

    def _room(self, past: Past, place: int, expected: float, sign: int) -> float:
        day = past.between(place, DAY + HOUR, HOUR)
        whole = [sign * one for one in past.between(place, self.about.history + HOUR, HOUR)]
        least = 0.015 if self.about.ratio else 1e-9
        spread = 2.5 * (quantile(day, 0.9) - quantile(day, 0.1))
        return max(spread, 1.1 * max(whole), 0.05 * expected, least)

    def _warm(self) -> Iterator[Case]:
        """Yield the tests of a past that is too short: there is no band, and the score is 0."""
        unit = recorded.scale(self.about)
        day = math.ceil(DAY / self.step)
        reach = max(self.about.history, 2 * DAY)
        for what, count, known in (
            ("a past of a day", day + 1, True),
            ("a past of nearly a day", day, False),
        ):
            yield self._far(what, [0.1 * unit * one for one in noise(count)], known)
        for what, share, known in (("in the past", -0.1, True), ("before the past", 0.1, False)):
            gap = round((reach + share * DAY) / self.step)
            recent = round(0.4 * DAY / self.step)
            uneven: list[float] = [0.1 * unit * one for one in noise(recent)]
            yield self._far(
                f"a day that ended {what}",
                [*uneven[:9], *([math.nan] * (gap - recent)), *uneven],
                known,
            )

    def _far(self, what: str, deviations: Sequence[float], known: bool) -> Case:
        count, unit = len(deviations), recorded.scale(self.about)
        at, past = (count - 1) * self.step, Past(deviations, self.step)
        room = self._room(past, count - 1, 10 * unit, 1) if known else None
        below = -self._room(past, count - 1, 10 * unit, -1) if known else None
        checks = [
            recorded.holds(self.about, series.ROOM, at, room, {**NOW, **ABOVE}),
            recorded.holds(self.about, series.ROOM, at, below, {**NOW, **BELOW}),
            recorded.holds(self.about, analyzer.UPPER, at, None if room is None else (10 * unit + room), NOW),
        ]
        if self.about.direction:
            score = 0.0 if room is None or self.about.direction == "down" else 8 * unit / room
            checks.append(recorded.holds(self.about, analyzer.SCORE, at, score))
        return self._given(what, [18 * unit] * count, [10 * unit] * count, deviations, checks)

    def _given(
        self,
        what: str,
        actual: Sequence[float],
        expected: Sequence[float],
        deviations: Sequence[float],
        checks: Sequence[SampleCheck],
    ) -> Case:
        inputs = (
            *recorded.given(self.about, analyzer.ACTUAL, Past(actual, self.step)),
            *recorded.given(self.about, analyzer.EXPECTED, Past(expected, self.step), NOW),
            *recorded.given(self.about, series.DEVIATION, Past(deviations, self.step), NOW),
            *recorded.others(
                self.about, ((series.ROOM, {**NOW, **side}) for side in (ABOVE, BELOW)), len(actual)
            ),
            # What is expected later is not what is expected now.
            Input(
                series.DEVIATION + matchers(recorded.labels(self.about, {analyzer.HORIZON: "7s"})),
                f"19+0x{len(actual)}",
            ),
            Input(
                analyzer.EXPECTED + matchers(recorded.labels(self.about, {analyzer.HORIZON: "7s"})),
                f"19+0x{len(actual)}",
            ),
        )
        return Case(f"band of {self.about.of}: {what}", self.step, inputs, samples=checks)
