"""Documents -> every derived file of every room. Pure: writing is :mod:`airis_mon.cli.folder`'s."""

from __future__ import annotations

from collections.abc import Callable

from airis_mon.alertmanager import compile as alertmanager
from airis_mon.analyzer import compile as analyzer
from airis_mon.cli.targets import Target
from airis_mon.grafana import compile as grafana
from airis_mon.rules import compile as rules
from airis_mon.spec import Artefact, Bundle, Problem, SpecError


def build(bundle: Bundle, target: Target = Target()) -> tuple[Artefact, ...]:  # noqa: B008  frozen
    """Return all artefacts for a target, sorted by path; SpecError with the problems of all rooms."""
    steps: list[Callable[[], tuple[Artefact, ...]]] = [
        lambda: analyzer.artefacts(bundle),
        lambda: alertmanager.artefacts(bundle, target=target.alertmanager, grafana_url=target.grafana_url),
    ]
    known: rules.Known = {}
    for monitor in bundle.monitors:
        steps.append(lambda monitor=monitor: rules.artefacts(monitor, known))  # type: ignore[misc]
        steps.append(lambda monitor=monitor: grafana.artefacts(monitor))  # type: ignore[misc]
    artefacts: dict[str, Artefact] = {}
    problems: list[Problem] = []
    for step in steps:
        try:
            for artefact in step():
                # A proof that several monitors share is one file.
                if artefacts.get(artefact.path, artefact) != artefact:
                    problems.append(Problem(f"two documents derive the same file {artefact.path}"))
                artefacts[artefact.path] = artefact
        except SpecError as error:
            problems += error.problems
    if problems:
        raise SpecError(list(dict.fromkeys(problems)))
    return tuple(artefacts[path] for path in sorted(artefacts))
