"""A body's way: decoded, translated, admitted, kept by the journal, then counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from airis_mon.sidecar.aggregates import Aggregates, Series
from airis_mon.sidecar.decoding import Decoding
from airis_mon.sidecar.items import ItemError
from airis_mon.sidecar.journal import Batch, Journal
from airis_mon.sidecar.observation import Observation
from airis_mon.sidecar.translation import Update

T = TypeVar("T")


@dataclass(frozen=True)
class Refusal:
    """One item that did not count."""

    index: int
    """Its place in the body, from 0; blank lines are no items."""
    error: ItemError


@dataclass(frozen=True)
class Outcome:
    """What became of a body."""

    accepted: int
    refusals: tuple[Refusal, ...] = ()
    """In the order of the body."""


class Intake(Generic[T]):
    """Takes in one kind of item."""

    def __init__(
        self,
        kind: str,
        decoding: Decoding[T],
        translate: Callable[[T], Update],
        batch: Callable[[Iterable[T]], Batch],
        aggregates: Aggregates,
        journal: Journal,
        observation: Observation,
    ) -> None:
        self._kind = kind
        self._decoding = decoding
        self._translate = translate
        self._batch = batch
        self._aggregates = aggregates
        self._journal = journal
        self._observation = observation

    async def take(self, body: bytes, media: str) -> Outcome:
        """Count the good items of a body of media type JSON or NDJSON, and say what is wrong with the rest.

        BodyError or TooManyItemsError where nothing of it counts; JournalError where it could not be kept,
        and nothing of it counts either.
        """
        decoded = self._decoding.decode(body, media)
        refusals = [Refusal(index, error) for index, error in decoded.errors]
        admitted: list[tuple[Series, Update]] = []
        kept: list[T] = []
        for index, item in decoded.items:
            try:
                update = self._translate(item)
                admitted.append((self._aggregates.admit(update), update))
            except ItemError as error:
                refusals.append(Refusal(index, error))
            else:
                kept.append(item)
        if kept:
            await self._journal.append(self._batch(kept))
        for series, update in admitted:
            series.apply(update.value, update.timestamp)
        self._observation.accepted(self._kind, len(kept))
        for refusal in refusals:
            self._observation.rejected(self._kind, refusal.error.reason)
        return Outcome(len(kept), tuple(sorted(refusals, key=lambda refusal: refusal.index)))
