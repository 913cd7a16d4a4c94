"""Values on command lines that several commands read: durations, moments, shares.

What is wrong with one, and what to write instead, is the text of an ArgumentTypeError.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime

from airis_mon.spec import parse_duration


def duration(text: str) -> float:
    """Return the seconds of an argument such as 30d."""
    try:
        found = parse_duration(text)
    except ValueError as error:  # what is wrong, and what to write
        raise argparse.ArgumentTypeError("; ".join(map(str, error.args))) from error
    if found <= 0:
        raise argparse.ArgumentTypeError(f"`{text}` is not longer than nothing")
    return found


def moment(text: str, now: float) -> float:
    """Return the seconds since the epoch of an argument: a time, or a duration before `now`."""
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"`{text}` is neither a duration such as 7d nor a time such as 2026-11-19T00:00:00Z"
        ) from error
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()


def share(text: str) -> float:
    """Return an argument such as 0.8."""
    return between(text, 0.0, 1.0, "such as 0.8")


def count(least: int) -> Callable[[str], int]:
    """Return what reads a whole number from `least` to 1000."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or not least <= int(text) <= 1000:
            raise argparse.ArgumentTypeError(f"`{text}` is no number from {least} to 1000")
        return int(text)

    return read


def between(text: str, least: float, most: float, such: str) -> float:
    """Return an argument above `least` and up to `most`."""
    try:
        found = float(text)
    except ValueError:
        found = float("nan")
    if not least < found <= most:
        raise argparse.ArgumentTypeError(
            f"`{text}` is no number above {least:g} and up to {most:g}; write one {such}"
        )
    return found
