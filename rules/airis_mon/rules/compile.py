"""Monitor -> its rule file, and the proofs of what is in it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, MutableMapping, Sequence

from airis_mon.exporters import contracts
from airis_mon.rules import dialect, impossible, operator, ruler
from airis_mon.rules.collection import groups
from airis_mon.rules.groups import Group, file_content
from airis_mon.rules.operator import Operator
from airis_mon.rules.proofs.claims import Claim, claims
from airis_mon.rules.proofs.proof import Proof
from airis_mon.rules.ruler import MIMIR_GROUPS, MIMIR_RULES_PER_GROUP, OLDEST, Ruler, crowding
from airis_mon.rules.shapes import Shape, shape, spelled
from airis_mon.spec import Artefact, Monitor, SpecError, yaml_text

FOLDER = "rules"
PROOFS = f"{FOLDER}/proofs"
_SHAPE = "what all monitors of one shape share; names are placeholders"

__all__ = [
    "MIMIR_GROUPS",
    "MIMIR_RULES_PER_GROUP",
    "OLDEST",
    "Known",
    "Operator",
    "Ruler",
    "artefacts",
    "crowding",
    "prover",
]

Known = MutableMapping[str, tuple[Sequence[Group], tuple[Artefact, ...]]]
"""Shapes of claims that were met before, with their rules and the files of their proofs."""


def artefacts(
    monitor: Monitor,
    known: Known | None = None,
    target: Ruler = Ruler(),  # noqa: B008  frozen
    wanted: Operator | None = None,
) -> tuple[Artefact, ...]:
    """Return `rules/<monitor>.rules.yaml` and the files that prove it, `rules/proofs/*.test.yaml`.

    Monitors whose rules differ in names alone share these; `known` saves deriving them again. SpecError with
    every problem of a monitor that no rule could watch, or whose rules the target would not take. With
    an operator `wanted`, the same rules are written as its object beside them.
    """
    problems = [*contracts.problems(monitor), *impossible.problems(monitor)]
    if problems:
        raise SpecError(problems)
    written = groups(monitor)
    refused = [*dialect.problems(monitor, written, target), *ruler.problems(monitor, written, target)]
    if refused:
        raise SpecError(refused)
    source = f"ModelMonitor {monitor.name}"
    packed = ruler.packed(monitor, written, target)
    rules = Artefact(f"{FOLDER}/{monitor.name}.rules.yaml", yaml_text(file_content(packed), source=source))
    objects = []
    if wanted is not None:
        text = yaml_text(operator.prometheus_rule(monitor, packed, wanted), source=source)
        if too_large := operator.too_large(monitor, rules.text):
            raise SpecError(too_large)
        objects.append(Artefact(f"kubernetes/{monitor.name}.prometheusrule.yaml", text))
    return rules, *objects, *_proofs(monitor, written, {} if known is None else known)


def prover(monitors: Sequence[Monitor]) -> tuple[int, int]:
    """Return the oldest version of promtool that can prove the rules of all monitors."""
    needed = any(dialect.native(monitor) for monitor in monitors)
    return dialect.NATIVE_HISTOGRAMS if needed else OLDEST


def _proofs(monitor: Monitor, written: Sequence[Group], known: Known) -> Iterator[Artefact]:
    """Yield the files of all claims; ValueError where they are not about the rules as they are emitted."""
    emitted, claimed = {group.name: group for group in written}, set()
    for claim in claims(monitor):
        found = claim.groups(claim.about)
        for group in found:
            if emitted.get(group.name) != group:
                raise ValueError(f"{group.name} of {monitor.name} is proven otherwise than it is emitted")
            claimed.add(group.name)
        general = shape(claim.about)
        shared, files = _derived(claim, general, known)
        if spelled(shared, general.names) != found:
            # A name that is more than a name, such as one that has to be escaped: proven as it is.
            _, files = _derived(claim, Shape(claim.about, {}), known)
        yield from files
    if emitted.keys() != claimed:
        raise ValueError(f"no claim is about {', '.join(sorted(emitted.keys() - claimed))}")


def _derived(claim: Claim, found: Shape, known: Known) -> tuple[Sequence[Group], tuple[Artefact, ...]]:
    key = f"{claim.proofs.__qualname__} {found.key}"
    if key not in known:
        files = tuple(file for proof in claim.proofs(found.monitor) for file in _files(proof))
        known[key] = claim.groups(found.monitor), files
    return known[key]


def _files(proof: Proof) -> Iterator[Artefact]:
    """Yield the files of a proof, named after what is proven and after what they hold."""
    rules = yaml_text(proof.rules(), source=_SHAPE)
    tests = yaml_text(proof.tests("NAME"), source=_SHAPE)
    name = f"{proof.what}.{hashlib.sha256((rules + tests).encode()).hexdigest()[:12]}"
    yield Artefact(f"{PROOFS}/{name}.rules.yaml", rules)
    yield Artefact(f"{PROOFS}/{name}.test.yaml", yaml_text(proof.tests(f"{name}.rules.yaml"), source=_SHAPE))
