"""Alertmanager's configuration broken on purpose, one way at a time."""

from __future__ import annotations

import copy
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from airis_mon.alertmanager.compile import artefacts
from airis_mon.alertmanager.routes import RUNG
from airis_mon.cli.proofs import ProofError, prove
from airis_mon.cli.proofs.routes import CONFIG
from airis_mon.spec import Artefact, Bundle
from airis_mon.stack.servers import Server

Config = dict[str, Any]
_OF_OTHERS = ('monitor!=""', 'severity="ticket"')
"""Matchers of inhibitions that concern alerts which nobody is told of by these routes: of others' monitors,
and of other severities than ours. They are there for whoever puts routes of his own beside ours."""
_TIMES = ("group_wait", "group_interval", "repeat_interval")


@dataclass(frozen=True)
class Mutant:
    """A whole configuration, broken in one way."""

    what: str
    config: Config
    others: tuple[Artefact, ...]
    """The files beside it, as they are."""

    def survives(self, promtool: Server, amtool: Server, folder: Path) -> bool:
        """Return whether every proof passes; writes below a folder, and takes away what it wrote."""
        place = Path(tempfile.mkdtemp(dir=folder))
        try:
            for artefact in self.others:
                (place / artefact.path).parent.mkdir(parents=True, exist_ok=True)
                (place / artefact.path).write_text(artefact.text, encoding="utf-8")
            (place / CONFIG).write_text(yaml.safe_dump(self.config), encoding="utf-8")
            prove(place, promtool=promtool, amtool=amtool, workers=1)
        except ProofError:
            return False
        finally:
            shutil.rmtree(place)
        return True


def mutants(bundle: Bundle) -> Iterator[Mutant]:
    """Yield the configuration of documents in every way that it can be broken here."""
    written = artefacts(bundle)
    (config,) = [artefact for artefact in written if artefact.path == CONFIG]
    others = tuple(artefact for artefact in written if artefact is not config)
    content = yaml.safe_load(config.text)
    for what, broken in (
        *_routes(content),
        *_alike(content),
        *_inhibitions(content),
        *_receivers(content),
    ):
        yield Mutant(what, broken, others)


def _routes(config: Config) -> Iterator[tuple[str, Config]]:
    receivers = [receiver["name"] for receiver in config["receivers"]]
    for path, route in _walk(config["route"], ()):
        title = f"route {'.'.join(map(str, path)) or 'root'}"
        for what, changed in _route(route, receivers):
            yield f"{title}: {what}", _with(config, path, changed)
        if path and route.get("continue") and _followed(config, path):
            changed = {name: value for name, value in route.items() if name != "continue"}
            yield f"{title}: continue dropped", _with(config, path, changed)
        if path:
            yield f"{title}: removed", _with(config, path, None)


def _alike(config: Config) -> Iterator[tuple[str, Config]]:
    """Yield two rungs that tell the same receiver made alike: Alertmanager would remember them as one."""
    for path, route in _walk(config["route"], ()):
        rungs = [(place, rung) for place, rung in enumerate(route.get("routes", ())) if RUNG in str(rung)]
        for place, rung in rungs:
            for _, other in rungs:
                same = all(rung.get(key) == other.get(key) for key in ("receiver", "group_by"))
                if (
                    same
                    and rung["matchers"][0] == other["matchers"][0]
                    and rung["matchers"] != other["matchers"]
                ):
                    changed = {**rung, "matchers": other["matchers"]}
                    yield f"route {path} {place}: as another rung", _with(config, (*path, place), changed)


def _route(route: Config, receivers: list[str]) -> Iterator[tuple[str, Config]]:
    for other in receivers:
        if other != route["receiver"]:
            yield f"receiver {route['receiver']} -> {other}", {**route, "receiver": other}
    for place, matcher in enumerate(route.get("matchers", ())):
        if matcher.startswith(RUNG):
            # Always true, and there to tell rungs apart: what could be wrong is that it tells none apart.
            continue
        rest = [one for one in route["matchers"] if one is not matcher]
        yield f"matcher {matcher} dropped", {**route, "matchers": rest}
        for changed in (matcher[:-1] + 'x"', _negated(matcher)):
            matchers = [*route["matchers"][:place], changed, *route["matchers"][place + 1 :]]
            yield f"matcher {matcher} -> {changed}", {**route, "matchers": matchers}
    for key in _TIMES:
        if key in route:
            for changed in ("1s", "5d"):
                if route[key] != changed:
                    yield f"{key} {route[key]} -> {changed}", {**route, key: changed}
            yield f"{key} dropped", {name: value for name, value in route.items() if name != key}
    if "group_by" in route:
        yield "group_by dropped", {name: value for name, value in route.items() if name != "group_by"}
        if route["group_by"] != ["..."]:
            yield "group_by everything", {**route, "group_by": ["..."]}


def _followed(config: Config, path: tuple[int, ...]) -> bool:
    """Return whether a later route takes the same alerts; without one `continue` is without effect."""
    parent = config["route"]
    for place in path[:-1]:
        parent = parent["routes"][place]

    def alerts(route: Config) -> list[str]:
        return [one for one in route.get("matchers", ()) if not one.startswith(RUNG)]

    own, *later = parent["routes"][path[-1] :]
    return any(alerts(route) == alerts(own) for route in later)


def _negated(matcher: str) -> str:
    for operator, opposite in (("!=", "="), ("=~", "!~"), ("=", "!=")):
        if operator in matcher:
            return matcher.replace(operator, opposite, 1)
    raise ValueError(matcher)


def _inhibitions(config: Config) -> Iterator[tuple[str, Config]]:
    for place, rule in enumerate(config["inhibit_rules"]):

        def having(changed: Config | None, place: int = place) -> Config:
            found = copy.deepcopy(config)
            found["inhibit_rules"][place : place + 1] = [] if changed is None else [changed]
            return found

        title = f"inhibition {place}"
        yield f"{title}: removed", having(None)
        for key in ("source_matchers", "target_matchers"):
            for matcher in rule[key]:
                if matcher in _OF_OTHERS:
                    continue
                rest = [one for one in rule[key] if one != matcher]
                if not matcher.startswith("severity=~"):
                    yield f"{title}: {key} {matcher} dropped", having({**rule, key: rest})
                if "|" in matcher:
                    fewer = having({**rule, key: [*rest, matcher.rpartition("|")[0] + '"']})
                    yield f"{title}: {key} {matcher} without the last", fewer
                yield f"{title}: {key} {matcher} negated", having({**rule, key: [*rest, _negated(matcher)]})
        for label in rule.get("equal", ()):
            rest = [one for one in rule["equal"] if one != label]
            yield f"{title}: equal {label} dropped", having({**rule, "equal": rest})


def _receivers(config: Config) -> Iterator[tuple[str, Config]]:
    for place, receiver in enumerate(config["receivers"]):
        for key in receiver:
            if key == "name":
                continue
            found = copy.deepcopy(config)
            del found["receivers"][place][key]
            if len(receiver) == 2:  # its only way
                yield f"receiver {receiver['name']}: {key} removed", found
            for index in range(len(receiver[key])):
                found = copy.deepcopy(config)
                found["receivers"][place][key][index]["send_resolved"] = False
                yield f"receiver {receiver['name']}: {key}[{index}] tells no end", found


def _walk(route: Config, path: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Config]]:
    yield path, route
    for place, child in enumerate(route.get("routes", ())):
        yield from _walk(child, (*path, place))


def _with(config: Config, path: tuple[int, ...], changed: Config | None) -> Config:
    """Return the configuration with another route at a place, or without it."""
    found = copy.deepcopy(config)
    if not path:
        assert changed is not None
        return {**found, "route": changed}
    parent = found["route"]
    for place in path[:-1]:
        parent = parent["routes"][place]
    parent["routes"][path[-1] : path[-1] + 1] = [] if changed is None else [changed]
    return found
