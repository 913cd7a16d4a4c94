"""docs/document.md: every kind and field, from the JSON Schema; and the signals of every contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from airis_mon.exporters.contracts import CONTRACTS
from airis_mon.spec import json_schema
from docs import markdown

Schema = Mapping[str, Any]

INTRODUCTION = """
A file holds one document, or several separated by `---`. Unknown keys are errors. Durations are written as
Prometheus writes them (`500ms`, `5m`, `30d`), shares as percent (`99.9%`). For completion and checking in an
editor, point it at `spec/schema/modelmonitor.schema.json`, or at what `airis-mon schema` prints:

```yaml
# yaml-language-server: $schema=modelmonitor.schema.json
```
"""

SIGNALS = """
What `of:` of an anomaly or a forecast may name. A latency objective names a distribution: the part of a
signal before `_p50`, `_p95`, ... `airis-mon contracts` prints the same list.
"""


def text() -> str:
    """Return the page."""
    schema = json_schema()
    parts = [INTRODUCTION]
    for kind in schema["properties"]["kind"]["enum"]:
        definition = schema["$defs"][kind]["properties"]
        parts += [f"## {kind}", definition["spec"].get("description", "")]
        rows = [*_rows("metadata", definition["metadata"]), *_rows("spec", definition["spec"])]
        parts.append(markdown.table(("key", "value", "default", "meaning"), rows))
    parts += ["## Signals", SIGNALS]
    for contract in CONTRACTS.values():
        parts += [f"### {contract.name}", f"{contract.title}."]
        signals = [(markdown.code(signal), contract.unit(signal)) for signal in contract.signals()]
        parts.append(markdown.table(("signal", "unit"), signals))
    return markdown.page("The document", *parts)


def _rows(path: str, schema: Schema) -> Iterator[tuple[str, str, str, str]]:
    """Yield a row per key, depth first; keys of list items follow `[]`."""
    required = schema.get("required", ())
    for key, inner in schema.get("properties", {}).items():
        place = f"{path}.{key}"
        default = "required" if key in required else markdown.code(str(inner.get("default", "")))
        yield markdown.code(place), _value(inner), default, inner.get("description", "")
        yield from _rows(place, inner)
        if isinstance(inner.get("items"), Mapping):
            yield from _rows(f"{place}[]", inner["items"])


def _value(schema: Schema) -> str:
    """Say in a word or two what may stand there."""
    if "enum" in schema:
        return " or ".join(markdown.code(str(choice)) for choice in schema["enum"])
    kind = schema.get("type", "")
    if kind == "array":
        return f"list of {_value(schema.get('items', {})) or 'values'}"
    if kind == "object":
        extra = schema.get("additionalProperties")
        if isinstance(extra, Mapping):
            return f"mapping to {_value(extra) or 'values'}"
        return "mapping"
    return {"string": "text"}.get(str(kind), str(kind))
