"""What a server says of itself, held against what the rules were asked to fit."""

from __future__ import annotations

from collections.abc import Iterator

from airis_mon.rules.absence import LOOKBACK
from airis_mon.rules.live.prometheus import Facts
from airis_mon.rules.ruler import Ruler, written
from airis_mon.spec import Problem, format_duration


def mismatches(facts: Facts, ruler: Ruler) -> Iterator[Problem]:
    """Yield what of a server is otherwise than the rules need it."""
    if facts.version is not None and facts.version < ruler.version:
        yield Problem(
            f"the server is Prometheus {written(facts.version)},"
            f" and the rules are built for {written(ruler.version)} and newer",
            hint=f"build with `--prometheus-version {written(facts.version)}`, or ask the newer server",
        )
    if facts.lookback is not None and facts.lookback != LOOKBACK:
        yield Problem(
            f"the server sees a sample for {format_duration(facts.lookback)} (`--query.lookback-delta`);"
            f" rules on silence are made for {format_duration(LOOKBACK)}",
            hint="silence is told that much sooner or later",
            severity="warning",
        )
