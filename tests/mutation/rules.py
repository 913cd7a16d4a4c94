"""Rules broken on purpose, one way at a time."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from airis_mon.rules.collection import groups
from airis_mon.rules.groups import Group, Rule
from airis_mon.rules.proofs.claims import claims
from airis_mon.rules.proofs.proof import Proof
from airis_mon.spec import Monitor, yaml_text
from airis_mon.stack.servers import Server

# A string, a range, or a number that stands by itself.
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|\[[^\]]*\]|(?<![\w.:])\d+(?:\.\d+)?(?![\w.:])')
_RANGE = re.compile(r"\[(\d+)([smhd])(:[^\]]*)?\]")
_MATCHER = re.compile(r'([a-z_]\w*)(=~|=)"((?:[^"\\]|\\.)*)"')
_WINDOW = re.compile(r"(slo:\w+:(?:ratio_)?rate)(5m|30m|1h|2h|6h|1d|3d)\b")
_NEIGHBOUR = {"5m": "30m", "30m": "1h", "1h": "2h", "2h": "6h", "6h": "1d", "1d": "3d", "3d": "1d"}
_OPERATORS = {
    " > ": " < ",
    ">=": "<=",
    "\n  and\n": "\n  or\n",
    "\nor\n": "\nand\n",
    "\nand on ()\n": "\nor on ()\n",
    " or ": " and ",
    "sum(rate(": "max(rate(",
    "rate(": "increase(",
    "sum_over_time": "avg_over_time",
    "absent(": "count(",
}


@dataclass(frozen=True)
class Mutant:
    """One rule of a monitor, broken in one way."""

    what: str
    """Group, rule, and what was done to it."""
    proofs: tuple[Proof, ...]
    """Every proof that the rule is part of, with the broken rule in its place."""

    def survives(self, promtool: Server, folder: Path) -> bool:
        """Return whether promtool passes every proof; writes below a folder, and takes away what it wrote."""
        with tempfile.TemporaryDirectory(dir=folder) as name:
            return all(self._passes(proof, promtool, Path(name)) for proof in self.proofs)

    def _passes(self, proof: Proof, promtool: Server, folder: Path) -> bool:
        rules, tests = folder / f"{proof.what}.rules.yaml", folder / f"{proof.what}.test.yaml"
        rules.write_text(yaml_text(proof.rules(), source=self.what), encoding="utf-8")
        tests.write_text(yaml_text(proof.tests(rules.name), source=self.what), encoding="utf-8")
        done = subprocess.run(
            [str(promtool.path), "test", "rules", str(tests)],
            cwd=promtool.cwd,
            env={"TMPDIR": str(folder)},
            capture_output=True,
            timeout=120,
            check=False,
        )
        return done.returncode == 0


def mutants(monitor: Monitor) -> Iterator[Mutant]:
    """Yield every rule of a monitor in every way that it can be broken here."""
    proofs = [proof for claim in claims(monitor) for proof in claim.proofs(claim.about)]
    for group in groups(monitor):
        for position, rule in enumerate(group.rules):
            concerned = sorted(
                (proof for proof in proofs if group in proof.groups), key=lambda proof: _rank(proof, rule)
            )
            for what, broken in _broken(rule):
                rules = (*group.rules[:position], *([broken] if broken else ()), *group.rules[position + 1 :])
                yield Mutant(
                    f"{group.name} {rule.get('record') or rule.get('alert')}: {what}",
                    tuple(_with(proof, replace(group, rules=rules)) for proof in concerned),
                )


def _rank(proof: Proof, rule: Rule) -> tuple[bool, int]:
    """Return the place of a proof: first the one that is most likely to find a mutant, and the smallest."""
    likely = "windows" if "record" in rule else "burn"
    return not proof.what.startswith(likely), len(proof.groups)


def _with(proof: Proof, broken: Group) -> Proof:
    found = tuple(broken if group.name == broken.name else group for group in proof.groups)
    return replace(proof, groups=found)


def _broken(rule: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    yield "removed", None
    for what, expression in _expressions(rule["expr"]):
        yield what, {**rule, "expr": expression}
    for label, value in rule["labels"].items():
        left = {name: text for name, text in rule["labels"].items() if name != label}
        yield f"label {label} changed", {**rule, "labels": {**left, label: f"{value}x"}}
        # A label that the series of the expression carries itself comes back by itself.
        inherited = "alert" in rule and (label in ("monitor", "model", "team") or f"{label}=" in rule["expr"])
        inherited = inherited or label in _passed_on(rule)
        if not inherited and not (label == "for" and "anomaly" in rule["expr"]):
            yield f"label {label} dropped", {**rule, "labels": left}
    for annotation in rule.get("annotations", ()):
        left = {name: text for name, text in rule["annotations"].items() if name != annotation}
        yield f"annotation {annotation} dropped", {**rule, "annotations": left}
    if "record" in rule:
        yield "renamed", {**rule, "record": rule["record"] + "x"}
    if "for" in rule:
        yield "for dropped", {name: value for name, value in rule.items() if name != "for"}
        yield "for made longer", {**rule, "for": "2h"}


def _passed_on(rule: dict[str, Any]) -> tuple[str, ...]:
    """Return labels that a recording rule passes on from what is recorded for an expectation."""
    if "record" not in rule or not re.search(r"\b(y|yhat|airis:expectation:\w+){", rule["expr"]):
        return ()
    horizon = rule["record"] in ("yhat_upper", "yhat_lower", "airis:expectation:room")
    return ("monitor", "model", "for", *(("horizon",) if horizon else ()))


def _expressions(expression: str) -> Iterator[tuple[str, str]]:
    yield from _numbers(expression)
    yield from _ranges(expression)
    yield from _matchers(expression)
    for found in _WINDOW.finditer(expression):
        yield (
            f"{found[0]} -> {_NEIGHBOUR[found[2]]}",
            _put(expression, found, found[1] + _NEIGHBOUR[found[2]]),
        )
    for operator, changed in _OPERATORS.items():
        if operator == "rate(" and expression.startswith("histogram_quantile("):
            continue  # a quantile is a matter of shares, which are the same
        if operator in expression:
            yield f"{operator!r} -> {changed!r}", expression.replace(operator, changed, 1)


def _numbers(expression: str) -> Iterator[tuple[str, str]]:
    for found in _TOKENS.finditer(expression):
        token = found[0]
        if token[0] in '"[' or _without_effect(expression, found):
            continue
        for factor in (0.8, 1.25) if float(token) else (1.0,):
            changed = f"{float(token) * factor:g}" if float(token) else "1"
            yield f"{token} -> {changed}", _put(expression, found, changed)


def _ranges(expression: str) -> Iterator[tuple[str, str]]:
    for found in _RANGE.finditer(expression):
        if found.start() > expression.find(" or 0 * ") > 0:
            continue  # nothing times a rate is nothing over any range
        if expression[found.end() :].startswith(")) * 0"):
            continue
        amount, unit, step = int(found[1]), found[2], found[3] or ""
        for changed in (f"[{amount * 2}{unit}{step}]", f"[{amount * 30}{_SMALLER[unit]}{step}]"):
            yield f"{found[0]} -> {changed}", _put(expression, found, changed)


def _matchers(expression: str) -> Iterator[tuple[str, str]]:
    for found in _MATCHER.finditer(expression):
        label, operator, text = found.groups()
        if _without_effect(expression, found):
            continue
        yield f"{found[0]} changed", _put(expression, found, f'{label}{operator}"{text}x"')
        if "|" in text:
            fewer = text.partition("|")[0]
            yield f"{found[0]} with one alternative", _put(expression, found, f'{label}{operator}"{fewer}"')
    for matcher in sorted({found[0] for found in _MATCHER.finditer(expression)}):
        # An edge is added up from what is joined by the horizon: the other side selects it.
        joined = matcher == 'horizon="0s"' and "+ ignoring (side) airis:expectation:room{" in expression
        if not matcher.startswith("le") and not joined:
            without = re.sub(rf"{re.escape(matcher)},?", "", expression).replace(",}", "}")
            yield f"{matcher} dropped", without


def _without_effect(expression: str, found: re.Match[str]) -> bool:
    """Tell whether a place is part of what stands where a native histogram counts nothing.

    Any number times its count is nothing there, and of nothing no share is recorded, whosoever it is.
    """
    return expression.startswith("clamp_min((histogram_count(") and found.start() > expression.find(
        " or 0 * "
    )


_SMALLER = {"d": "m", "h": "m", "m": "s", "s": "ms"}
"""Unit of half the range: 30 of the next smaller one, near enough (a day is cut to half an hour)."""


def _put(expression: str, found: re.Match[str], text: str) -> str:
    return expression[: found.start()] + text + expression[found.end() :]
