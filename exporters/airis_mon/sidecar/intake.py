"""The way of every batch, whatever it came by: admitted, kept by the journal, then counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from airis_mon.journal import Journal, MemoryJournal, Origin
from airis_mon.sidecar.admission import Admission
from airis_mon.sidecar.aggregates import Aggregates
from airis_mon.sidecar.entries import Batch, kept
from airis_mon.sidecar.items import Event, ItemError
from airis_mon.sidecar.observation import Observation
from airis_mon.sidecar.translation import Change, Removal, Total


@dataclass(frozen=True)
class Refusal:
    """One item that did not count."""

    index: int
    """Its place in the body, from 0; blank lines are no items."""
    error: ItemError


@dataclass(frozen=True)
class Outcome:
    """What became of a batch."""

    accepted: int
    refusals: tuple[Refusal, ...] = ()
    """In the order of the body."""
    duplicate: bool = False
    """Whether it had come before, and counted then; nothing of it counts again."""


class Intake:
    """Takes batches of changes in. Belongs to the event loop."""

    def __init__(
        self,
        aggregates: Aggregates,
        journal: Journal | MemoryJournal,
        observation: Observation,
        now: Callable[[], float],
        stored: Callable[[int, Sequence[msgspec.Raw]], None],
        admission: Admission,
    ) -> None:
        """Take `stored` to be told of the events of each record, with its sequence, once it is durable."""
        self._aggregates = aggregates
        self._journal = journal
        self._observation = observation
        self._now = now
        self._stored = stored
        self._admission = admission

    async def take(
        self,
        kind: str,
        changes: Iterable[tuple[int, Change | list[Change]]],
        events: Mapping[int, Event],
        refusals: Sequence[Refusal],
        origin: Origin | None = None,
        beside: Sequence[Change] = (),
    ) -> Outcome:
        """Count the changes, each given with the index of its item, and say what is wrong with the rest.

        Of an item that comes to a list of changes all count or none.
        `events` are kept whole, beside the change of the same index that counts them. `refusals` are those of
        whoever read the body. An origin that was kept before is not counted again. JournalError where the
        batch could not be kept, and then nothing of it counts. `beside` belongs to no item, such as how far a
        file was read: ItemError where there is no place for it, and then nothing of the batch counts.
        """
        refused = list(refusals)
        now = self._now()
        accepted = 0
        batch = Batch()
        for one in beside:
            self._admit(batch, one, now)
        for index, change in changes:
            try:
                whole = kept(events[index]) if index in events else None
                if isinstance(change, list):
                    self._admit_all(batch, change, now)
                else:
                    self._admit(batch, change, now)
            except ItemError as error:
                refused.append(Refusal(index, error))
            else:
                accepted += 1
                if whole is not None:
                    batch.events.append(whole)
        if batch:

            def applied(sequence: int) -> None:
                batch.apply(self._aggregates, sequence, now)
                self._stored(sequence, batch.events)

            self._admission.waiting += accepted
            try:
                receipt = await self._journal.append(batch.encode(), origin, applied)
            finally:
                self._admission.waiting -= accepted
            if receipt.duplicate:
                self._observation.duplicate()
                return Outcome(0, duplicate=True)
        self._observation.accepted(kind, accepted)
        for refusal in refused:
            self._observation.rejected(kind, refusal.error.reason)
        return Outcome(accepted, tuple(sorted(refused, key=lambda refusal: refusal.index)))

    def _admit_all(self, batch: Batch, changes: list[Change], now: float) -> None:
        for change in changes:
            if not isinstance(change, Removal):
                # Asked first, and once more when its turn comes: what is refused must not be half counted.
                self._aggregates.admit(change)
        for change in changes:
            self._admit(batch, change, now)

    def _admit(self, batch: Batch, change: Change, now: float) -> None:
        if isinstance(change, Removal):
            found = self._aggregates.found(change.name, change.labels)
            if found is not None:
                batch.remove(found)
            return
        series = self._aggregates.admit(change)
        # From here on it is in use: what expires must not take along what is on its way to the disk.
        series.touched = now
        if isinstance(change, Total):
            batch.replace(series, change)
        else:
            batch.add(series, change)
