"""Two versions of a monitor's model that run beside each other, as the analyzer's configuration says it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from airis_mon.analyzer.versions.margins import Margin
from airis_mon.analyzer.versions.measures import Counter, Measure, Part, UncomparableError, measures
from airis_mon.analyzer.versions.sides import Side, matched, side
from airis_mon.exporters.contracts import matchers
from airis_mon.spec import USUAL_ALPHA, Monitor, did_you_mean

STEP = 60
"""Seconds of a step, where it holds two readings of the series."""
SINCE = 86_400
"""Seconds in which the candidate's first traffic is looked for."""
_READINGS = 2
_STEP_MAX = 3600
_MEASURES_MAX = 100
_LIST_MAX = 20
_ALPHA = (1e-6, 0.5)
_NAMES = ("monitor", "model", "baseline", "candidate")
_PARTS: tuple[Part, ...] = ("failing", "good", "above")
"""What is a share: means are compared by the command alone."""
_SELECTOR = re.compile(r"(- )?([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\Z", re.DOTALL)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Rollout:
    """What is compared, and how."""

    monitor: str
    model: str
    sides: tuple[Side, Side]
    """The version that is there, and the one that may replace it."""
    alpha: float
    """Probability of any wrong verdict ever, all measures together."""
    step: int
    """Seconds whose operations are taken together."""
    measures: tuple[Measure, ...]

    @property
    def title(self) -> str:
        """What the log calls it."""
        return f"{self.monitor}: {self.sides[0].text} and {self.sides[1].text}"


def shortest(monitor: Monitor) -> int:
    """Return the seconds of the shortest step that holds enough readings of a monitor's series."""
    return math.ceil(_READINGS * monitor.source.scrape_interval)


def usual_step(monitor: Monitor) -> int:
    """Return the seconds of a step where nobody says: whole minutes, so that each look cuts at one place."""
    return max(STEP, math.ceil(shortest(monitor) / STEP) * STEP)


def rollout(monitor: Monitor, own: Mapping[str, Measure]) -> Rollout | None:
    """Return what a document says of two versions; None where it says nothing, or nothing that is counted.

    `own` are the measures of objectives that count by expressions of their own.
    """
    canary = monitor.canary
    if canary is None:
        return None
    try:
        found = measures(monitor, (), own)
    except UncomparableError:
        return None
    if canary.margin is not None:
        margin = Margin(canary.margin)
        found = tuple(replace(one, margin=margin) for one in found)
    baseline, candidate = (side(matchers(one)[1:-1]) for one in (canary.baseline, canary.candidate))
    step = usual_step(monitor)
    return Rollout(monitor.name, monitor.model.name, (baseline, candidate), canary.alpha, step, found)


def plain(found: Rollout) -> dict[str, Any]:
    """Return a rollout as the configuration has it; only what is compared by shares is ever in a document."""
    return {
        "monitor": found.monitor,
        "model": found.model,
        "baseline": found.sides[0].text,
        "candidate": found.sides[1].text,
        "alpha": found.alpha,
        "step": found.step,
        "measures": [_plain(one) for one in found.measures],
    }


def _plain(measure: Measure) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": measure.name,
        "part": measure.part,
        "margin": measure.margin.value,
        "operations": [_selector(one) for one in measure.operations],
        "counters": [_selector(one) for one in measure.counters],
    }
    if measure.telling is not None:
        found["telling"] = list(measure.telling)
    if measure.native:
        found["native"] = True
    if measure.part == "above":
        found["threshold"] = measure.threshold
    return found


def _selector(counter: Counter) -> str:
    sign = "- " if counter.sign < 0 else ""
    return sign + counter.chosen(Side("", ()))


def read(value: object) -> Rollout:
    """Return what the configuration tells of; ValueError with what is wrong, and what to write."""
    given = _mapping(value, "a canary", {*_NAMES, "measures"}, {"alpha", "step"})
    monitor, model, baseline, candidate = (_text(given[key], key) for key in _NAMES)
    listed = _list(given["measures"], "measures", _measure, _MEASURES_MAX)
    if len({one.name for one in listed}) < len(listed):
        raise ValueError("`measures`: two of them have the same name")
    alpha = _number(given.get("alpha", USUAL_ALPHA), "alpha", *_ALPHA)
    step = _number(given.get("step", STEP), "step", 1, _STEP_MAX)
    return Rollout(monitor, model, (side(baseline), side(candidate)), alpha, int(step), tuple(listed))


def _measure(value: object) -> Measure:
    required = {"name", "part", "margin", "operations", "counters"}
    given = _mapping(value, "a measure", required, {"telling", "native", "threshold"})
    part = next((one for one in _PARTS if one == given["part"]), None)
    if part is None:
        raise ValueError(f"`part`: write one of {', '.join(_PARTS)}")
    telling = given.get("telling")
    return Measure(
        name=_text(given["name"], "name"),
        about="",
        unit="ratio",
        less_is_better=True,
        margin=Margin(_number(given["margin"], "margin", 0, 1)),
        operations=tuple(_list(given["operations"], "operations", _counter, _LIST_MAX)),
        part=part,
        counters=tuple(_list(given["counters"], "counters", _counter, _LIST_MAX)),
        telling=None if telling is None else tuple(_list(telling, "telling", _label, _LIST_MAX, least=0)),
        native=given.get("native") is True,
        threshold=_number(given.get("threshold", 0), "threshold", -1e300, 1e300),
    )


def _counter(value: object) -> Counter:
    match = _SELECTOR.match(_text(value, "a counter"))
    if match is None:
        raise ValueError(
            f'`{str(value)[:60]}` is no selector; write one such as requests_total{{job="chat"}}'
        )
    minus, metric, chosen = match.groups()
    return Counter(metric, matched(chosen) if chosen else (), -1 if minus else 1)


def _mapping(value: object, what: str, required: set[str], more: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is a mapping of {', '.join(sorted(required))}")
    for key in value:
        if key not in required | more:
            raise ValueError(
                f"unknown key `{key}`", did_you_mean(str(key), required | more) or "leave it out"
            )
    missing = sorted(required - value.keys())
    if missing:
        raise ValueError(f"`{missing[0]}` is missing in {what}")
    return value


def _list(value: object, key: str, read: Callable[[object], _T], most: int, least: int = 1) -> list[_T]:
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise ValueError(f"`{key}` is a list of {least} to {most}")
    return [read(one) for one in value]


def _text(value: object, key: str) -> str:
    if isinstance(value, str) and value.strip() and "\x00" not in value:
        return value
    raise ValueError(f"`{key}` is a text; put quotes around it where YAML takes it for something else")


def _label(value: object) -> str:
    return _text(value, "telling")


def _number(value: object, key: str, least: float, most: float) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most:
        return float(value)
    raise ValueError(f"`{key}` is a number from {least:g} to {most:g}")
