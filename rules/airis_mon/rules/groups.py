"""Rules and groups as the rule file holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Rule = dict[str, Any]
"""One recording or alerting rule, its keys as Prometheus reads them."""


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated one after the other, each seeing what those before it recorded.

    Mimir takes at most 20 rules in a group.
    """

    name: str
    rules: tuple[Rule, ...]

    def content(self) -> dict[str, Any]:
        """Return the group as the rule file holds it; the interval is left to the server."""
        return {"name": self.name, "rules": list(self.rules)}


def group_name(monitor: str, *what: str) -> str:
    """Return the name of a group: `airis-mon:support-chat:availability:page`."""
    return ":".join(("airis-mon", monitor, *what))


MOST = 20
"""Rules in a group: what Mimir takes."""


def numbered(monitor: str, what: str, rules: Sequence[Rule]) -> Iterator[Group]:
    """Yield rules in as many groups as they need; a second one is called `what-2`."""
    for place, first in enumerate(range(0, len(rules), MOST), 1):
        title = what if place == 1 else f"{what}-{place}"
        yield Group(group_name(monitor, title), tuple(rules[first : first + MOST]))


def recording(name: str, expression: str, labels: Mapping[str, str]) -> Rule:
    """Return a recording rule with its labels in order."""
    return {"record": name, "expr": expression, "labels": dict(sorted(labels.items()))}


def file_content(groups: Sequence[Group]) -> dict[str, Any]:
    """Return a whole rule file."""
    return {"groups": [group.content() for group in groups]}
