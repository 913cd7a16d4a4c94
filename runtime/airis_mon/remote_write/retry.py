"""How long to wait before asking again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from email.utils import parsedate_to_datetime


@dataclass(frozen=True)
class Backoff:
    """Waits that double, with jitter, so that senders that failed together do not return together."""

    first: float = 0.05
    """Seconds before the first retry."""
    longest: float = 5.0
    """Seconds that no wait exceeds."""

    def wait(self, attempt: int, chance: random.Random) -> float:
        """Return the seconds to wait after failed attempt number `attempt`, counted from 0."""
        ceiling = min(self.longest, self.first * 2.0 ** min(attempt, 30))
        return ceiling * chance.uniform(0.5, 1.0)


def asked_wait(retry_after: str | None, now: float) -> float | None:
    """Return the seconds that a `Retry-After` header asks for: a number or an HTTP date; None without one."""
    if not retry_after:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError):
        return None
