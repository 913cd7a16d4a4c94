"""Two versions of a model beside each other: which one does better, by a test that may be looked at any time.

Belongs here: what is counted of each side, the evidence that the counts are, and the verdict on it.

Must not be here: who asks, how often, and what is done about a verdict.
"""

from airis_mon.analyzer.comparison.account import Comparison, Result, SideError, compare, unknown
from airis_mon.analyzer.comparison.counting import Span, counted
from airis_mon.analyzer.comparison.evidence import Difference, Steps, difference
from airis_mon.analyzer.comparison.measures import Counter, Measure, UncomparableError, margin, measures
from airis_mon.analyzer.comparison.publishing import samples
from airis_mon.analyzer.comparison.rollout import SINCE, Rollout, rollout, shortest, usual_step
from airis_mon.analyzer.comparison.sides import Side, side
from airis_mon.analyzer.comparison.verdict import Finding, Margin, Verdict, judge, together

__all__ = [
    "SINCE",
    "Comparison",
    "Counter",
    "Difference",
    "Finding",
    "Margin",
    "Measure",
    "Result",
    "Rollout",
    "Side",
    "SideError",
    "Span",
    "Steps",
    "UncomparableError",
    "Verdict",
    "compare",
    "counted",
    "difference",
    "judge",
    "margin",
    "measures",
    "rollout",
    "samples",
    "shortest",
    "side",
    "together",
    "unknown",
    "usual_step",
]
