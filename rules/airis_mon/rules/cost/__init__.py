"""What rules cost the server that evaluates them, told before it does: series recorded, samples read.

Belongs here: reading PromQL for what it selects and how far back, how many series come of it, the sum over
monitors, budgets, and what a retention does not hold. All of it is read from the rules as they are emitted,
so that no concern has to declare what it costs.

Must not be here: asking a server (its counts come in as values), or how rules come about.

The estimate: a selector finds `series_per_selector` series, a histogram without a matcher on `le` as many
for each of its buckets; a range of `d` seconds holds `d / interval` samples of each, the interval being that
of the scrapes, or of the evaluation where the series is recorded; a subquery looks `range / step` times.
"""

from airis_mon.rules.cost.budget import Budget, over_budget, short_of_retention, spelled
from airis_mon.rules.cost.estimate import Assumptions, Cost, Heavy, Reach, estimate, estimates
from airis_mon.rules.cost.reading import Read, Selector, UnreadableError, reads

__all__ = [
    "Assumptions",
    "Budget",
    "Cost",
    "Heavy",
    "Reach",
    "Read",
    "Selector",
    "UnreadableError",
    "estimate",
    "estimates",
    "over_budget",
    "reads",
    "short_of_retention",
    "spelled",
]
