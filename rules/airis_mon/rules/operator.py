"""Rules as the objects that prometheus-operator takes: PrometheusRule of monitoring.coreos.com/v1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airis_mon.rules.groups import Group, file_content
from airis_mon.spec import Monitor, Problem

LARGEST = 512 * 1024
"""Bytes of one object's rules: the operator carries them in ConfigMaps, and leaves out what is larger."""

MANAGED = {"app.kubernetes.io/managed-by": "airis-mon"}


@dataclass(frozen=True)
class Operator:
    """Where the objects go, and how the operator finds them."""

    labels: tuple[tuple[str, str], ...] = ()
    """Labels of each object, those that `ruleSelector` of the Prometheus object asks for."""
    namespace: str | None = None
    """Namespace that is written into each object; without one it is where they are applied."""


def prometheus_rule(monitor: Monitor, emitted: Sequence[Group], operator: Operator) -> dict[str, Any]:
    """Return the object of one monitor; the rules are those of its rule file."""
    metadata: dict[str, Any] = {"name": f"airis-mon-{monitor.name}"}
    if operator.namespace is not None:
        metadata["namespace"] = operator.namespace
    labels: Mapping[str, str] = {**MANAGED, "airis.dev/monitor": monitor.name, **dict(operator.labels)}
    metadata["labels"] = dict(sorted(labels.items()))
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": metadata,
        "spec": file_content(emitted),
    }


def too_large(monitor: Monitor, text: str) -> list[Problem]:
    """Return what is wrong with rules of that text: the operator would leave them out without telling."""
    size = len(text.encode())
    if size <= LARGEST:
        return []
    return [
        Problem(
            f"the rules of `{monitor.name}` are {size >> 10} KiB,"
            f" and prometheus-operator takes {LARGEST >> 10} KiB of one object",
            location=monitor.origin.locate(""),
            hint="split the monitor into two that watch less each",
        )
    ]
