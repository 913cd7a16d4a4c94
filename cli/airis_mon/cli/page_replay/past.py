"""The past: from a team's Prometheus to ours, in pieces of a few hours, each read once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from airis_mon.cli.page_replay.workbench import Workbench
from airis_mon.remote_read import HttpReader, Query, RawSeries, write_body
from airis_mon.rules.replay import Selector

PIECE_MS = 6 * 3_600_000
"""Milliseconds of one read: 1,440 samples of a series that is scraped every 15 seconds."""
LOOKBACK_MS = 300_000
"""Milliseconds after which Prometheus no longer sees a sample."""
LARGEST = 4 << 30
"""Bytes that are brought over in all; some 200 million samples."""
_BODY = 8 << 20
"""Bytes of one write, about; newer servers refuse more than 32 MiB."""
_SAMPLE = 18
"""Bytes of a sample on the wire."""


class PastError(Exception):
    """A past that is not there, or too much of it; the text says what to do."""


@dataclass(frozen=True)
class Need:
    """Series, and the time from which they are needed."""

    selector: Selector
    start_ms: int


@dataclass(frozen=True)
class Brought:
    """What was brought over."""

    series: int
    """Different series."""
    samples: int
    """About; they are not counted one by one."""
    first_ms: int | None
    """Time of the oldest sample, None where there was none."""
    missing: tuple[Selector, ...]
    """What selected nothing in all that time."""


def bring(
    reader: HttpReader,
    needs: Sequence[Need],
    end_ms: int,
    benches: Sequence[Workbench],
    progress: Callable[[int, int, str], None] = lambda _done, _total, _what: None,
) -> Brought:
    """Read what is needed up to `end_ms`, and store it on every bench.

    Raises ReadError where a server fails, PastError where it is too much.
    """
    start = min((need.start_ms for need in needs), default=end_ms) - LOOKBACK_MS
    pieces = range(start, end_ms + 1, PIECE_MS)
    known: set[bytes] = set()
    missing = {need.selector: None for need in needs}
    size = 0
    first: int | None = None
    for done, begin in enumerate(pieces, 1):
        end = min(begin + PIECE_MS - 1, end_ms)
        wanted = [need.selector for need in needs if need.start_ms - LOOKBACK_MS <= end]
        found: dict[bytes, RawSeries] = {}
        for selector, series in zip(wanted, _read(reader, wanted, begin, end), strict=True):
            found.update((one.key, one) for one in series)  # once, whatever else selects it
            if series:
                missing.pop(selector, None)
        if found:
            first = min(_firsts(found.values()), default=None) if first is None else first
            for body in _bodies(found.values()):
                size += len(body)
                for bench in benches:
                    bench.take(body)
        known.update(found)
        if size > LARGEST:
            raise PastError(
                f"the rules read more than {LARGEST >> 30} GiB of the past; "
                "replay fewer monitors or a shorter time"
            )
        progress(done, len(pieces), "pieces of the past read")
    return Brought(len(known), size // _SAMPLE, first, tuple(missing))


def _firsts(series: Iterable[RawSeries]) -> Iterator[int]:
    return (one.first_ms for one in series if one.first_ms is not None)


def _read(
    reader: HttpReader, selectors: Sequence[Selector], begin: int, end: int
) -> Sequence[Sequence[RawSeries]]:
    return reader.read([Query(selector.conditions, begin, end) for selector in selectors])


def _bodies(series: Iterable[RawSeries]) -> Iterator[bytes]:
    batch: list[RawSeries] = []
    size = 0
    for one in series:
        batch.append(one)
        size += len(one.content)
        if size > _BODY:
            yield write_body(batch)
            batch, size = [], 0
    if batch:
        yield write_body(batch)
