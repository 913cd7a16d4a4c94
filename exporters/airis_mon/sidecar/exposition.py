"""Series as text, in slices: what Prometheus scrapes.

prometheus-client takes over a second for 100,000 series and holds the event loop for all of it. Here the
text of a label set is kept with its series, and whoever asks gets the loop back between slices. Byte for byte
it is what prometheus-client writes, exemplars (in OpenMetrics alone) included.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from prometheus_client.utils import floatToGoString

from airis_mon.sidecar.aggregates import Aggregates
from airis_mon.sidecar.names import Labels
from airis_mon.sidecar.series import Exemplar, Family, HistogramSeries, Series

SLICE = 200
"""Series of one slice; a few milliseconds where all are histograms."""


class Exposition:
    """The text of all series of an Aggregates; safe while they change, each series whole."""

    def __init__(self, aggregates: Aggregates) -> None:
        self._aggregates = aggregates

    def slices(self, openmetrics: bool, names: Collection[str]) -> Iterator[str]:
        """Yield text 0.0.4, or OpenMetrics 1.0 without its `# EOF`; only the samples in `names`, if any."""
        for family, kept in self._aggregates.exposed():
            if names and not _asked(family, names):
                continue
            yield _heading(family, openmetrics)
            write = _histograms if family.kind == "histogram" else _numbers
            for first in range(0, len(kept), SLICE):
                text = write(family, kept[first : first + SLICE], openmetrics)
                yield text if not names else _only(text, names)


def _asked(family: Family, names: Collection[str]) -> bool:
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(family.kind, ("",))
    return any(family.name + suffix in names for suffix in suffixes)


def _only(text: str, names: Collection[str]) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if line.partition("{")[0].partition(" ")[0] in names)


def _heading(family: Family, openmetrics: bool) -> str:
    name = family.name
    kind: str = family.kind
    if not openmetrics:
        name = f"{name}_total" if kind == "counter" else name
        kind = "untyped" if kind == "unknown" else kind
    said = family.documentation.replace("\\", r"\\").replace("\n", r"\n")
    if openmetrics:
        said = said.replace('"', r"\"")
    return f"# HELP {name} {said}\n# TYPE {name} {kind}\n"


def _numbers(family: Family, kept: Iterable[Series], openmetrics: bool) -> str:
    told = openmetrics and family.kind == "counter"
    name = f"{family.name}_total" if family.kind == "counter" else family.name
    lines = []
    for series in kept:
        text = series.text
        if text is None:
            pairs = _pairs(series.labels)
            text = series.text = f"{name}{{{pairs}}} " if pairs else f"{name} "
        exemplar = series.exemplar if told else None  # type: ignore[attr-defined]
        said = "" if exemplar is None else _said(exemplar)
        lines.append(f"{text}{_number(series.value)}{said}\n")  # type: ignore[attr-defined]
    return "".join(lines)


def _histograms(family: Family, kept: Iterable[Series], openmetrics: bool) -> str:
    name = family.name
    bounds: list[str] = []
    shape = None
    lines = []
    for series in kept:
        assert isinstance(series, HistogramSeries)
        if series.family is not shape:
            shape = series.family
            bounds = [_number(bound) for bound in (*shape.buckets, float("inf"))]
        before, after = _around_le(series.labels)
        exemplars = series.exemplars if openmetrics else None
        cumulated = 0
        for position, bound in enumerate(bounds):
            cumulated += series.counts[position]
            exemplar = None if exemplars is None else exemplars[position]
            said = "" if exemplar is None else _said(exemplar)
            lines.append(f'{name}_bucket{{{before}le="{bound}"{after}}} {_number(cumulated)}{said}\n')
        pairs = f"{before}{after}".strip(",") if not (before and after) else f"{before}{after[1:]}"
        labels = f"{{{pairs}}}" if pairs else ""
        lines.append(f"{name}_count{labels} {_number(cumulated)}\n{name}_sum{labels} {_number(series.sum)}\n")
    return "".join(lines)


def _said(exemplar: Exemplar) -> str:
    return f" # {{{_pairs(exemplar.labels)}}} {_number(exemplar.value)} {exemplar.timestamp}"


def _around_le(labels: Labels) -> tuple[str, str]:
    """Return the pairs before `le`, with a comma behind them, and those after it, with one before them."""
    before = _pairs(tuple(pair for pair in labels if pair[0] < "le"))
    after = _pairs(tuple(pair for pair in labels if pair[0] > "le"))
    return (f"{before}," if before else ""), (f",{after}" if after else "")


def _pairs(labels: Labels) -> str:
    return ",".join([f'{name}="{_escaped(value)}"' for name, value in labels])


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _number(value: float) -> str:
    # Go and Python write these alike; the rest is left to prometheus-client.
    if -1e300 < value < 1e6:
        return repr(float(value))
    return str(floatToGoString(value))  # type: ignore[no-untyped-call]
