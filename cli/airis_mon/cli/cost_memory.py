"""What rules were found to cost before: monitors of one shape are reckoned once, also across builds.

One file in the user's cache, of the monitors that were last asked about. A file that cannot be read is none.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import tempfile
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from airis_mon.rules.cost import Cost, Heavy, Reach

LARGEST = 16 << 20
"""Bytes that are read; a thousand kinds of monitors take one."""


class CostMemory:
    """Costs by what they follow from; `generator` stands for the program that reckons them."""

    def __init__(self, file: Path, generator: str) -> None:
        self._file = file
        self._generator = generator

    def recall(self) -> dict[str, Cost]:
        """Return what the last run kept."""
        try:
            with self._file.open("rb") as file:
                content = json.loads(file.read(LARGEST))
            if content["generator"] != self._generator:
                return {}
            return {str(key): _cost(one) for key, one in content["costs"].items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return {}

    def keep(self, costs: MutableMapping[str, Cost]) -> None:
        """Keep these, and forget all others; a cache that cannot be written to is none."""
        content = {key: dataclasses.asdict(cost) for key, cost in costs.items()}
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=self._file.parent, delete=False) as file:
                json.dump({"generator": self._generator, "costs": content}, file)
            os.replace(file.name, self._file)


def _cost(content: dict[str, Any]) -> Cost:
    heaviest = content["heaviest"]
    made = {
        "groups": tuple(content["groups"]),
        "reaches": {path: Reach(**reach) for path, reach in content["reaches"].items()},
        "heaviest": None if heaviest is None else Heavy(**heaviest),
        "unread": tuple(content["unread"]),
    }
    return Cost(**{**content, **made})
