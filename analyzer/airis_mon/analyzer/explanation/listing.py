"""The accounts of many series, as lines of text and as values for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from airis_mon.analyzer.explanation.account import Account
from airis_mon.analyzer.explanation.episodes import Episode
from airis_mon.analyzer.explanation.wording import clock, moment, number, plural, scored, span

SHOWN = 20
"""Episodes of one series, the newest ones, that are lines of text."""


def lines(account: Account, seconds: float) -> Iterator[str]:
    """Yield what happened to one series; `seconds` is what judging it took."""
    told = [
        f"{plural(len(account.told(severity)), severity)}"
        + (f" ({len(account.false(severity))} false)" if account.incidents else "")
        + f", {account.weekly(severity):.2g} a week"
        for severity in account.waits
    ]
    budget = f"{account.query.false_pages_per_week:g} false ones a week accepted"
    yield (
        f"{account.name}: {plural(len(account.episodes), 'episode')}; {'; '.join(told)} ({budget}); "
        f"{_counted(account)} in {seconds:.1f}s"
    )
    if not account.course.ready.any():
        yield "  never judged: less than a day of values before, or too few"
    rest = len(account.episodes) - SHOWN
    if rest > 0:
        yield f"  {plural(rest, 'earlier episode')}"
    for episode in account.episodes[-SHOWN:]:
        yield f"  {line(account, episode)}"


def _counted(account: Account) -> str:
    every, numbers = len(account.course.timestamps), account.numbers
    return f"{every:,} values" if numbers == every else f"{numbers:,} of {every:,} values are numbers, judged"


def line(account: Account, episode: Episode) -> str:
    """Return one episode: when, how long, how far off, who is told."""
    course, unit = account.course, account.query.unit
    told = ", ".join(f"{one.severity} at {clock(one.at)}" for one in episode.told) or "nobody told"
    value, expected = (number(float(part[episode.peak]), unit) for part in (course.values, course.expected))
    return (
        f"{moment(episode.begin)}  {span(episode.end - episode.begin):>7}"
        f"  score {scored(float(course.score[episode.peak])):>5}"
        f"  {value}, expected {expected}; {told}"
    )


def values(account: Account, seconds: float) -> Mapping[str, Any]:
    """Return what happened to one series, for JSON; no number in it is NaN."""
    course, query = account.course, account.query
    return {
        "series": account.name,
        "monitor": query.monitor,
        "signal": query.signal,
        "from": _iso(course.timestamps[0]),
        "to": _iso(course.timestamps[-1]),
        "values": len(course.timestamps),
        "numbers": account.numbers,
        "judged": int(course.ready.sum()),
        "seconds": round(seconds, 3),
        "false_pages_per_week_accepted": query.false_pages_per_week,
        "told": {
            severity: {
                "after": wait,
                "count": len(account.told(severity)),
                "false": len(account.false(severity)),
                "false_per_week": round(account.weekly(severity), 4),
            }
            for severity, wait in account.waits.items()
        },
        "episodes": [_episode(account, episode) for episode in account.episodes],
    }


def _episode(account: Account, episode: Episode) -> Mapping[str, Any]:
    course = account.course
    return {
        "begin": _iso(episode.begin),
        "end": _iso(episode.end),
        "peak": _iso(course.timestamps[episode.peak]),
        "score": float(course.score[episode.peak]),
        "value": float(course.values[episode.peak]),
        "expected": float(course.expected[episode.peak]),
        "told": [{"severity": one.severity, "at": _iso(one.at)} for one in episode.told],
    }


def _iso(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
