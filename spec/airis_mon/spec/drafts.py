"""Documents of a known kind, before they are held against each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from airis_mon.spec.problems import Origin
from airis_mon.spec.reading import Reading, nearest


@dataclass(frozen=True)
class Draft:
    """A document of a known kind, before it is held against the others."""

    kind: str
    name: str
    """Empty where there is none."""
    spec: Any
    """What the kind's shape made of `spec`, a dict by attribute; REFUSED where something is wrong in it."""
    salvaged: Any
    """The same, of a ModelMonitor that something is wrong with as far as it could be read."""
    reading: Reading
    origin: Origin

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.reading.problems

    def refuse(self, path: str, message: str, hint: str | None = None) -> None:
        """Note a problem at a field."""
        self.reading.refuse(self.origin.locate(path), path, message, hint)


def sound(kind: str, drafts: Iterable[Draft]) -> Iterable[Draft]:
    """Return those of a kind that nothing is wrong with."""
    return (draft for draft in drafts if draft.kind == kind and draft.sound)


def by_name(kind: str, drafts: Iterable[Draft]) -> dict[str, Draft]:
    """Return those of a kind, the first of each name."""
    found: dict[str, Draft] = {}
    for draft in drafts:
        if draft.kind == kind and draft.name:
            found.setdefault(draft.name, draft)
    return found


def declared(draft: Draft, path: str, name: str, kind: str, known: Mapping[str, Draft]) -> bool:
    """Say whether a name that a field holds is declared, noting where it is not."""
    if name in known:
        return True
    match = nearest(name, known)
    hint = f"declare a document of kind {kind} with that name, or pass the file that holds it"
    if match is not None:
        hint = f"did you mean `{match}`?"
    draft.refuse(path, f"there is no {kind} `{name}`", hint)
    return False
