"""Which runs of amtool prove the routes of a folder.

A case is asked of the routes that its labels can reach. A route that requires another value of a label than
the alert has does not match, and what does not match has no say in where the alert goes: without the others,
a thousand monitors' routes are not read for each of their alerts, and monitors whose routes differ in names
alone ask the same question. Where the answer is not what has to come, the whole configuration is asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from airis_mon.cli.proofs.memory import Memory
from airis_mon.cli.proofs.runs import Run
from airis_mon.rules import series
from airis_mon.stack.servers import Server

CONFIG = "alertmanager/alertmanager.yaml"
CASES = "alertmanager/routes.test.yaml"
NAMED = (series.MONITOR, series.MODEL, series.TEAM)
"""Labels whose values are names: another name in the same places is the same question."""
_EQUAL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')
_TEST = ("config", "routes", "test")

Route = Mapping[str, Any]


def runs(folder: Path, amtool: Server, memory: Memory) -> Iterator[Run]:
    """Yield a run for the configuration, and one for each case of `routes.test.yaml`."""
    config, cases = _text(folder / CONFIG), _text(folder / CASES)
    if config is None:
        return
    yield Run((CONFIG,), "check-config", amtool, ("check-config", CONFIG))
    if cases is None:
        return
    if memory.holds(key(folder, amtool, memory)):
        yield Run((CASES,), "routes test", amtool, _TEST, known=True)
        return
    reachable = _Reachable(_loaded(config))
    for case in _loaded(cases).get("cases") or ():
        yield _case(case, reachable, amtool, memory)


def key(folder: Path, amtool: Server, memory: Memory) -> str:
    """Return by what is remembered that all cases of a folder hold."""
    return memory.key(amtool, _TEST, [_text(folder / CONFIG) or "", _text(folder / CASES) or ""])


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _loaded(text: str) -> Mapping[str, Any]:
    # libyaml's reads a thousand monitors' routes in a second.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(text, Loader=loader) or {}  # noqa: S506  both are safe ones


def _case(case: Mapping[str, Any], reachable: _Reachable, amtool: Server, memory: Memory) -> Run:
    given = {label: str(value) for label, value in case["labels"].items()}
    labels = [f"{label}={_quoted(value)}" for label, value in given.items()]
    receivers = f"--verify.receivers={','.join(case['receivers'])}"
    # JSON is YAML, and written at once.
    config = json.dumps(reachable.by(given), ensure_ascii=False)
    names = {given[label] for label in NAMED if given.get(label)}
    asked = memory.key(amtool, _TEST, (_anonymous(text, names) for text in (config, receivers, *labels)))
    whole = Run((CASES,), "routes test", amtool, (*_TEST, f"--config.file={CONFIG}", receivers, *labels))
    return Run(
        (CASES,),
        "routes test",
        amtool,
        (*_TEST, "--config.file={}", receivers, *labels),
        (asked,),
        known=memory.holds(asked),
        parts=(whole,),
        input=config,
    )


def _anonymous(text: str, names: set[str]) -> str:
    """Return a text with a number in place of each name."""
    if not names:
        return text
    ordered = sorted(names, key=lambda name: (-len(name), name))
    places = {name: f"\0{place}\0" for place, name in enumerate(ordered)}
    return re.sub("|".join(map(re.escape, ordered)), lambda found: places[found[0]], text)


class _Reachable:
    """A configuration, asked for the part of it that an alert can reach."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._root = dict(config.get("route") or {})
        self._intervals = {
            key: config[key] for key in ("time_intervals", "mute_time_intervals") if key in config
        }
        self._children: Sequence[Route] = self._root.pop("routes", None) or ()
        self._by_value: dict[tuple[str, str], list[int]] = {}
        self._others: list[int] = []
        labels = set()
        for place, route in enumerate(self._children):
            first = next(iter(_equalities(route)), None)
            if first is None:
                self._others.append(place)
            else:
                labels.add(first[0])
                self._by_value.setdefault(first, []).append(place)
        self._labels = tuple(labels)

    def by(self, labels: Mapping[str, str]) -> dict[str, Any]:
        """Return the configuration without the routes that such an alert cannot match."""
        places = list(self._others)
        for label in self._labels:
            places += self._by_value.get((label, labels.get(label, "")), ())
        children = [self._children[place] for place in sorted(places)]
        route = _pruned({**self._root, "routes": children}, labels)
        receivers = sorted(set(_receivers(route)))
        return {**self._intervals, "route": route, "receivers": [{"name": name} for name in receivers]}


def _pruned(route: Route, labels: Mapping[str, str]) -> dict[str, Any]:
    children = [
        _pruned(child, labels)
        for child in route.get("routes") or ()
        if all(labels.get(label, "") == value for label, value in _equalities(child))
    ]
    found = {key: value for key, value in route.items() if key != "routes"}
    return {**found, "routes": children} if children else found


def _equalities(route: Route) -> Iterator[tuple[str, str]]:
    """Yield the label and value of matchers that require just that; others are left to amtool."""
    for matcher in route.get("matchers") or ():
        found = _EQUAL.fullmatch(matcher)
        if found and "\\" not in found[2]:
            yield found[1], found[2]


def _receivers(route: Route) -> Iterator[str]:
    if "receiver" in route:
        yield route["receiver"]
    for child in route.get("routes") or ():
        yield from _receivers(child)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
