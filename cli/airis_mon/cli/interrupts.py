"""Signals that ask us to end, all taken the same way: once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let the first SIGINT, SIGTERM or SIGHUP raise KeyboardInterrupt, and swallow every further one.

    An impatient second Ctrl-C would otherwise interrupt the very cleaning up that the first one asked for.
    For the main thread.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for other in _SIGNALS:
            # A handler, not SIG_IGN: children would inherit that.
            signal.signal(other, lambda _number, _frame: None)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
