"""The server that evaluates the rules: which version it is, and how many rules it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from airis_mon.rules.groups import Group, group_name
from airis_mon.spec import Monitor, Problem

OLDEST = (2, 42)
"""Debian 12's Prometheus. Rule files are decoded strictly: a field that it does not know is the end of it."""


@dataclass(frozen=True)
class Ruler:
    """A Prometheus, or the ruler of a Mimir that reads the same files."""

    version: tuple[int, int] = OLDEST
    """Oldest Prometheus whose rule files and PromQL it understands."""
    rules_per_group: int | None = None
    """Most rules that it takes in one group; None where it does not count them."""
    groups: int | None = None
    """Most groups that it takes of one tenant, all files together; None where it does not count them."""


MIMIR_RULES_PER_GROUP, MIMIR_GROUPS = 20, 70
"""Mimir's defaults of `-ruler.max-rules-per-rule-group` and `-ruler.max-rule-groups-per-tenant`."""


def packed(monitor: Monitor, emitted: Sequence[Group], ruler: Ruler) -> tuple[Group, ...]:
    """Return the same rules in as few groups as the ruler's limits ask for, one after the other as before.

    Rules of one group are evaluated in their order, each seeing what those before it recorded: that is how
    promtool evaluates the groups in the proofs too.
    """
    if ruler.rules_per_group is None:
        return tuple(emitted)
    return tuple(
        Group(
            group_name(monitor.name, str(number)),
            tuple(rule for place in places for rule in emitted[place].rules),
        )
        for number, places in enumerate(_packs([len(group.rules) for group in emitted], ruler), 1)
    )


def _packs(sizes: Sequence[int], ruler: Ruler) -> list[list[int]]:
    """Return which groups go together, by their places."""
    packs: list[list[int]] = []
    size = 0
    for place, more in enumerate(sizes):
        if ruler.rules_per_group is None or not packs or size + more > ruler.rules_per_group:
            packs.append([])
            size = 0
        packs[-1].append(place)
        size += more
    return packs


def written(version: tuple[int, int]) -> str:
    """Return a version as people write it."""
    return f"{version[0]}.{version[1]}"


def problems(monitor: Monitor, emitted: Sequence[Group], ruler: Ruler) -> list[Problem]:
    """Return every group of a monitor that holds more rules than the ruler takes."""
    most = ruler.rules_per_group
    return [
        Problem(
            f"the group `{group.name}` has {len(group.rules)} rules, and Mimir takes {most} in one group",
            location=monitor.origin.locate(""),
            hint="split the monitor into two that watch less each, or raise the tenant's\n"
            "`ruler_max_rules_per_rule_group` and say so with `--mimir.max-rules-per-group`",
        )
        for group in emitted
        if most is not None and len(group.rules) > most
    ]


def crowding(sizes: Mapping[str, Sequence[int]], ruler: Ruler) -> list[Problem]:
    """Return what is wrong with the groups of all monitors together: a ruler counts them by tenant.

    `sizes` are how many rules each group of a monitor has, before they are packed.
    """
    if ruler.groups is None:
        return []
    numbers = {name: len(_packs(groups, ruler)) for name, groups in sizes.items()}
    total = sum(numbers.values())
    if total <= ruler.groups:
        return []
    largest = sorted(numbers, key=lambda name: -numbers[name])[:3]
    return [
        Problem(
            f"all monitors come to {total} groups of rules, and Mimir takes {ruler.groups} of a tenant",
            hint="most have " + ", ".join(f"`{name}` ({numbers[name]})" for name in largest) + "\n"
            "spread the documents over several tenants, a build for each, or raise the tenant's\n"
            "`ruler_max_rule_groups_per_tenant` and say so with `--mimir.max-rule-groups`",
        )
    ]
