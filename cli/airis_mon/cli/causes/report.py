"""Candidates as a table and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TextIO

from airis_mon.analyzer.causes import Ranking, scored
from airis_mon.cli import console

CAVEAT = (
    "Candidates, not causes: each changed about when the incident began. The weight orders them, and is no "
    "probability."
)


def write(stream: TextIO, monitor: str, ranking: Ranking, most: int) -> None:
    """Write the table."""
    out = console.console(stream)
    out.print(f"{monitor}: {heading(ranking)}")
    if not ranking.candidates:
        out.print("Nothing else that was looked at changed in that time; look further back with --since.")
        return
    made = console.table(CAVEAT, "", "candidate", "kind", "began (UTC)", "weight")
    for place, one in enumerate(ranking.candidates[:most], 1):
        console.add(made, (place, one.reason, one.kind, moment(one.at), f"{one.weight:.2f}"))
    out.print(made)
    rest = len(ranking.candidates) - most
    if rest > 0:
        out.print(f"{rest} more, with less weight; --most shows them.")


def heading(ranking: Ranking) -> str:
    """Return what the incident is."""
    if ranking.before:
        return (
            f"{ranking.symptom} is out of its band since before the window, which begins at "
            f"{moment(ranking.begins)} UTC, score {scored(ranking.score)}. What came before is not among the "
            "candidates: look further back with a longer --since (at most 1d)."
        )
    if ranking.visible:
        return (
            f"{ranking.symptom} left its band at {moment(ranking.begins)} UTC, score {scored(ranking.score)}."
        )
    return (
        f"{ranking.symptom} did not leave its band (score {scored(ranking.score)} at most): the time that "
        "was named is taken for the beginning, and weights say little."
    )


def plain(monitor: str, ranking: Ranking, most: int) -> Mapping[str, Any]:
    """Return the same for JSON."""
    return {
        "monitor": monitor,
        "symptom": ranking.symptom,
        "begins": ranking.begins,
        "score": ranking.score,
        "visible": ranking.visible,
        "before": ranking.before,
        "candidates": [asdict(one) for one in ranking.candidates[:most]],
        "caveat": CAVEAT,
    }


def moment(at: float) -> str:
    """Return a time as a person reads it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
