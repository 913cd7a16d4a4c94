"""Two versions of a model that run beside each other: which series are whose, and its keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from airis_mon.spec.quantities import PERCENT_PATTERN
from airis_mon.spec.reading import Reading
from airis_mon.spec.records import Field, MapOf, Record
from airis_mon.spec.scalars import Choice, Parsed
from airis_mon.spec.severity import Severity
from airis_mon.spec.words import LABEL, LABEL_VALUE

USUAL_ALPHA = 0.05
"""One comparison of twenty may give a wrong verdict, however often somebody looks at it."""
_MOST_ALPHA = 0.5


@dataclass(frozen=True)
class Canary:
    """A new version beside the one that it may replace."""

    baseline: Mapping[str, str]
    """Labels of the series of the version that is there, beside those of the source's selector."""
    candidate: Mapping[str, str]
    """Labels of the series of the version that may replace it."""
    margin: float | None = None
    """Share of operations by which more may miss an objective; None for what the objective allows itself."""
    alpha: float = USUAL_ALPHA
    """Probability of any wrong verdict ever, all objectives together."""
    severity: Severity = "ticket"
    """Whether a candidate that is worse wakes somebody (`page`) or waits for working hours (`ticket`)."""


def _share(text: str) -> float:
    if re.fullmatch(PERCENT_PATTERN, text):
        return float(text[:-1]) / 100
    raise ValueError(f"`{text[:20]}` is no share in percent", "write one below 100%, such as 0.5%")


def _differ(canary: Canary, path: str, reading: Reading) -> None:
    where = reading.places.get(f"{path}.candidate")
    if where is not None and canary.baseline == canary.candidate:
        message = "baseline and candidate are the same series"
        reading.refuse(where, f"{path}.candidate", message, "write labels that tell the versions apart")
    where = reading.places.get(f"{path}.alpha")
    if where is not None and not 0 < canary.alpha <= _MOST_ALPHA:
        message = f"{canary.alpha:.0%} is no probability of a wrong verdict"
        reading.refuse(where, f"{path}.alpha", message, "write more than 0% and at most 50%, such as 5%")


CANARY = Record(
    "Canary",
    (
        Field(
            "baseline",
            MapOf(LABEL, LABEL_VALUE, "label", fewest=1),
            'Labels of the version that is there, such as {version: "1"}; they hold beside the source\'s.',
            required=True,
        ),
        Field(
            "candidate",
            MapOf(LABEL, LABEL_VALUE, "label", fewest=1),
            "Labels of the version that may replace it.",
            required=True,
        ),
        Field(
            "margin",
            Parsed("a share", PERCENT_PATTERN, _share),
            "By which share of operations more may miss an objective; left out, by what the objective allows "
            "to miss it.",
        ),
        Field(
            "alpha",
            Parsed("a share", PERCENT_PATTERN, _share),
            "Probability of any wrong verdict, however often somebody looks; 5% unless said otherwise.",
        ),
        Field(
            "severity",
            Choice(("page", "ticket")),
            "Whether a candidate that is worse wakes somebody (page) or waits for working hours (ticket).",
            default="ticket",
        ),
    ),
    Canary,
    check=_differ,
)
