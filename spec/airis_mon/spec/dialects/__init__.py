"""Documents of others that say what ours say: read into the same values, with the same located errors.

Belongs here: one module per dialect, the keys that it has, and what each of them becomes.

Must not be here: keys of our own, and silence: what a dialect can say and we cannot do is refused with what
to write instead, never left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from airis_mon.spec.dialects import openslo, sloth
from airis_mon.spec.drafts import Draft
from airis_mon.spec.nodes import Node, Pairs, Scalar
from airis_mon.spec.reading import Reading

__all__ = ["draft", "joined"]


def draft(file: str, root: Node, reading: Reading) -> tuple[bool, Draft | None]:
    """Return whether a document is in a dialect of others, and what it says where it could be read."""
    heads = {key.text: value.text for key, value in _pairs(root) if isinstance(value, Scalar)}
    if sloth.spoken(heads):
        return True, sloth.draft(file, root, reading)
    if openslo.spoken(heads):
        return True, openslo.draft(file, root, reading)
    return False, None


def joined(drafts: Sequence[Draft]) -> list[Draft]:
    """Return all drafts, those put together that are one of ours in several documents of another dialect."""
    return openslo.joined(drafts)


def _pairs(root: Node) -> tuple[tuple[Scalar, Node], ...]:
    return root.pairs if isinstance(root, Pairs) else ()
