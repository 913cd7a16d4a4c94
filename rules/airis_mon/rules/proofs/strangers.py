"""Series of others, each a single label away from ours: what they do must change nothing here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.literals import number
from airis_mon.rules.proofs.case import Input
from airis_mon.rules.windows import name


def neighbours(labels: Mapping[str, str], differing: Iterable[str]) -> Iterator[dict[str, str]]:
    """Yield the labels once for each of `differing`, with that one changed."""
    for label in differing:
        yield {**labels, label: f"{labels[label]}-other"}


def steady(metric: str, labels: Mapping[str, str], value: float, steps: int, skipped: int = 0) -> Input:
    """Return a series with one value for some steps, after others without any."""
    gap = f"_x{skipped} " if skipped else ""
    return Input(
        metric + matchers(dict(sorted(labels.items()))), f"{gap}{number(value)}+0x{max(steps - 1, 1)}"
    )


def recorded(
    burn: Burn, prefix: str, window: float | None, value: float, steps: int, skipped: int = 0
) -> Iterator[Input]:
    """Yield what is recorded for another monitor's objective of that name, and for another objective."""
    span = "" if window is None else name(window)
    labels = {**burn.labels, **({series.SLO_WINDOW: span} if span else {})}
    for other in neighbours(labels, (series.MONITOR, series.SLO_NAME)):
        yield steady(f"{prefix}{span}", other, value, steps, skipped)
