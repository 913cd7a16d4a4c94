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

from airis_mon.alertmanager.claims import Claim, Names, read
from airis_mon.cli.proofs.memory import Memory
from airis_mon.cli.proofs.runs import Run
from airis_mon.stack.servers import Server

CONFIG = "alertmanager/alertmanager.yaml"
CASES = "alertmanager/routes.test.yaml"
_EQUAL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')
_TEST = ("config", "routes", "test")

Route = Mapping[str, Any]


def runs(folder: Path, amtool: Server, memory: Memory) -> Iterator[Run]:
    """Yield a run for the configuration, and one for each case of `routes.test.yaml` and monitor."""
    config, cases = _text(folder / CONFIG), _text(folder / CASES)
    if config is None:
        return
    yield Run((CONFIG,), "check-config", amtool, ("check-config", CONFIG))
    if cases is None:
        return
    if memory.holds(key(folder, amtool, memory)):
        yield Run((CASES,), "routes test", amtool, _TEST, known=True)
        return
    reachable = Reachable(loaded(config))
    for claim in read(loaded(cases)):
        asked: dict[str, list[Run]] = {}
        for names in claim.of:
            question = asked_of(reachable, claim, names)
            if question not in asked:
                asked[question] = [
                    _case(case, reachable, names, amtool, memory) for case in claim.filled(names)
                ]
            yield from asked[question]


def key(folder: Path, amtool: Server, memory: Memory) -> str:
    """Return by what is remembered that all cases of a folder hold."""
    return memory.key(amtool, _TEST, [_text(folder / CONFIG) or "", _text(folder / CASES) or ""])


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def loaded(text: str) -> Mapping[str, Any]:
    """Return what a file of ours holds."""
    # libyaml's reads a thousand monitors' routes in a second.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(text, Loader=loader) or {}  # noqa: S506  both are safe ones


def _case(case: Mapping[str, Any], reachable: Reachable, names: Names, amtool: Server, memory: Memory) -> Run:
    given = {label: str(value) for label, value in case["labels"].items()}
    labels = [f"{label}={_quoted(value)}" for label, value in given.items()]
    receivers = f"--verify.receivers={','.join(case['receivers'])}"
    # JSON is YAML, and written at once.
    config = json.dumps(reachable.by([given]), ensure_ascii=False)
    asked = memory.key(amtool, _TEST, (anonymous(text, names) for text in (config, receivers, *labels)))
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


def asked_of(reachable: Reachable, claim: Claim, names: Names) -> str:
    """Return what all cases of a claim come to for one monitor: equal where nothing but names differs."""
    config = json.dumps(reachable.whole(claim.labels(names)), ensure_ascii=False)
    if any(name in claim.text for name in names.values()):
        # What is a name here is a word there: nobody else is alike.
        return json.dumps([config, dict(names)])
    values = list(names.values())
    return json.dumps([anonymous(config, names), [values.index(name) for name in values]])


def anonymous(text: str, names: Names) -> str:
    """Return a text with a number in place of each name."""
    places: dict[str, str] = {}
    for place, name in enumerate(names.values()):
        places.setdefault(name, f"\0{place}\0")
    longest = sorted(filter(None, places), key=lambda name: (-len(name), name))
    if not longest:
        return text
    return re.sub("|".join(map(re.escape, longest)), lambda found: places[found[0]], text)


class Reachable:
    """A configuration, asked for the part of it that some alerts can reach."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._root = dict(config.get("route") or {})
        self._receivers = {receiver["name"]: receiver for receiver in config.get("receivers") or ()}
        self._inhibitions: Sequence[Mapping[str, Any]] = config.get("inhibit_rules") or ()
        self._intervals = {
            key: config[key] for key in ("time_intervals", "mute_time_intervals") if key in config
        }
        self._children: Sequence[Route] = self._root.pop("routes", None) or ()
        self._by_value: dict[tuple[str, str], list[int]] = {}
        self._others: list[int] = []
        labels = set()
        for place, route in enumerate(self._children):
            first = next(_equalities(route.get("matchers")), None)
            if first is None:
                self._others.append(place)
            else:
                labels.add(first[0])
                self._by_value.setdefault(first, []).append(place)
        self._labels = tuple(labels)

    def by(self, alerts: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        """Return the routes that such alerts can match, and the names of their receivers."""
        route = self._route(alerts)
        receivers = sorted(set(_receivers(route)))
        return {**self._intervals, "route": route, "receivers": [{"name": name} for name in receivers]}

    def whole(self, alerts: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        """Return routes, receivers and inhibitions that such alerts can match."""
        route = self._route(alerts)
        receivers = [
            self._receivers[name] for name in sorted(set(_receivers(route))) if name in self._receivers
        ]
        inhibitions = [
            rule
            for rule in self._inhibitions
            if _possible(rule.get("source_matchers"), alerts)
            and _possible(rule.get("target_matchers"), alerts)
        ]
        return {**self._intervals, "route": route, "receivers": receivers, "inhibit_rules": inhibitions}

    def _route(self, alerts: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        places = set(self._others)
        for label in self._labels:
            for alert in alerts:
                places.update(self._by_value.get((label, alert.get(label, "")), ()))
        children = [self._children[place] for place in sorted(places)]
        return _pruned({**self._root, "routes": children}, alerts)


def _pruned(route: Route, alerts: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    children = [
        _pruned(child, alerts)
        for child in route.get("routes") or ()
        if _possible(child.get("matchers"), alerts)
    ]
    found = {key: value for key, value in route.items() if key != "routes"}
    return {**found, "routes": children} if children else found


def _possible(matchers: Sequence[str] | None, alerts: Sequence[Mapping[str, str]]) -> bool:
    """Tell whether one of the alerts has every value that is required."""
    required = list(_equalities(matchers))
    return any(all(alert.get(label, "") == value for label, value in required) for alert in alerts)


def _equalities(matchers: Sequence[str] | None) -> Iterator[tuple[str, str]]:
    """Yield the label and value of matchers that require just that; others are left to whoever is asked."""
    for matcher in matchers or ():
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
