"""When somebody would be told: times that come again, laid out over years that come.

The days of a year are gone through one by one, in each interval's own time zone, so that weekdays, the ends
of months, summer time and followers of the sun are all as they will be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from airis_mon.spec import Recurrence, Step, TimeInterval

FIRST_YEAR = 2028
"""A leap year. Which one is first has no meaning: what is found in a year that comes will happen."""
CYCLE = 28
"""Years after which every date has been every day of the week."""

MOST = 100_000
"""Spells that are laid out for one answer, beside those of a first year: a second's work."""

Spell = tuple[float, float]
"""Unix seconds; the end is not included."""


def zone(interval: TimeInterval) -> tzinfo:
    """Return the time zone of an interval; KeyError or OSError where this machine does not know it."""
    return UTC if interval.location == "UTC" else ZoneInfo(interval.location)


def comes(recurrence: Recurrence, where: tzinfo) -> bool:
    """Say whether such a time ever comes; the 30th of February does not."""
    return any(True for year in _years([recurrence]) for _ in _spells(recurrence, where, year))


def ends(recurrences: Sequence[Recurrence]) -> bool:
    """Say whether there is a time at which none of them (in UTC) holds."""
    step = Step((), active_time_intervals=("all",))
    return silence([step], {"all": TimeInterval("all", tuple(recurrences))}) is not None


def speaks(step: Step, intervals: Mapping[str, TimeInterval]) -> bool:
    """Say whether a step is ever told at all."""
    named = (*step.active_time_intervals, *step.mute_time_intervals)
    recurrences = [one for name in named for one in intervals[name].intervals]
    for looked, year in enumerate(_years(recurrences)):
        # What would take minutes to be sure of is given the benefit of the doubt.
        if told(step, intervals, year) or (looked + 1) * _effort(recurrences) > MOST:
            return True
    return False


def silence(rung: Sequence[Step], intervals: Mapping[str, TimeInterval]) -> float | None:
    """Return a moment at which none of the steps is told, None where there is none.

    Where dates are named, the years from one leap year to the next are looked at, fewer of very many times.
    """
    if not all(step.timed for step in rung):
        return None
    named = {name for step in rung for name in (*step.active_time_intervals, *step.mute_time_intervals)}
    recurrences = [one for name in sorted(named) for one in intervals[name].intervals]
    looked = max(1, min(4, MOST // _effort(recurrences)))
    for year in _years(recurrences)[:looked]:
        begin, end = _year(year)
        spoken = _union(spell for step in rung for spell in told(step, intervals, year))
        gaps = _without([(begin, end)], spoken)
        if gaps:
            return gaps[0][0]
    return None


def _effort(recurrences: Sequence[Recurrence]) -> int:
    """Return how many spells there are in a year at most."""
    return 366 * sum(max(1, len(one.times)) for one in recurrences)


def _years(recurrences: Iterable[Recurrence]) -> range:
    dated = any(one.days_of_month or one.months for one in recurrences)
    return range(FIRST_YEAR, FIRST_YEAR + (CYCLE if dated else 1))


def _year(year: int) -> Spell:
    return datetime(year, 1, 1, tzinfo=UTC).timestamp(), datetime(year + 1, 1, 1, tzinfo=UTC).timestamp()


def told(step: Step, intervals: Mapping[str, TimeInterval], year: int) -> list[Spell]:
    """Return when within a year (UTC) a step is told, in order."""
    active = _union(_named(step.active_time_intervals, intervals, year))
    mute = _union(_named(step.mute_time_intervals, intervals, year))
    return _without(active if step.active_time_intervals else [_year(year)], mute)


def _named(names: Iterable[str], intervals: Mapping[str, TimeInterval], year: int) -> Iterator[Spell]:
    for name in names:
        yield from _year_of(intervals[name], year)


@lru_cache(maxsize=32)
def _year_of(interval: TimeInterval, year: int) -> tuple[Spell, ...]:
    """Return when within a year an interval holds; the steps of many policies name the same few."""
    begin, end = _year(year)
    found = [
        (max(first, begin), min(last, end))
        for recurrence in interval.intervals
        for first, last in _spells(recurrence, zone(interval), year)
        if last > begin and first < end
    ]
    return tuple(_union(found))


def _spells(recurrence: Recurrence, where: tzinfo, year: int) -> Iterator[Spell]:
    """Yield the times of a year, and those of a day before and after, in other zones' years."""
    for ordinal in range(datetime(year, 1, 1).toordinal() - 1, datetime(year + 1, 1, 1).toordinal() + 1):
        day = datetime.fromordinal(ordinal)
        if recurrence.on(day):
            midnight = day.replace(tzinfo=where)
            for first, last in recurrence.times or ((0, 24 * 60),):
                begin = (midnight + timedelta(minutes=first)).timestamp()
                end = (midnight + timedelta(minutes=last)).timestamp()
                if begin < end:  # the hour that summer time leaves out
                    yield begin, end


def _union(spells: Iterable[Spell]) -> list[Spell]:
    """Return the same times in order, none of them touching the next."""
    found: list[Spell] = []
    for begin, end in sorted(spells):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((begin, end))
    return found


def _without(spells: Sequence[Spell], others: Sequence[Spell]) -> list[Spell]:
    """Return what of the first is not in the second, both in order."""
    found: list[Spell] = []
    rest = iter(others)
    other = next(rest, None)
    for begin, end in spells:
        while other is not None and other[1] <= begin:
            other = next(rest, None)
        while other is not None and other[0] < end:
            if begin < other[0]:
                found.append((begin, other[0]))
            begin = max(begin, other[1])
            if other[1] > end:
                break
            other = next(rest, None)
        if begin < end:
            found.append((begin, end))
    return found
