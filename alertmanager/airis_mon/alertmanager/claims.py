"""Cases that are said of several monitors at once: what differs in names alone is written down once.

A thousand monitors of a few ladders have thirty cases each. Told apart by their names alone they are a few
dozen, and who reads, plays or remembers them has that many.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from airis_mon.rules import series
from airis_mon.spec import Monitor

_PLACE = re.compile(r"\{(\w+)\}")

Names = Mapping[str, str]
"""What the places of a case stand for."""
T = TypeVar("T", bound=Hashable)


def place(label: str, role: str = "") -> str:
    """Return what stands for the name that a monitor has in a label; roles tell those of a case apart."""
    return f"{{{role}{label}}}"


def named(monitor: Monitor, role: str = "") -> dict[str, str]:
    """Return what the places of a monitor stand for."""
    return {
        f"{role}{series.MONITOR}": monitor.name,
        f"{role}{series.TEAM}": monitor.alerting.team,
        f"{role}{series.MODEL}": monitor.model.name,
    }


@dataclass(frozen=True)
class Claim:
    """Cases, and the monitors that they are said of."""

    cases: Sequence[Mapping[str, Any]]
    """With places, such as `{monitor}`, for names."""
    of: Sequence[Names]

    def filled(self, names: Names) -> list[dict[str, Any]]:
        """Return the cases with names in their places."""
        found: list[dict[str, Any]] = json.loads(_filled(self.text, names))
        return found

    def labels(self, names: Names) -> list[dict[str, str]]:
        """Return the labels of every alert that a case is about, each once."""
        return [dict(pairs) for pairs in json.loads(_filled(self._labels, names))]

    @cached_property
    def _labels(self) -> str:
        alerts = [alert for case in self.cases for alert in case.get("alerts", (case,))]
        return json.dumps(
            list(dict.fromkeys(tuple(alert["labels"].items()) for alert in alerts)), ensure_ascii=False
        )

    @cached_property
    def text(self) -> str:
        """The cases as JSON."""
        return json.dumps(self.cases, ensure_ascii=False)

    def content(self) -> dict[str, Any]:
        """Return what is written down."""
        return {"of": [dict(names) for names in self.of], "cases": list(self.cases)}


def read(content: Mapping[str, Any]) -> list[Claim]:
    """Return what was written down."""
    return [Claim(claim["cases"], claim["of"]) for claim in content.get("claims") or ()]


def written(claims: Iterable[Claim]) -> dict[str, Any]:
    """Return all claims of a file."""
    return {"claims": [claim.content() for claim in claims]}


def gathered(subjects: Iterable[tuple[T, Names]]) -> dict[T, list[Names]]:
    """Return who is alike: what the cases depend on, and the names of all who have just that."""
    found: dict[T, list[Names]] = {}
    for subject, names in subjects:
        found.setdefault(subject, []).append(names)
    return found


def _filled(text: str, names: Names) -> str:
    escaped = {key: json.dumps(name, ensure_ascii=False)[1:-1] for key, name in names.items()}
    return _PLACE.sub(lambda found: escaped.get(found[1], found[0]), text)
