"""Advice as a table, as JSON, and as a patch for `kubectl patch --patch-file`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TextIO

from airis_mon.analyzer.rightsizing import Advice, Resources
from airis_mon.cli import console
from airis_mon.cli.rightsizing.cluster import Found
from airis_mon.spec import yaml_text

_MEBI, _GIBI = 1 << 20, 1 << 30
_IDLE = 30.0
"""Percent of a GPU's time up to which it is told as idle."""


@dataclass(frozen=True)
class Sized:
    """One container, and what is advised for it; a reason instead where nothing is."""

    container: str
    present: Resources
    advice: Advice | None
    reason: str = ""


@dataclass(frozen=True)
class Account:
    """One workload of a monitor."""

    monitor: str
    found: Found
    sized: tuple[Sized, ...]


def write(stream: TextIO, account: Account) -> None:
    """Write the table."""
    out = console.console(stream)
    workload, pods = account.found.workload, account.found.pods
    made = console.table(
        f"{account.monitor}: {workload.kind} {workload.namespace}/{workload.name}, {pods} pods",
        "container", "resource", "used", "peak", "request", "advised", "limit", "advised", "saved in all",
    )  # fmt: skip
    for one in account.sized:
        if one.advice is None:
            continue
        now, then = one.present, one.advice.resources
        for resource, shown, used, peak, request, to_request, limit, to_limit in (
            ("cpu", cores, one.advice.cpu_used, one.advice.cpu_peak,
             now.cpu_request, then.cpu_request, now.cpu_limit, then.cpu_limit),
            ("memory", size, one.advice.memory_used, one.advice.memory_peak,
             now.memory_request, then.memory_request, now.memory_limit, then.memory_limit),
        ):  # fmt: skip
            saved = None if request is None or to_request is None else (request - to_request) * pods
            figures = (used, peak, request, to_request, limit, to_limit)
            cells = [one.container, resource, *(_shown(shown, figure) for figure in figures)]
            style = "red" if saved is not None and saved < 0 else ""
            console.add(made, [*cells, _saved(shown, saved)], style)
    if any(one.advice for one in account.sized):
        out.print(made)
    for line in notes(account):
        out.print(f"note: {line}.")


def notes(account: Account) -> list[str]:
    """Return what a reader has to know."""
    found = [*account.found.notes]
    for one in account.sized:
        said = [one.reason] if one.advice is None else one.advice.notes
        found += [f"{one.container}: {note}" for note in said]
    gpu = account.found.gpu
    if gpu is not None:
        of = f" of {size(gpu.memory_size * _MEBI)}" if gpu.memory_size else ""
        text = (
            f"GPU: memory peaked at {size(gpu.memory_peak * _MEBI)}{of}, which vLLM takes beforehand whether "
            f"it needs it or not; busy for {gpu.busy_p95:.0f}% of the time or less in 95% of readings"
        )
        idle = "; a smaller one, or a part of one, may do" if gpu.busy_p95 <= _IDLE else ""
        found.append(text + idle)
    return found


def plain(account: Account) -> Mapping[str, Any]:
    """Return the same for JSON: cores and bytes."""
    found = account.found
    return {
        "monitor": account.monitor,
        "workload": asdict(found.workload),
        "pods": found.pods,
        "containers": [
            {
                "container": one.container,
                "present": asdict(one.present),
                "advised": one.advice and asdict(one.advice.resources),
                "hours": one.advice and one.advice.hours,
                "cpu_used": one.advice and one.advice.cpu_used,
                "cpu_peak": one.advice and one.advice.cpu_peak,
                "memory_used": one.advice and one.advice.memory_used,
                "memory_peak": one.advice and one.advice.memory_peak,
                "saved": one.advice and _savings(one.present, one.advice.resources, found.pods),
            }
            for one in account.sized
        ],
        "gpu": found.gpu and asdict(found.gpu),
        "notes": notes(account),
    }


def patch(account: Account) -> str:
    """Return a strategic merge patch of the workload; empty where nothing is advised."""
    workload = account.found.workload
    containers = [
        {"name": one.container, "resources": _resources(one.advice.resources)}
        for one in account.sized
        if one.advice is not None
    ]
    if not containers:
        return ""
    header = (
        f"# What airis-mon advises for {account.monitor}. Nothing was applied; read it, then\n"
        f"# kubectl patch {workload.kind.lower()} {workload.name} -n {workload.namespace} --patch-file FILE\n"
    )
    text = yaml_text(
        {
            "apiVersion": "apps/v1",
            "kind": workload.kind,
            "metadata": {"name": workload.name, "namespace": workload.namespace},
            "spec": {"template": {"spec": {"containers": containers}}},
        },
        source=account.monitor,
    )
    lines = text.splitlines(keepends=True)
    return header + "".join(line for line in lines if not line.startswith("#"))


def cores(value: float) -> str:
    """Return cores as Kubernetes writes them: 250m, 2."""
    thousandths = round(value * 1000)
    return f"{thousandths // 1000}" if thousandths % 1000 == 0 else f"{thousandths}m"


def size(value: float) -> str:
    """Return bytes as Kubernetes writes them, in Mi or Gi."""
    return f"{value / _GIBI:g}Gi" if value % _GIBI == 0 and value else f"{value / _MEBI:.0f}Mi"


def _resources(advised: Resources) -> dict[str, dict[str, str]]:
    parts = {
        "requests": {"cpu": advised.cpu_request, "memory": advised.memory_request},
        "limits": {"cpu": advised.cpu_limit, "memory": advised.memory_limit},
    }
    shown = {"cpu": cores, "memory": size}
    written = {
        part: {name: shown[name](value) for name, value in values.items() if value is not None}
        for part, values in parts.items()
    }
    return {part: values for part, values in written.items() if values}


def _savings(now: Resources, then: Resources, pods: int) -> dict[str, float | None]:
    return {
        "cpu": _difference(now.cpu_request, then.cpu_request, pods),
        "memory": _difference(now.memory_request, then.memory_request, pods),
    }


def _difference(now: float | None, then: float | None, pods: int) -> float | None:
    return None if now is None or then is None else (now - then) * pods


def _shown(shown: Any, value: float | None) -> str:
    return "-" if value is None else str(shown(value))


def _saved(shown: Any, value: float | None) -> str:
    return "-" if value is None else ("-" if value < 0 else "") + str(shown(abs(value)))
