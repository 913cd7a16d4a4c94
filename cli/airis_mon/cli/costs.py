"""What rules will cost, told before anything is written, and refused where it is more than the budget."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from airis_mon.cli import arguments, source
from airis_mon.cli.cost_memory import CostMemory
from airis_mon.cli.live import Inspection
from airis_mon.cli.targets import Target
from airis_mon.rules import compile as rules
from airis_mon.rules.cost import (
    Assumptions,
    Budget,
    Cost,
    estimates,
    over_budget,
    short_of_retention,
    spelled,
)
from airis_mon.spec import Bundle, Problem, SpecError, format_duration

SHOWN = 5
"""Monitors that `build` names; `check --cost` names all."""


@dataclass(frozen=True)
class Limits:
    """What the rules may cost, and what the estimate assumes."""

    budget: Budget
    assumptions: Assumptions
    retention: float | None
    """Seconds for which samples are kept, where that was said."""


@dataclass(frozen=True)
class Account:
    """What the rules of all monitors cost."""

    costs: tuple[Cost, ...]
    limits: Limits
    warnings: tuple[Problem, ...]

    def table(self, shown: int | None = None) -> str:
        """Return a line per monitor, the dearest first, and the total."""
        order = sorted(self.costs, key=lambda cost: (-cost.samples_per_second, cost.monitor))
        named = order if shown is None or len(order) <= shown + 1 else order[:shown]
        rest = order[len(named) :]
        width = max((len(cost.monitor) for cost in named), default=0)
        width = max(width, len(f"and {len(rest)} more"), len("monitor"))
        assumed = self.limits.assumptions
        found = "as found" if assumed.counted else f"{assumed.series_per_selector:g} assumed"
        lines = [
            f"cost, evaluated every {format_duration(assumed.evaluation_interval)},"
            f" series per selector {found}:",
            f"  {'monitor':{width}} {'rules':>7} {'series':>9} {'samples/s':>13}",
        ]
        lines += [_line(cost.monitor, [cost], width) for cost in named]
        lines += [_line(f"and {len(rest)} more", rest, width)] if rest else []
        lines += [_line("total", order, width)] if len(order) > 1 else []
        unread = [rule for cost in order for rule in cost.unread]
        lines += [f"  not counted: {', '.join(unread[:SHOWN])}"] if unread else []
        return "\n".join(lines)


def _line(name: str, costs: Sequence[Cost], width: int) -> str:
    numbers = sum(cost.rules for cost in costs), sum(cost.series for cost in costs)
    read = sum(cost.samples_per_second for cost in costs)
    return f"  {name:{width}} {numbers[0]:>7,} {spelled(numbers[1]):>9} {spelled(read):>13}"


def account(bundle: Bundle, target: Target, limits: Limits, cache: Path) -> Account:
    """Return what the rules cost; SpecError where that is over the budget, or more than the target takes.

    What was reckoned before is looked up below `cache`.
    """
    if limits.assumptions.counted:  # what a server has may be otherwise the next time
        costs = estimates(bundle.monitors, limits.assumptions)
    else:
        memory = CostMemory(cache / "costs.json", source.digest())
        known = memory.recall()
        before = set(known)
        costs = estimates(bundle.monitors, limits.assumptions, known)
        if known.keys() != before:
            memory.keep(known)
    refused = [
        *rules.crowding({cost.monitor: cost.groups for cost in costs}, target.ruler),
        *over_budget(costs, limits.budget),
    ]
    if refused:
        raise SpecError(refused)
    short = [] if limits.retention is None else short_of_retention(bundle.monitors, costs, limits.retention)
    return Account(costs, limits, tuple(short))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options from which `limits` is read."""
    add, budget, assumed = parser.add_argument, Budget(), Assumptions()
    add("--cost.samples-per-second", dest="cost_samples", type=_number, metavar="N",
        default=budget.samples_per_second,
        help=f"most samples that all rules may read (default: {budget.samples_per_second:,.0f})")  # fmt: skip
    add("--cost.series", dest="cost_series", type=_number, default=budget.series, metavar="N",
        help=f"most series that they may record (default: {budget.series:,.0f})")  # fmt: skip
    add("--cost.series-per-selector", dest="cost_selector", type=_number, metavar="N",
        default=assumed.series_per_selector,
        help="series that a selector finds: instances of a model times combinations of their labels "
        f"(default: {assumed.series_per_selector:g})")  # fmt: skip
    add("--cost.evaluation-interval", dest="cost_interval", type=arguments.duration, metavar="DURATION",
        help="how often the rules are evaluated (default: as the Prometheus of --live says, else "
        f"{format_duration(assumed.evaluation_interval)})")  # fmt: skip
    add("--retention", type=arguments.duration, metavar="DURATION",
        help="how long samples are kept; what looks further back is told (default: of --live)")  # fmt: skip


def limits(args: argparse.Namespace, seen: Inspection) -> Limits:
    """Return what the options say, and where they say nothing what a server was seen to have."""
    usual = Assumptions().evaluation_interval
    interval = args.cost_interval or seen.facts.evaluation_interval or usual
    return Limits(
        Budget(args.cost_samples, args.cost_series),
        Assumptions(args.cost_selector, interval, dict(seen.counted)),
        args.retention or seen.facts.retention,
    )


def _number(text: str) -> float:
    try:
        found = float(text.replace("_", ""))
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        raise argparse.ArgumentTypeError(f"`{text}` is no number above 0; write one such as 100000")
    return found
