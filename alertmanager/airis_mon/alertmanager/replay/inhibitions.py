"""Inhibition: alerts that are kept quiet while another one fires."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airis_mon.alertmanager.replay.matchers import Labels, Matcher, all_match

_KEYS = frozenset(("source_matchers", "target_matchers", "equal", "name"))


@dataclass(frozen=True)
class Inhibition:
    """One rule: while a source fires, targets with the same values of `equal` are not told."""

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...]

    def key(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """Return what source and target have to have in common; a missing label has the empty value."""
        return tuple(labels.get(name, "") for name in self.equal)


def inhibition(config: Mapping[str, Any]) -> Inhibition:
    """Return one entry of `inhibit_rules`. ValueError where it says what is not modelled."""
    unknown = sorted(set(config) - _KEYS)
    if unknown:
        raise ValueError(f"an inhibition has `{unknown[0]}`, which is not modelled")
    return Inhibition(
        source=tuple(map(Matcher.parsed, config.get("source_matchers", ()))),
        target=tuple(map(Matcher.parsed, config.get("target_matchers", ()))),
        equal=tuple(config.get("equal", ())),
    )


class Inhibitor:
    """Which alerts are kept quiet now; it hears of every alert that comes.

    As documented, and as Alertmanager 0.25 does. Newer ones keep one source per rule and values of `equal`:
    where that one ends and another goes on, the other takes over when Prometheus sends it again, within two
    minutes.
    """

    def __init__(self, rules: Sequence[Inhibition]) -> None:
        self._rules = rules
        self._sources: list[dict[tuple[str, ...], dict[Labels, float | None]]] = [{} for _ in rules]

    def hear(self, identity: Labels, ends_at: float | None) -> None:
        """Take note of an alert, and of when it ends (None: it stands)."""
        labels = dict(identity)
        for rule, sources in zip(self._rules, self._sources, strict=True):
            if all_match(rule.source, labels):
                sources.setdefault(rule.key(labels), {})[identity] = ends_at

    def inhibits(self, identity: Labels, now: float) -> bool:
        """Say whether an alert is kept quiet at `now`."""
        labels = dict(identity)
        for rule, sources in zip(self._rules, self._sources, strict=True):
            if not all_match(rule.target, labels):
                continue
            # An alert on both sides of a rule does not inhibit others that are: nor itself.
            both = all_match(rule.source, labels)
            for source, ends_at in sources.get(rule.key(labels), {}).items():
                standing = ends_at is None or ends_at > now
                if standing and not (both and all_match(rule.target, dict(source))):
                    return True
        return False
