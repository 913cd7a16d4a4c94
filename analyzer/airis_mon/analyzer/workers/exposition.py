"""One page of series for all workers: theirs with the label `worker`, the supervisor's own without it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from airis_mon.analyzer import series


class Together(Collector):
    """The series of several processes, family by family, as if they were those of one."""

    def __init__(self, own: CollectorRegistry, workers: Callable[[], Mapping[int, Sequence[Metric]]]) -> None:
        """Show what is in `own`, and what `workers` were told last."""
        self._own = own
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        """Yield each family once."""
        families: dict[str, Metric] = {}
        _add(families, self._own.collect(), {})
        for index, told in self._workers().items():
            _add(families, told, {series.WORKER: str(index)})
        yield from families.values()


def _add(families: dict[str, Metric], told: Iterable[Metric], more: Mapping[str, str]) -> None:
    for metric in told:
        family = families.get(metric.name)
        if family is None:
            family = Metric(metric.name, metric.documentation, metric.type, metric.unit)
            families[metric.name] = family
        family.samples += [sample._replace(labels={**sample.labels, **more}) for sample in metric.samples]
