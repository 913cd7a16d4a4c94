"""Signals that ask us to end: SIGINT, SIGTERM and SIGHUP, all taken the same way."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def noted() -> Iterator[Callable[[], None]]:
    """Yield a function that raises KeyboardInterrupt once a signal has come, and does nothing before.

    For whoever owns processes: an exception out of a signal handler strikes anywhere, also between a child's
    start and the line that remembers it. This one strikes where the function is called. For the main thread.
    """
    asked = False

    def note(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True

    def tick() -> None:
        if asked:
            raise KeyboardInterrupt

    with _handled(note):
        yield tick


@contextmanager
def interruptible() -> Iterator[None]:
    """Let the first signal raise KeyboardInterrupt wherever we are, and swallow every further one.

    For work that cleans up after itself, and that an impatient second Ctrl-C must not keep from doing so. For
    the main thread.
    """
    interrupted = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal interrupted
        if not interrupted:
            interrupted = True
            raise KeyboardInterrupt

    with _handled(interrupt):
        yield


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
