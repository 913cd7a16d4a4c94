"""Instants asked for beforehand, several at a time: a thousand questions in a row take longer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from airis_mon.analyzer.query.querier import Frame, Querier


class Prefetch:
    """A querier that may have asked already."""

    def __init__(self, querier: Querier) -> None:
        """Ask `querier`, from several threads."""
        self._querier = querier
        self._asked: dict[tuple[str, int], Future[Frame]] = {}

    @contextmanager
    def asking(self, exprs: Iterable[str], at: int, concurrency: int) -> Iterator[None]:
        """Ask for the values at one time while the block runs, `concurrency` at once; alone, when asked."""
        if concurrency < 2:
            yield
            return
        pool = ThreadPoolExecutor(concurrency, thread_name_prefix="instants")
        try:
            self._asked = {(expr, at): pool.submit(self._querier.instant, expr, at) for expr in exprs}
            yield
        finally:
            self._asked = {}
            # A request that hangs must not hold up the end.
            pool.shutdown(wait=False, cancel_futures=True)

    def now(self) -> float:
        """Return the server's own time."""
        return self._querier.now()

    def range(self, expr: str, start: int, end: int, step: int) -> Frame:
        """Ask."""
        return self._querier.range(expr, start, end, step)

    def instant(self, expr: str, at: int) -> Frame:
        """Return what was asked for beforehand, or ask."""
        asked = self._asked.pop((expr, at), None)
        return self._querier.instant(expr, at) if asked is None else asked.result()

    def close(self) -> None:
        """Let go of connections."""
        self._querier.close()
