"""A registry as text: which format the scraper gets, and how it is written."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Collection, Iterable, Iterator
from typing import Protocol

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

TEXT = "text/plain; version=0.0.4; charset=utf-8"

_GZIP = 16 + zlib.MAX_WBITS
_LEVEL = 1
"""Of gzip: text of series packs well at any, and the scraper waits."""
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Exposition(Protocol):
    """Series that a process renders itself, put before those of its registry."""

    def slices(self, openmetrics: bool, names: Collection[str]) -> Iterator[str]:
        """Yield text 0.0.4, or OpenMetrics 1.0 without its `# EOF`, in slices between which others may run.

        Of the samples in `names` alone, if any.
        """


async def rendered(
    exposition: Exposition | None,
    registry: CollectorRegistry,
    accept: str,
    names: Collection[str],
    packed: bool,
) -> tuple[bytes, str]:
    """Return what `render` does, with the slices of `exposition` before it, and gzipped where `packed`.

    Others get their turn between slices, each of which is packed at once: a hundred thousand series are 50 MB
    of text, which should neither lie in memory whole nor be packed in one go.
    """
    body, content_type = render(registry, accept, names)
    packing = zlib.compressobj(_LEVEL, wbits=_GZIP) if packed else None
    pieces: list[bytes] = []

    def add(piece: bytes) -> None:
        pieces.append(piece if packing is None else packing.compress(piece))

    if exposition is not None:
        for text in exposition.slices(content_type == OPENMETRICS, names):
            add(text.encode())
            await asyncio.sleep(0)
    add(body)
    if packing is not None:
        pieces.append(packing.flush())
    return b"".join(pieces), content_type


def render(registry: CollectorRegistry, accept: str, names: Iterable[str] = ()) -> tuple[bytes, str]:
    """Return the body and its content type for an `Accept` header.

    `names` keeps only the series of those names, as `name[]` asks for. `_created` series are left out: they
    double the series of every counter and histogram, and Prometheus does not use them.
    """
    wanted = tuple(names)
    source: Collector = registry.restricted_registry(wanted) if wanted else registry
    visible = _WithoutCreated(source)
    if negotiate(accept) == OPENMETRICS:
        return generate_openmetrics(visible), OPENMETRICS  # type: ignore[no-untyped-call]
    return generate_latest(visible), TEXT


def negotiate(accept: str) -> str:
    """Return TEXT or OPENMETRICS, whichever the `Accept` header prefers; TEXT where it says nothing.

    An own reading of the header, because prometheus-client's ignores weights and raises on a version that is
    none; a header is an outsider's, and no header may end in a 500.
    """
    weights = {TEXT: 0.0, OPENMETRICS: 0.0}
    for media, options in _entries(accept):
        weight, version = _weight(options), options.get("version", "").strip('"')
        if media == "application/openmetrics-text" and version in ("", "1.0.0"):
            weights[OPENMETRICS] = max(weights[OPENMETRICS], weight)
        elif media == "text/plain" and version in ("", "0.0.4"):
            weights[TEXT] = max(weights[TEXT], weight)
    return OPENMETRICS if weights[OPENMETRICS] > 0 and weights[OPENMETRICS] >= weights[TEXT] else TEXT


def accepts_gzip(accept_encoding: str) -> bool:
    """Say whether an `Accept-Encoding` header names gzip with a weight above 0."""
    return any(coding == "gzip" and _weight(options) > 0 for coding, options in _entries(accept_encoding))


def _entries(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each (value, parameters) of an `Accept` or `Accept-Encoding` header, in lower case."""
    for entry in header.lower().split(","):
        value, *parameters = (part.strip() for part in entry.split(";"))
        yield (
            value,
            {key.strip(): text.strip() for key, _, text in (part.partition("=") for part in parameters)},
        )


def _weight(options: dict[str, str]) -> float:
    try:
        weight = float(options.get("q", "1"))
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


class _WithoutCreated(Collector):
    """A registry as it is, less the `_created` samples of its counters, histograms and summaries."""

    def __init__(self, source: Collector) -> None:
        self._source = source

    def collect(self) -> Iterator[Metric]:
        for metric in self._source.collect():
            created = f"{metric.name}_created"
            kept: list[Sample] = [sample for sample in metric.samples if sample.name != created]
            if metric.type == "gauge" or len(kept) == len(metric.samples):
                yield metric
                continue
            copy = Metric(metric.name, metric.documentation, metric.type, metric.unit)
            copy.samples = kept
            yield copy
