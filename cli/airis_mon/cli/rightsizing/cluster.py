"""What kube-state-metrics, cAdvisor and NVIDIA's DCGM exporter say of a workload."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from airis_mon.analyzer.query import Frame, Querier
from airis_mon.analyzer.rightsizing import Resources, Usage
from airis_mon.exporters.contracts import contract_of, matchers
from airis_mon.spec import Monitor

STEP = 300
"""Seconds between readings."""
_HOUR = 3600
CPU, MEMORY = "container_cpu_usage_seconds_total", "container_memory_working_set_bytes"
REQUESTS, LIMITS = "kube_pod_container_resource_requests", "kube_pod_container_resource_limits"
KILLED = "kube_pod_container_status_last_terminated_reason"
GPU_MEMORY, GPU_MEMORY_FREE, GPU_BUSY = "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE", "DCGM_FI_DEV_GPU_UTIL"
_PODS = {
    "Deployment": re.compile(r"(?P<name>[a-z0-9.-]+?)-[a-z0-9]{1,10}-[a-z0-9]{5}"),
    "StatefulSet": re.compile(r"(?P<name>[a-z0-9.-]+?)-[0-9]{1,4}"),
}
"""How pods of each kind are called: by a hash and a suffix, or by a number."""
_SUFFIX = {"Deployment": "-[a-z0-9]{1,10}-[a-z0-9]{5}", "StatefulSet": "-[0-9]{1,4}"}


class ClusterError(Exception):
    """Something that is not in that Prometheus; the text says what, and what to write."""


@dataclass(frozen=True)
class Workload:
    """What makes the pods."""

    namespace: str
    kind: str
    """Deployment or StatefulSet."""
    name: str

    @property
    def selector(self) -> str:
        """Matchers of its pods."""
        return matchers(
            {"namespace": self.namespace}, f'pod=~"{self.name.replace(".", "[.]")}{_SUFFIX[self.kind]}"'
        )


@dataclass(frozen=True)
class Gpu:
    """What was used of the GPUs; MiB and percent, as DCGM counts."""

    memory_peak: float
    memory_size: float | None
    busy_p95: float


@dataclass(frozen=True)
class Container:
    """One container of the workload's pods."""

    name: str
    usage: Usage
    present: Resources
    killed: bool


@dataclass(frozen=True)
class Found:
    """Everything that is known of a workload."""

    workload: Workload
    pods: int
    """Pods that run now."""
    containers: tuple[Container, ...]
    gpu: Gpu | None = None
    notes: tuple[str, ...] = field(default=())


def workloads(monitor: Monitor, querier: Querier, begin: int, end: int) -> tuple[Workload, ...]:
    """Return what the series of a model come from, by their labels `namespace` and `pod`."""
    contract = contract_of(monitor.source)
    metric = next((one.metric for one in contract.gauges.values()), None)
    if metric is None and contract.requests is not None:
        metric = contract.requests.total
    if metric is None:
        raise ClusterError(
            f"the contract `{contract.name}` has no series of its own to find pods by; write --namespace and "
            "--workload"
        )
    selected = metric + matchers(monitor.source.selector, 'namespace!=""', 'pod!=""')
    frame = querier.range(f"group by (namespace, pod) ({selected})", begin, end, _HOUR)
    found: dict[Workload, None] = {}
    for labels in map(dict, frame.labels):
        for kind, pattern in _PODS.items():
            if (match := pattern.fullmatch(labels["pod"])) is not None:
                found[Workload(labels["namespace"], kind, match["name"])] = None
                break
    if not found:
        raise ClusterError(
            f"no series of `{selected}` says by `namespace` and `pod` which Deployment or StatefulSet it "
            "comes from; write --namespace and --workload"
        )
    return tuple(found)


def found(workload: Workload, querier: Querier, begin: int, end: int) -> Found:
    """Return what its containers have and use; ClusterError where nothing says so."""
    named = workload.selector[:-1] + ',container!="",container!="POD"}'
    by = "by (pod, container)"
    cpu = querier.range(f"sum {by} (rate({CPU}{named}[{STEP}s]))", begin, end, STEP)
    memory = querier.range(f"max {by} (max_over_time({MEMORY}{named}[{STEP}s]))", begin, end, STEP)
    if not cpu.labels or not memory.labels:
        missing = MEMORY if cpu.labels else CPU
        raise ClusterError(
            f"nothing came for `{missing}{named}`: is cAdvisor (of the kubelet) scraped, is that the name?"
        )
    used, held = _by_container(cpu), _by_container(memory)
    present = {
        (series, resource): querier.instant(
            f'max by (container) (last_over_time({series}{named[:-1]},resource="{resource}"}}[1h]))', end
        )
        for series in (REQUESTS, LIMITS)
        for resource in ("cpu", "memory")
    }
    span = f"{end - begin}s"
    killed = querier.instant(
        f'max by (container) (max_over_time({KILLED}{named[:-1]},reason="OOMKilled"}}[{span}])) > 0', end
    )
    dead = {dict(labels).get("container") for labels in killed.labels}
    running = querier.instant(f"count(group by (pod) ({MEMORY}{named}))", end)
    notes = []
    if not any(frame.labels for frame in present.values()):
        notes.append(f"nothing came for `{REQUESTS}`: is kube-state-metrics scraped? Savings are not known")
    containers = tuple(
        Container(
            name,
            Usage(cpu.timestamps, cpu.values[used[name]], memory.values[held[name]]),
            Resources(
                cpu_request=_value(present[REQUESTS, "cpu"], name),
                cpu_limit=_value(present[LIMITS, "cpu"], name),
                memory_request=_value(present[REQUESTS, "memory"], name),
                memory_limit=_value(present[LIMITS, "memory"], name),
            ),
            name in dead,
        )
        for name in sorted(used.keys() & held.keys())
    )
    pods = int(running.values[0, 0]) if running.labels else 0
    return Found(workload, pods, containers, _gpu(workload, querier, begin, end), tuple(notes))


def _by_container(frame: Frame) -> dict[str, list[int]]:
    """Return the rows of each container."""
    rows: dict[str, list[int]] = {}
    for row, labels in enumerate(frame.labels):
        rows.setdefault(dict(labels)["container"], []).append(row)
    return rows


def _value(frame: Frame, container: str) -> float | None:
    for labels, value in zip(frame.labels, frame.values[:, 0].tolist(), strict=True):
        if dict(labels).get("container") == container and value > 0:
            return float(value)
    return None


def _gpu(workload: Workload, querier: Querier, begin: int, end: int) -> Gpu | None:
    """Return what the GPUs of its pods were used for; None where DCGM does not say it by pod."""
    selector, span = workload.selector, f"[{end - begin}s]"
    asked = (
        f"max(max_over_time({GPU_MEMORY}{selector}{span}))",
        f"max({GPU_MEMORY}{selector} + {GPU_MEMORY_FREE}{selector})",
        f"max(quantile_over_time(0.95, {GPU_BUSY}{selector}{span}))",
    )
    peak, size, busy = (
        float(frame.values[0, 0]) if frame.labels else None
        for frame in (querier.instant(expression, end) for expression in asked)
    )
    return None if peak is None or busy is None else Gpu(peak, size, busy)
