"""What the evidence says of a candidate, against the margin that it may be worse by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Verdict = Literal["better", "same", "worse", "undecided"]
"""`same` is: not worse by more than the margin."""
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True)
class Finding:
    """What is known of one measure."""

    verdict: Verdict
    lower: float
    """Lower edge of the difference candidate - baseline."""
    upper: float
    margin: float
    """What the candidate may be worse by, in the unit of the measure."""


def judge(lower: float, upper: float, margin: float, *, less_is_better: bool) -> Finding:
    """Return what an interval of candidate - baseline says.

    `worse`: the candidate is worse by more than the margin. `better`: it is better than the baseline at all.
    `same`: it is not worse by more than the margin, and may be better.
    """
    least, most = (lower, upper) if less_is_better else (-upper, -lower)
    verdict: Verdict = "undecided"
    if most < 0:
        verdict = "better"
    elif least > margin:
        verdict = "worse"
    elif most <= margin and not math.isinf(most):
        verdict = "same"
    return Finding(verdict, lower, upper, margin)


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict on a candidate: worse where one measure is, undecided while one is open."""
    if "worse" in verdicts:
        return "worse"
    if not verdicts or "undecided" in verdicts:
        return "undecided"
    return "better" if "better" in verdicts else "same"
