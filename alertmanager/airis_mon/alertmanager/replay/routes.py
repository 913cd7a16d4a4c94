"""The route tree, with what each route inherits, and the walk that an alert takes through it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airis_mon.alertmanager.replay.matchers import Matcher, all_match
from airis_mon.alertmanager.routes import RUNG
from airis_mon.spec import parse_duration

_KEYS = frozenset(
    (
        "receiver", "matchers", "continue", "routes", "group_by", "group_wait", "group_interval",
        "repeat_interval", "mute_time_intervals", "active_time_intervals",
    )
)  # fmt: skip
_ALL = "..."
"""The group_by that keeps every alert to itself."""


@dataclass(frozen=True)
class Route:
    """One node of the tree. Matchers, intervals and `continue` are its own, the rest may be inherited."""

    receiver: str
    matchers: tuple[Matcher, ...] = ()
    group_by: tuple[str, ...] | None = ()
    """Names of the labels that make a group; None for all labels."""
    group_wait: float = 30.0
    """Seconds from the first alert of a group to its first message."""
    group_interval: float = 300.0
    """Seconds from one look at a group to the next."""
    repeat_interval: float = 14_400.0
    """Seconds after which an unchanged group is told again."""
    mute: tuple[str, ...] = ()
    """Names of the time intervals in which the route says nothing."""
    active: tuple[str, ...] = ()
    """Names of the time intervals outside of which it says nothing; none: always active."""
    goes_on: bool = False
    """Whether an alert that came here tries the next sibling too (`continue`)."""
    path: tuple[tuple[Matcher, ...], ...] = ()
    """Matchers of all routes from the root to here; Alertmanager's memory knows a route by these alone."""
    children: tuple[Route, ...] = field(default=(), repr=False)

    @property
    def level(self) -> int:
        """Rung of the escalation ladder that this route is, from 1."""
        marks = (matcher.value for matcher in self.matchers if matcher.label == RUNG)
        return next((int(mark) for mark in marks if mark.isdecimal()), 1)

    def reached(self, labels: Mapping[str, str]) -> list[Route]:
        """Return the routes at which an alert ends, in their order."""
        if not all_match(self.matchers, labels):
            return []
        found: list[Route] = []
        for child in self.children:
            below = child.reached(labels)
            found += below
            if below and not child.goes_on:
                break
        return found or [self]

    def walk(self) -> Iterator[Route]:
        """Yield this route and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def route(config: Mapping[str, Any], parent: Route | None = None) -> Route:
    """Return the tree below `config`. ValueError where it says what is not modelled, or is no route."""
    unknown = sorted(set(config) - _KEYS)
    if unknown:
        raise ValueError(f"a route has `{unknown[0]}`, which is not modelled")
    receiver = config.get("receiver") or (parent.receiver if parent else None)
    if receiver is None:
        raise ValueError("the root route names no receiver")
    inherited = parent or Route(receiver)
    matchers = tuple(sorted(map(Matcher.parsed, config.get("matchers", ())), key=_order))
    own = Route(
        receiver=receiver,
        matchers=matchers,
        group_by=_group_by(config["group_by"]) if "group_by" in config else inherited.group_by,
        group_wait=_seconds(config, "group_wait", inherited.group_wait),
        group_interval=_seconds(config, "group_interval", inherited.group_interval),
        repeat_interval=_seconds(config, "repeat_interval", inherited.repeat_interval),
        mute=tuple(config.get("mute_time_intervals", ())),
        active=tuple(config.get("active_time_intervals", ())),
        goes_on=bool(config.get("continue", False)),
        path=(*(parent.path if parent else ()), matchers),
    )
    return _with_children(own, config.get("routes", ()))


def _with_children(own: Route, configs: Sequence[Mapping[str, Any]]) -> Route:
    children = tuple(route(config, own) for config in configs)
    return Route(**{**vars(own), "children": children})


def _order(matcher: Matcher) -> tuple[str, str, str]:
    return matcher.label, matcher.value, matcher.operator


def _group_by(labels: Sequence[str]) -> tuple[str, ...] | None:
    return None if _ALL in labels else tuple(labels)


def _seconds(config: Mapping[str, Any], key: str, default: float) -> float:
    return parse_duration(config[key]) if key in config else default
