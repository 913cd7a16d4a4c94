"""What changes between two versions of the documents: pages that come, go or move, incidents seen by one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from airis_mon.cli.page_replay.account import Account, Incident, Page

NEAR = 3600.0
"""Seconds within which a page to the same receiver about the same is the same page, at another time."""


@dataclass(frozen=True)
class Moved:
    """A page that both send, at different times."""

    before: Page
    after: Page

    @property
    def seconds(self) -> float:
        """How much later the new one comes; negative: earlier."""
        return self.after.at - self.before.at


@dataclass(frozen=True)
class Comparison:
    """The other version is `before`, the one that is proposed `after`. Resolutions are left out."""

    added: tuple[Page, ...]
    gone: tuple[Page, ...]
    moved: tuple[Moved, ...]
    same: int
    """Pages that both send at the same time."""
    only_before: tuple[Incident, ...]
    """Incidents that the version before saw alone."""
    only_after: tuple[Incident, ...]


def compare(before: Account, after: Account) -> Comparison:
    """Return what changes from `before` to `after`."""
    pairs, gone, added = _paired(_told(before), _told(after))
    return Comparison(
        added=tuple(added),
        gone=tuple(gone),
        moved=tuple(Moved(one, other) for one, other in pairs if one.at != other.at),
        same=sum(one.at == other.at for one, other in pairs),
        only_before=_unseen(before.incidents, after.incidents),
        only_after=_unseen(after.incidents, before.incidents),
    )


def _told(account: Account) -> list[Page]:
    return [page for page in account.pages if page.reason != "resolved"]


def _paired(
    before: Sequence[Page], after: Sequence[Page]
) -> tuple[list[tuple[Page, Page]], list[Page], list[Page]]:
    """Return the pages that both have, nearest in time first, and what is left on either side."""
    places: dict[Hashable, list[int]] = {}
    for index, page in enumerate(after):
        places.setdefault(_what(page), []).append(index)
    distances = sorted(
        (abs(after[other].at - page.at), index, other)
        for index, page in enumerate(before)
        for other in places.get(_what(page), ())
        if abs(after[other].at - page.at) <= NEAR
    )
    paired: dict[int, int] = {}
    taken: set[int] = set()
    for _, index, other in distances:
        if index not in paired and other not in taken:
            paired[index] = other
            taken.add(other)
    return (
        [(before[index], after[other]) for index, other in sorted(paired.items())],
        [page for index, page in enumerate(before) if index not in paired],
        [page for index, page in enumerate(after) if index not in taken],
    )


def _what(page: Page) -> Hashable:
    return page.receiver, page.level, frozenset(page.subjects)


def _unseen(incidents: Sequence[Incident], others: Sequence[Incident]) -> tuple[Incident, ...]:
    """Return the incidents during which none of the others was about the same."""
    return tuple(
        one
        for one in incidents
        if not any(one.subject == other.subject and _overlap(one, other) for other in others)
    )


def _overlap(one: Incident, other: Incident) -> bool:
    return (other.resolved_at is None or one.fired_at <= other.resolved_at) and (
        one.resolved_at is None or other.fired_at <= one.resolved_at
    )
