"""Two versions of a model that run beside each other: whose series are whose, and what is counted of them.

Belongs here: plain values, from a document or from the analyzer's configuration, and their text there.

Must not be here: what was counted, the evidence that it is, and a verdict on it, which are `comparison`'s;
and numpy, since documents are compiled without it.
"""

from airis_mon.analyzer.versions.margins import Margin
from airis_mon.analyzer.versions.measures import Counter, Measure, Part, UncomparableError, margin, measures
from airis_mon.analyzer.versions.rollout import SINCE, Rollout, plain, read, rollout, shortest, usual_step
from airis_mon.analyzer.versions.sides import Side, matched, side

__all__ = [
    "SINCE",
    "Counter",
    "Margin",
    "Measure",
    "Part",
    "Rollout",
    "Side",
    "UncomparableError",
    "margin",
    "matched",
    "measures",
    "plain",
    "read",
    "rollout",
    "shortest",
    "side",
    "usual_step",
]
