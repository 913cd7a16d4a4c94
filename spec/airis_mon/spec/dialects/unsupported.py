"""Keys that a dialect has and that nothing of ours could honour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from airis_mon.spec.nodes import Node
from airis_mon.spec.reading import Reading, Refused


@dataclass(frozen=True)
class Unsupported:
    """The shape of a value that is refused whatever it is."""

    message: str
    hint: str

    def read(self, node: Node, path: str, reading: Reading) -> Refused:
        """Note why, and what to write instead."""
        return reading.refuse(reading.places.get(path, node.location), path, self.message, self.hint)

    def schema(self) -> dict[str, Any]:
        """Return a schema that nothing fits."""
        return {"not": {}}
