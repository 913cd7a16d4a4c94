"""Alerts on one budget, put together to the objective that they are about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.rules.adoption.burns import Pair
from airis_mon.rules.adoption.ratios import Recorded, canonical, number, parsed
from airis_mon.rules.adoption.rulefile import Given
from airis_mon.rules.adoption.sources import Found
from airis_mon.rules.literals import number as literal
from airis_mon.rules.windows import DAY, name, tiers
from airis_mon.spec import Events, format_duration, format_percent, parse_duration

MONTH = 30 * DAY
_SHARES = {3600.0: 0.02, 6 * 3600.0: 0.05, DAY: 0.1, 3 * DAY: 0.1}
"""Long window to the share of the budget that the SRE workbook's alert on it stands for."""
_NAMES = (series.SLO_NAME, "slo", "objective", "slo_name")
OWN = frozenset(
    {
        *_NAMES, "alertname", "exhaustion", "for", "horizon", "le", "long", "long_window", "model", "monitor",
        "severity", "short", "short_window", "team",
    }
)  # fmt: skip
"""Labels that our alerts carry themselves, or that tell what the windows tell."""


@dataclass(frozen=True)
class Candidate:
    """An objective that some alerts are about."""

    entry: Mapping[str, Any]
    """As the document holds it."""
    alerts: tuple[Given, ...]
    recordings: tuple[Given, ...]
    total: str
    """Expression of all operations."""
    remarks: tuple[str, ...]
    """What is otherwise than in the rules."""

    @property
    def told(self) -> str:
        """The objective in a few words."""
        return f"objective {self.entry['name']}: {self.entry['target']} over {self.entry['window']}"


def candidates(
    burning: Sequence[tuple[Given, tuple[Pair, ...]]], recorded: Recorded, source: Found
) -> list[Candidate]:
    """Return the objectives that alerts are about, in the order of the file."""
    grouped: dict[tuple[Events, float], list[tuple[Given, tuple[Pair, ...]]]] = {}
    for alert, found in burning:
        grouped.setdefault((found[0].events, found[0].budget), []).append((alert, found))
    taken: set[str] = set()
    return [_candidate(events, budget, of_it, recorded, source, taken)
            for (events, budget), of_it in grouped.items()]  # fmt: skip


def slug(text: str, otherwise: str) -> str:
    """Return a text as a name: lower case, dashes between words."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", text[:200])
    return re.sub(r"[^a-z0-9]+", "-", spaced.lower())[:50].strip("-") or otherwise


def _candidate(
    events: Events,
    budget: float,
    burning: Sequence[tuple[Given, tuple[Pair, ...]]],
    recorded: Recorded,
    source: Found,
    taken: set[str],
) -> Candidate:
    alerts = tuple(alert for alert, _ in burning)
    found = [pair for _, of_alert in burning for pair in of_alert]
    period, remarks = _period(alerts, found, recorded)
    called = next((name_ for alert in alerts if (name_ := _slo(alert))), "")
    entry: dict[str, Any] = {
        "name": _unique(slug(called or alerts[0].name, "objective"), taken),
        "target": format_percent(round(1 - budget, 9)),
        "window": format_duration(period),
        **_indicator(events, source),
    }
    labels = _common([alert.marks for alert in alerts], OWN)
    plain = {label: value for label, value in labels.items() if not label.startswith("sloth_") and value}
    if plain:
        entry["labels"] = plain
    said = _common([alert.sayings for alert in alerts], frozenset({"runbook_url", "dashboard"}))
    printed = {key: text for key, text in said.items() if "{{" not in text and text.strip()}
    if printed:
        entry["annotations"] = printed
    used = {id(rule): rule for pair in found for rule in pair.recordings}
    return Candidate(
        entry, alerts, tuple(used.values()), events.total, (*remarks, *_other_tiers(found, period))
    )


def _unique(wanted: str, taken: set[str]) -> str:
    name_, count = wanted, 1
    while name_ in taken:
        count += 1
        name_ = f"{wanted}-{count}"
    taken.add(name_)
    return name_


def _common(marks: Sequence[Mapping[str, str]], without: frozenset[str]) -> dict[str, str]:
    first, *others = marks
    return {
        key: value
        for key, value in first.items()
        if key not in without and all(other.get(key) == value for other in others)
    }


def _period(
    alerts: Iterable[Given], pairs: Sequence[Pair], recorded: Recorded
) -> tuple[float, tuple[str, ...]]:
    """Return seconds of the objective's window, by what the rules say of it, and what had to be assumed."""
    for alert in alerts:
        for rule in recorded.rules.get(series.TIME_PERIOD, ()):
            slo = _slo(alert)
            days = _vector(rule.expression)
            if slo == rule.marks.get(series.SLO_NAME) and days is not None and 1 <= days <= 366:
                return days * DAY, ()
        exhausted = alert.marks.get("exhaustion", "")
        try:
            span = parse_duration(exhausted)
        except ValueError:
            continue
        # Pyrra says after how long the budget is gone at that rate.
        whole = round(span * pairs[0].factor / DAY) * DAY
        if DAY <= whole <= 366 * DAY:
            return whole, ()
    implied = {
        round(pair.factor * pair.long / _SHARES[pair.long] / DAY) for pair in pairs if pair.long in _SHARES
    }
    whole_days = implied.pop() if len(implied) == 1 else 0
    if 1 <= whole_days <= 366:
        return whole_days * DAY, ()
    return MONTH, ("its window is told nowhere: 30d assumed",)


def _slo(alert: Given) -> str:
    """Return the name of the objective, by a label of the alert or one that its selectors compare."""
    for label in _NAMES:
        if label in alert.marks:
            return alert.marks[label]
        found = re.search(rf'\b{label}="([^"\\]+)"', alert.expression)
        if found is not None:
            return found[1]
    return ""


def _vector(text: str) -> float | None:
    node = parsed(text)
    arguments: list[Any] = list(getattr(node, "args", ()))
    return number(arguments[0]) if len(arguments) == 1 else None


def _other_tiers(pairs: Iterable[Pair], period: float) -> tuple[str, ...]:
    """Return which alerts of ours stand for those whose windows or factors we do not have."""
    own = tiers(period)
    odd = [
        f"{literal(float(f'{pair.factor:.6g}'))} over {name(pair.long)}"
        for pair in pairs
        if not any(tier.long == pair.long and abs(tier.factor / pair.factor - 1) < 0.001 for tier in own)
    ]
    if not odd:
        return ()
    ours = ", ".join(f"{literal(float(f'{tier.factor:.6g}'))} over {name(tier.long)}" for tier in own)
    return (f"instead of burn rates of {', '.join(dict.fromkeys(odd))} ours are {ours}",)


def _indicator(events: Events, source: Found) -> dict[str, Any]:
    """Return the indicator in the words of the contract where it has them, else the expressions."""
    contract, selector = source.contract, source.selector
    asked = {key: canonical(text.replace("$window", "1m")) for key, text in vars(events).items() if text}

    def counted(metric: str, *more: str) -> str | None:
        return canonical(f"sum(rate({metric}{matchers(selector, *more)}[1m]))")

    operations = contract.requests
    if operations is not None and (asked["total"], asked.get("bad")) == (
        counted(operations.total),
        counted(operations.total, operations.errors),
    ):
        return {"errors": {}}
    for key, one in contract.distributions.items():
        if one.unit != "seconds" or asked["total"] != counted(f"{one.metric}_count"):
            continue
        total = asked["total"]
        for boundary in one.buckets:
            for le in {f"{boundary:g}", repr(float(boundary))}:
                good = counted(f"{one.metric}_bucket", f'le="{le}"')
                if asked.get("good") == good or asked.get("bad") == canonical(f"{total} - {good}"):
                    return {"latency": {"of": key, "below": format_duration(boundary * one.scale)}}
    return {"events": {key: text for key, text in vars(events).items() if text}}
