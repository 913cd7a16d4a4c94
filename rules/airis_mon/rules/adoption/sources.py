"""Whose series the rules of a file read: the contract that knows most of them, and what selects them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airis_mon.exporters.contracts import CONTRACTS, Contract
from airis_mon.rules.adoption.ratios import parsed, selections
from airis_mon.rules.adoption.rulefile import Given

NONE = "promql"
"""Contract of a file whose series none of the others knows."""
_PARTS = ("_bucket", "_count", "_sum")


@dataclass(frozen=True)
class Found:
    """Contract and selector of a monitor."""

    contract: Contract
    selector: Mapping[str, str]
    unselected: Contract | None = None
    """The contract that would know the series, if a label selected those of the model."""


def metrics(contract: Contract) -> set[str]:
    """Return the name of every series that a contract knows."""
    found = {gauge.metric for gauge in contract.gauges.values()}
    found |= {counter.metric for counter in contract.counters.values()}
    found |= {f"{one.metric}{part}" for one in contract.distributions.values() for part in _PARTS}
    return found | ({contract.requests.total} if contract.requests is not None else set())


def found(rules: Sequence[Given], wanted: str | None, selector: Mapping[str, str]) -> Found:
    """Return the contract whose series are read most, or the wanted one, and what most of them select by."""
    read = list(_read(rules))
    candidates = [CONTRACTS[wanted]] if wanted is not None else list(CONTRACTS.values())
    hits = Counter[str]()
    for contract in candidates:
        known = metrics(contract)
        hits[contract.name] = sum(one.name in known for one in read)
    best = max(candidates, key=lambda contract: hits[contract.name])
    if best.requests is None or not hits[best.name]:
        return Found(CONTRACTS[NONE], {})
    if selector:
        return Found(best, selector)
    known = metrics(best)
    chosen = Counter(tuple(sorted(equal(one, best).items())) for one in read if one.name in known)
    del chosen[()]
    if not chosen:
        return Found(CONTRACTS[NONE], {}, best)
    return Found(best, dict(chosen.most_common(1)[0][0]))


def equal(selector: Any, contract: Contract) -> dict[str, str]:
    """Return the labels that a selector compares for equality, but for those that tell series apart."""
    apart = {"le", "quantile", *(contract.requests.telling if contract.requests is not None else ())}
    return {
        one.name: one.value
        for one in selector.matchers.matchers
        if str(one.op).endswith(".Equal") and one.name not in apart and one.value
    }


def _read(rules: Iterable[Given]) -> Iterable[Any]:
    for rule in rules:
        node = parsed(rule.expression)
        if node is not None:
            yield from (selector for selector, _ in selections(node))
