"""Documents -> every derived file of every room. Pure: writing is :mod:`airis_mon.cli.folder`'s."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from airis_mon.alertmanager import compile as alertmanager
from airis_mon.analyzer import compile as analyzer
from airis_mon.cli.expressed import expressed
from airis_mon.cli.folder import Derivation
from airis_mon.cli.targets import Target
from airis_mon.grafana import compile as grafana
from airis_mon.rules import compile as rules
from airis_mon.spec import Artefact, Bundle, Monitor, Problem, SpecError


@dataclass(frozen=True)
class Derived:
    """What documents come to."""

    artefacts: tuple[Artefact, ...]
    """Files that were derived now, sorted by path."""
    documents: Mapping[str, Derivation]
    """What follows from each monitor alone, by its name; what is no artefact here is there already."""


def build(bundle: Bundle, target: Target = Target()) -> tuple[Artefact, ...]:  # noqa: B008  frozen
    """Return all artefacts for a target, sorted by path; SpecError with the problems of all rooms."""
    return derive(bundle, target).artefacts


def derive(
    bundle: Bundle,
    target: Target,
    *,
    generator: str = "",
    before: Mapping[str, Derivation] = MappingProxyType({}),
) -> Derived:
    """Return all artefacts but those of monitors that were derived `before` from the same.

    `generator` stands for everything beside documents and target that the files depend on. SpecError with the
    problems of all rooms.
    """
    known: rules.Known = {}
    collected = _Collected()
    collected.take(lambda: analyzer.artefacts(bundle, expressed))
    collected.take(lambda: _routes(bundle, target))
    documents = {}
    for monitor in bundle.monitors:
        key = _key(generator, monitor, target)
        derived = before.get(monitor.name)
        if derived is None or derived.key != key:
            paths = collected.take(lambda monitor=monitor: _of(monitor, known, target))  # type: ignore[misc]
            derived = Derivation(key, tuple(sorted(set(paths))))
        documents[monitor.name] = derived
    return Derived(collected.sorted(), documents)


def _routes(bundle: Bundle, target: Target) -> tuple[Artefact, ...]:
    found = alertmanager.artefacts(bundle, target=target.alertmanager, grafana_url=target.grafana_url)
    if target.operator is None:
        return found
    return (*found, alertmanager.operator_secret(found, target.operator.namespace))


def _of(monitor: Monitor, known: rules.Known, target: Target) -> tuple[Artefact, ...]:
    """Return what follows from one monitor and the target; what else it depends on belongs into its key."""
    return (*rules.artefacts(monitor, known, target.ruler, target.operator), *grafana.artefacts(monitor))


def _key(generator: str, monitor: Monitor, target: Target) -> str:
    return hashlib.sha256(f"{generator} {target} {monitor}".encode()).hexdigest()


class _Collected:
    def __init__(self) -> None:
        self._artefacts: dict[str, Artefact] = {}
        self._problems: list[Problem] = []

    def take(self, step: Callable[[], tuple[Artefact, ...]]) -> list[str]:
        """Take what a step derives, and return the paths; or take what is wrong."""
        try:
            found = step()
        except SpecError as error:
            self._problems += error.problems
            return []
        for artefact in found:
            # A proof that several monitors share is one file.
            if self._artefacts.setdefault(artefact.path, artefact) != artefact:
                self._problems.append(Problem(f"two documents derive the same file {artefact.path}"))
        return [artefact.path for artefact in found]

    def sorted(self) -> tuple[Artefact, ...]:
        """Return everything by path; SpecError with all that is wrong."""
        if self._problems:
            # One expression may stand behind several objectives: what reads the same is told once.
            raise SpecError(list({str(problem): problem for problem in self._problems}.values()))
        return tuple(self._artefacts[path] for path in sorted(self._artefacts))
