"""From a call's end to the totals: one append then, the adding up later and for many at once.

Looking up labels and finding buckets call by call is what instrumentation costs. Here the thread that ends
a call appends one tuple to its model's list, without a lock. When the list has grown, or the process is
scraped, one thread takes what is there and adds it up column by column: a sort and a few bisections do for a
thousand calls. Nothing is lost on the way, as others only ever append behind what is taken.
"""

from __future__ import annotations

import re
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from numbers import Real
from typing import Any

from airis_mon.instrument.calls import Reasons
from airis_mon.instrument.families import FOLDED, OK, LLMFamilies, PredictorFamilies
from airis_mon.instrument.totals import Labels, Totals, Traced

BATCH = 1_024
"""Calls that wait to be added up before a caller does it: some 0.4 ms, once in a thousand calls."""
MOST = 16 * BATCH
"""Calls that may wait while another thread adds up; then the next caller waits for it: memory is bounded."""
LARGEST = 1e100
"""Of a measurement, in seconds or tokens; far beyond any, and no sum of such values overflows."""
TEXT = "text"
UNKNOWN = "unknown"
NO_CURRENCY = "XXX"
"""ISO 4217's word for none."""
_CURRENCY = re.compile("[A-Z]{3}", re.ASCII)


class Books:
    """The totals of one process with the lock that guards them."""

    def __init__(self, wall_clock: Callable[[], float] = time.time) -> None:
        self.totals = Totals()
        self.totals.declare(FOLDED)
        self.lock = threading.Lock()
        self.wall_clock = wall_clock
        """Seconds since 1970, for exemplars."""


class Recorder(ABC):
    """One model's calls, on their way to the totals."""

    def __init__(self, books: Books, reasons: Reasons, labels: Labels, kind: str, folded: bool) -> None:
        self.pending: list[tuple[Any, ...]] = []
        """Whoever ends a call appends here, and calls `settle` where there are BATCH or more."""
        self.books = books
        books.totals.count(FOLDED, (kind,))
        self._reasons = reasons
        self._labels = labels
        self._kind = kind
        self.folded = folded
        """Whether it stands for several models, as there are too many of them."""

    def settle(self) -> None:
        """Add up what waits, unless another thread is at it and little enough waits."""
        lock = self.books.lock
        # A second is for ever: only a handler that interrupted the very thread that adds up waits it out.
        if lock.acquire(blocking=False) or (len(self.pending) >= MOST and lock.acquire(timeout=1.0)):
            try:
                self.add_up()
            finally:
                lock.release()

    def add_up(self) -> None:
        """Add up what waits now; the caller holds the lock."""
        batch = self.pending[:]
        if batch:
            del self.pending[: len(batch)]
            self._add(batch)
            if self.folded:
                self.books.totals.count(FOLDED, (self._kind,), len(batch))

    def forget(self, books: Books) -> None:
        """Begin at zero in other books: what was recorded so far is another process' to tell."""
        self.pending.clear()
        self.books = books
        books.totals.count(FOLDED, (self._kind,))
        self.begin()

    @abstractmethod
    def begin(self) -> None:
        """Make the series of success, at zero."""

    @abstractmethod
    def _add(self, batch: list[tuple[Any, ...]]) -> None: ...

    def _observe(self, family: Any, labels: Labels, column: Iterable[Any]) -> None:
        values = numbers(column)
        if values:
            self.books.totals.tally(family, labels).add(values)


class LLMRecorder(Recorder):
    """The calls of a language model.

    Tuples are (duration, input, output, cached, written, reasoning, first chunk, per chunk, error, answering
    model, trace id), in seconds and tokens, None for what is not known; per chunk is a number or a list.
    """

    ANSWERING = 50
    """Names of answering models that become label values of their own; beyond, `other`."""

    def __init__(
        self,
        books: Books,
        families: LLMFamilies,
        reasons: Reasons,
        labels: Labels,
        kind: str,
        folded: bool,
    ) -> None:
        super().__init__(books, reasons, labels, kind, folded)
        self._families = families
        self._answering: set[str] = {""}
        self.money: list[tuple[Any, Any, Any]] = []
        """Amount, currency and tokens without a price, appended by whoever learns what was spent."""
        self.begin()

    def forget(self, books: Books) -> None:
        """Begin at zero in other books."""
        self.money.clear()
        super().forget(books)

    def add_up(self) -> None:
        """Add up what waits now; the caller holds the lock.

        The series of money appear with the first of it: nobody who counts none is told of nothing spent.
        """
        super().add_up()
        batch = self.money[:]
        if not batch or not self._families.money:
            self.money.clear()
            return
        del self.money[: len(batch)]
        cost, unpriced = self._families.money
        for amount, currency, tokens in batch:
            known = currency if isinstance(currency, str) and _CURRENCY.fullmatch(currency) else NO_CURRENCY
            self.books.totals.count(cost, (*self._labels, known), amount if _is_measured(amount) else 0)
            self.books.totals.count(unpriced, self._labels, tokens if _is_measured(tokens) else 0)

    def begin(self) -> None:
        """Make the series of success, at zero."""
        families, totals, labels = self._families, self.books.totals, (*self._labels, "")
        for family in families.all:
            totals.declare(family)
        totals.tally(families.duration, (*labels, ""))
        for family in families.usage[:2]:
            totals.count(family, (*labels, TEXT))
            totals.count(family, (*labels, UNKNOWN))
        for family in families.sizes:
            totals.tally(family, labels)

    def _add(self, batch: list[tuple[Any, ...]]) -> None:
        columns = list(zip(*batch, strict=True))
        if columns[8].count(None) == len(batch) == columns[9].count(columns[9][0]):
            self._group(None, _word(columns[9][0]), columns)
            return
        groups: dict[tuple[str | None, str], list[tuple[Any, ...]]] = {}
        for row in batch:
            error = None if row[8] is None else _word(row[8])
            groups.setdefault((error, _word(row[9])), []).append(row)
        for (failed, answering), rows in groups.items():
            self._group(failed, answering, list(zip(*rows, strict=True)))

    def _group(self, error: str | None, answering: str, columns: Sequence[Sequence[Any]]) -> None:
        families, totals = self._families, self.books.totals
        labels = (*self._labels, self._admitted(answering))
        durations = numbers(columns[0])
        duration = totals.tally(
            families.duration, (*labels, "" if error is None else self._reasons.admit(error))
        )
        duration.add(durations)
        self._observe(families.first_chunk, labels, columns[6])
        if columns[7].count(None) < len(columns[7]):
            gaps = [item if isinstance(item, list) else [item] for item in columns[7] if item is not None]
            self._observe(families.output_chunk, labels, chain.from_iterable(gaps))
        for position, family in enumerate(families.usage):
            column = columns[1 + position]
            known = numbers(column)
            if known:
                totals.count(family, (*labels, TEXT), sum(known))
            if position < 2:
                if len(known) < len(column):
                    totals.count(family, (*labels, UNKNOWN))
                if known and error is None:
                    totals.tally(families.sizes[position], labels).add(known)
        if columns[10].count(None) < len(columns[10]):
            now = self.books.wall_clock()
            for value, trace in zip(columns[0], columns[10], strict=True):
                if trace and _is_measured(value):
                    duration.keep(Traced(value, trace, now))

    def _admitted(self, answering: str) -> str:
        if answering not in self._answering:
            if len(self._answering) > self.ANSWERING:
                return "other"
            self._answering.add(answering)
        return answering


class PredictorRecorder(Recorder):
    """The calls of another model; tuples are (duration, error, confidences)."""

    def __init__(
        self,
        books: Books,
        families: PredictorFamilies,
        reasons: Reasons,
        labels: Labels,
        kind: str,
        folded: bool,
    ) -> None:
        super().__init__(books, reasons, labels, kind, folded)
        self._families = families
        self.labelled: list[tuple[int, int]] = []
        """How many were right and how many wrong, appended by whoever learns of labels."""
        self.features: list[tuple[list[tuple[str, str]], int]] = []
        """Feature and bin of what a prediction was given, and how many values no reference has."""
        self._bins: dict[tuple[str, str], None] = {}
        self.begin()

    def forget(self, books: Books) -> None:
        """Begin at zero in other books."""
        self.labelled.clear()
        self.features.clear()
        super().forget(books)

    def add_up(self) -> None:
        """Add up what waits now; the caller holds the lock.

        The series of labels appear with the first of them: nobody who has none is told of 0 right ones.
        """
        super().add_up()
        batch = self.labelled[:]
        if batch:
            del self.labelled[: len(batch)]
            for correct, amounts in zip(("true", "false"), zip(*batch, strict=True), strict=True):
                self.books.totals.count(self._families.labelled, (*self._labels, correct), sum(amounts))
        given = self.features[:]
        if given:
            del self.features[: len(given)]
            count, families = self.books.totals.count, self._families
            for one, times in Counter(chain.from_iterable(bins for bins, _ in given)).items():
                count(families.bins, (*self._labels, *one), times)
            count(families.unknown, self._labels, sum(unknown for _, unknown in given))

    def expect(self, bins: Iterable[tuple[str, str]]) -> None:
        """Make the series of features and their bins, at zero; the caller holds the lock.

        A bin that was never seen has to be there: else its first value would be no increase.
        """
        for one in bins:
            self._bins[one] = None
            self.books.totals.count(self._families.bins, (*self._labels, *one))
        self.books.totals.count(self._families.unknown, self._labels)

    def begin(self) -> None:
        """Make the series of success, at zero."""
        totals = self.books.totals
        for family in self._families.all:
            totals.declare(family)
        totals.count(self._families.predictions, (*self._labels, OK))
        totals.tally(self._families.duration, self._labels)
        totals.tally(self._families.confidence, self._labels)
        if self._bins:
            self.expect(tuple(self._bins))

    def _add(self, batch: list[tuple[Any, ...]]) -> None:
        durations, errors, confidences = zip(*batch, strict=True)
        self._observe(self._families.duration, self._labels, durations)
        for error in set(errors):
            outcome = OK if error is None else self._reasons.admit(error)
            self.books.totals.count(self._families.predictions, (*self._labels, outcome), errors.count(error))
        stated = [value for values in confidences for value in values]
        self._observe(self._families.confidence, self._labels, stated)


def numbers(column: Iterable[Any]) -> list[float]:
    """Return what is known of a column, in ascending order; what is no number from 0 up is left out.

    Nothing that a model answers may break a scrape. The good case is looked at as a whole, and costs a sort.
    """
    values = [value for value in column if value is not None]
    try:
        values.sort()
        # A NaN may lie anywhere, but no sum hides it.
        good = not values or (values[0] >= 0 and values[-1] <= LARGEST and sum(values) >= 0)
    except TypeError:
        good = False
    if not good:
        values = sorted(float(value) for value in values if _is_measured(value))
    return values


def _is_measured(value: Any) -> bool:
    return isinstance(value, Real) and bool(0 <= value <= LARGEST)  # type: ignore[operator]


def _word(value: Any) -> str:
    """Return a label's value, whatever an answer had in its place."""
    return value if isinstance(value, str) else str(value)
