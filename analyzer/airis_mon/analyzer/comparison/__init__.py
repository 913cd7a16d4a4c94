"""Two versions of a model beside each other: which one does better, by a test that may be looked at any time.

Belongs here: what is counted of each side, the evidence that the counts are, and the verdict on it.

Must not be here: who asks, how often, and what is done about a verdict.
"""

from airis_mon.analyzer.comparison.evidence import Difference, Steps, difference
from airis_mon.analyzer.comparison.verdict import Finding, Margin, Verdict, judge, together

__all__ = ["Difference", "Finding", "Margin", "Steps", "Verdict", "difference", "judge", "together"]
