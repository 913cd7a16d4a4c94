"""From when until when, who says so and why: options of what keeps people from being told."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from airis_mon.spec import format_duration, parse_duration

LONGEST = timedelta(days=366)
_AUTHOR_MAX, _COMMENT_MAX = 100, 1000


def add_arguments(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add the options from which `spell` is read, and `author` and `comment`."""
    end = parser.add_mutually_exclusive_group(required=required)
    end.add_argument(
        "--for", dest="duration", type=_duration, metavar="DURATION", help="how long, such as 2h"
    )
    end.add_argument(
        "--until", type=moment, metavar="TIME", help="until when, such as 2026-12-01T06:00:00+01:00"
    )
    parser.add_argument("--from", dest="begin", type=moment, metavar="TIME", help="from when (default: now)")
    parser.add_argument(
        "--author", type=_text(_AUTHOR_MAX), required=True, metavar="NAME", help="who says so"
    )
    parser.add_argument(
        "--comment",
        type=_text(_COMMENT_MAX),
        required=required,
        metavar="TEXT",
        help="why; others will read it",
    )


def spell(arguments: argparse.Namespace, now: datetime) -> tuple[datetime, datetime]:
    """Return begin and end; ValueError where they are none."""
    begin = arguments.begin or now
    end = arguments.until or begin + arguments.duration
    if end <= begin:
        raise ValueError(f"it would end at {shown(end)}, before it begins at {shown(begin)}")
    if end <= now:
        raise ValueError(f"it would have ended at {shown(end)} already")
    if end - begin > LONGEST:
        raise ValueError(f"{(end - begin).days} days are too long; {LONGEST.days} are allowed")
    return begin, end


def shown(time: datetime) -> str:
    """Return a time as tables and messages show it: in UTC, by the second."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """Return the time that a person wrote; it has to say its distance from UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        message = "write one with its distance from UTC, such as 2026-12-01T06:00:00+01:00 or ...Z"
        raise argparse.ArgumentTypeError(f"`{text[:60]}` is no time; {message}")
    return found


def _duration(text: str) -> timedelta:
    try:
        found = timedelta(seconds=parse_duration(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error.args[0]}; {error.args[1]}") from error
    except OverflowError:
        found = LONGEST * 2
    if not timedelta(seconds=1) <= found <= LONGEST:
        longest = format_duration(LONGEST.total_seconds())
        raise argparse.ArgumentTypeError(f"`{text}` is out of bounds; write 1s to {longest}")
    return found


def _text(longest: int) -> Callable[[str], str]:
    def text(value: str) -> str:
        stripped = value.strip()
        if not stripped or not stripped.isprintable() or len(stripped) > longest:
            raise argparse.ArgumentTypeError(f"one line of at most {longest} characters is needed")
        return stripped

    return text
