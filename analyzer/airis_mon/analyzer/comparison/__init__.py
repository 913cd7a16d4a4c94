"""Two versions of a model beside each other: which one does better, by a test that may be looked at any time.

Belongs here: what was counted of each side, the evidence that the counts are, and the verdict on it.

Must not be here: what is to be counted, which is of `versions`; who asks, how often, and what is done about a
verdict.
"""

from airis_mon.analyzer.comparison.account import Comparison, Result, SideError, compare, unknown
from airis_mon.analyzer.comparison.counting import Span, counted
from airis_mon.analyzer.comparison.evidence import Difference, Steps, difference
from airis_mon.analyzer.comparison.publishing import samples
from airis_mon.analyzer.comparison.verdict import Finding, Verdict, judge, together

__all__ = [
    "Comparison",
    "Difference",
    "Finding",
    "Result",
    "SideError",
    "Span",
    "Steps",
    "Verdict",
    "compare",
    "counted",
    "difference",
    "judge",
    "samples",
    "together",
    "unknown",
]
