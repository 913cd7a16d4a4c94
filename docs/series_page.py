"""docs/series.md: every series and label, from each room's `series.py` and from the registries themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from prometheus_client import CollectorRegistry

from airis_mon import sidecar
from airis_mon.analyzer import series as analyzer
from airis_mon.analyzer.metrics import Metrics, Reloads
from airis_mon.analyzer.workers.presence import Presence
from airis_mon.exporters import series as exporters
from airis_mon.instrument import Instruments, Sender
from airis_mon.rules import series as rules
from airis_mon.sidecar import otlp, remote_write, service
from airis_mon.sidecar.translation import KINDS
from airis_mon.sidecar.units import UNITS
from docs import markdown

INTRODUCTION = """
Names are the interface between the stages. Each stands in its room's `series.py` and nowhere else.
"""

ITSELF = "What the analyzer says of itself"
"""Heading of names that the registry tells more about."""


@dataclass(frozen=True)
class Name:
    """One constant of a `series.py`."""

    heading: str
    """The comment above its group."""
    value: str
    meaning: str
    """Its docstring."""


def names(module: ModuleType) -> Iterator[Name]:
    """Yield the names that a `series.py` holds, in its order."""
    source = Path(module.__file__ or "").read_text(encoding="utf-8")
    lines = source.splitlines()
    body = ast.parse(source).body
    heading = ""
    for statement, following in zip(body, [*body[1:], None], strict=True):
        above = lines[statement.lineno - 2].strip()
        if above.startswith("# "):
            heading = above.removeprefix("# ")
        if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Constant):
            continue
        meaning = ""
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            meaning = str(following.value.value)
        yield Name(heading, str(statement.value.value), meaning)


def text() -> str:
    """Return the page."""
    return markdown.page(
        "Series",
        INTRODUCTION,
        "## Applications: `airis_mon.instrument`",
        _first_lines(exporters),
        _families(_instrumented()),
        "## Sidecar: what applications send",
        _after(sidecar.__doc__ or "", "How a metric becomes a series"),
        "### Types",
        markdown.table(
            ("`metric_type`", "becomes"), [(markdown.code(word), kind) for word, kind in KINDS.items()]
        ),
        "### Units",
        markdown.table(("written", "base unit", "conversion"), _units()),
        "Anything countable may be written in braces, such as `{page}`; rates such as `tokens/s`.",
        "## Sidecar: what OpenTelemetry exports",
        _after(otlp.__doc__ or "", "What an export becomes"),
        "## Sidecar: what Prometheus writes",
        _after(remote_write.__doc__ or "", "What a sample becomes"),
        "## Sidecar: its own",
        _families(_sidecar()),
        "## Analyzer",
        _first_lines(analyzer),
        *_groups(name for name in names(analyzer) if name.heading != ITSELF),
        f"### {ITSELF}",
        _families(_analyzer()),
        "## Rules",
        _first_lines(rules),
        *_groups(names(rules)),
    )


def _instrumented() -> CollectorRegistry:
    registry = CollectorRegistry()
    instruments = Instruments(registry=registry)
    # One of everything, so that each family has a sample to read its labels from.
    for llm in (instruments.llm(model="m", provider="p"), instruments.llm_server(model="m", provider="p")):
        llm.record(1, 1, 1, 1, 1, 1, 1, 1)
    instruments.predictor(model="m", version="1")
    Sender("http://127.0.0.1:9466", source="s", registry=registry)
    return registry


def _sidecar() -> CollectorRegistry:
    registry = CollectorRegistry()
    app = service.sidecar(registry=registry)
    registry.register(app[service.AGGREGATES])
    return registry


def _analyzer() -> CollectorRegistry:
    registry = CollectorRegistry()
    Metrics(registry)
    Reloads(registry)
    Presence(registry)
    return registry


def _units() -> Iterator[tuple[str, str, str]]:
    """Yield a row per conversion, with all of its spellings."""
    spellings: dict[tuple[str, str], list[str]] = {}
    for spelling, unit in UNITS.items():
        factor = f"/ {unit.divisor:.16g}" if unit.divisor != 1 else f"* {unit.scale:.16g}"
        if factor == "* 1":
            factor = "none"
        spellings.setdefault((unit.base, factor), []).append(spelling)
    for (base, factor), written in spellings.items():
        yield ", ".join(map(markdown.code, filter(None, written))), base or "none", factor


def _after(text: str, line: str) -> str:
    """Return a text from the line after `line` on."""
    return text.partition(f"{line}\n")[2]


def _families(registry: CollectorRegistry) -> str:
    """Return a table of a registry's metric families."""
    # A family that has seen no traffic has no sample to read its labels from; its collector knows them.
    collectors = getattr(registry, "_names_to_collectors")  # noqa: B009
    rows = []
    for family in registry.collect():
        sampled = (label for sample in family.samples for label in sample.labels if label != "le")
        labels = getattr(collectors.get(family.name), "_labelnames", tuple(dict.fromkeys(sampled)))
        name = f"{family.name}_total" if family.type == "counter" else family.name
        told = ", ".join(map(markdown.code, labels))
        rows.append((markdown.code(name), family.type, told, family.documentation))
    return markdown.table(("series", "type", "labels", "meaning"), rows)


def _first_lines(module: ModuleType) -> str:
    """Return what the module's docstring says after its first sentence about itself."""
    return (module.__doc__ or "").partition("\n\n")[2]


def _groups(found: Iterable[Name]) -> Iterator[str]:
    groups: dict[str, list[Name]] = {}
    for name in found:
        groups.setdefault(name.heading, []).append(name)
    for heading, members in groups.items():
        yield f"### {heading}" if heading else ""
        rows = [(markdown.code(name.value), name.meaning) for name in members]
        if any(meaning for _, meaning in rows):
            yield markdown.table(("name", "meaning"), rows)
        else:
            yield ", ".join(name for name, _ in rows)
