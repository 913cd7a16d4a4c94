"""What a model may cost: budgets in money as plain values, and their keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from airis_mon.spec.quantities import format_duration, parse_duration
from airis_mon.spec.records import Field, MapOf, Record
from airis_mon.spec.scalars import Parsed
from airis_mon.spec.words import DAY, LABEL, LABEL_VALUE

SHORTEST, LONGEST = DAY, 366 * DAY
"""Seconds for which a budget may be given: of less, the shortest range would hold no readings."""


@dataclass(frozen=True)
class MoneyBudget:
    """Money that may be spent in a while."""

    amount: float
    currency: str
    """Three letters, as the label `currency` of the series has them."""
    per: float
    """Seconds."""


@dataclass(frozen=True)
class Cost:
    """What the model may cost, and where that is counted."""

    budget: MoneyBudget
    selector: Mapping[str, str] = field(default_factory=dict)
    """Labels of the series of costs, where another process exposes them; empty stands for the source's."""


def _money_budget(text: str) -> MoneyBudget:
    hint = "write amount, currency / duration, such as 500 USD / 1d"
    match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ([A-Z]{3}) ?/ ?(\S+)", text)
    if match is None:
        raise ValueError(f"`{text[:60]}` is no budget", hint)
    try:
        per = parse_duration(match[3])
    except ValueError as error:
        raise ValueError(error.args[0], hint) from None
    if float(match[1]) == 0:
        raise ValueError("a budget of no money is spent by the first call", hint)
    if not SHORTEST <= per <= LONGEST:
        limits = f"{format_duration(SHORTEST)} to {format_duration(LONGEST)}"
        raise ValueError(f"a budget is given per {limits}, not per {match[3]}", hint)
    return MoneyBudget(float(match[1]), match[2], per)


COST = Record(
    "Cost",
    (
        Field(
            "budget",
            Parsed("a budget", r"^[0-9]{1,12}(\.[0-9]{1,6})? [A-Z]{3} ?/ ?[0-9.a-z]+$", _money_budget),
            "Money that may be spent in a while, such as 500 USD / 1d; no other currency is counted.",
            required=True,
        ),
        Field(
            "selector",
            MapOf(LABEL, LABEL_VALUE, "label", fewest=1),
            "Labels of the series of costs, where these are not the source's.",
        ),
    ),
    Cost,
)
