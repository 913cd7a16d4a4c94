"""Names as senders write them, and the names that Prometheus takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from airis_mon.exporters import series
from airis_mon.sidecar.items import NAME, TAGS, ItemError
from airis_mon.sidecar.units import Unit, spelled

Kind = Literal["counter", "gauge", "histogram"]
Labels = tuple[tuple[str, str], ...]

LONGEST_TAGS = 4096
"""Characters of all tags of an item; every series keeps them for as long as the process lives."""

_OTHER_CHARACTERS = re.compile(r"[^a-zA-Z0-9]+")
_LABEL_CHARACTERS = re.compile(r"[^a-zA-Z0-9_]+")
_RESERVED_PREFIXES = ("airis_sidecar_", "process_", "python_", "scrape_")
_KEPT = (
    series.EVENTS.removesuffix("_total"),
    series.LOG_RECORDS.removesuffix("_total"),
    series.LOG_POSITION,
)
_RESERVED = frozenset({"up", "ALERTS", "ALERTS_FOR_STATE", *_KEPT})
OWN_SERIES = frozenset(
    {
        "process_cpu_seconds",
        "process_max_fds",
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "process_virtual_memory_bytes",
        "python_gc_collections",
        "python_gc_objects_collected",
        "python_gc_objects_uncollectable",
        "python_info",
        *_KEPT,
    }
)
"""What this process exposes about itself, beside `airis_sidecar_*`."""
_RESERVED_LABELS = frozenset({"le", "quantile", series.SOURCE})


def metric_name(name: str, unit: Unit, kind: Kind) -> str:
    """Return the family's name, without a counter's `_total`; ItemError for a name that cannot be one.

    Runs of other characters become one underscore, an ending that spells the unit it was sent in gives way to
    the base unit (`latency_ms` in `ms` is `latency_seconds`), and no ending is said twice.
    """
    words = _OTHER_CHARACTERS.sub("_", name).strip("_")
    if not words:
        raise ItemError(
            "metric_name", f"`{name}` leaves no name; write letters, digits, dots and underscores", NAME
        )
    if ":" in name:
        raise ItemError(
            "metric_name",
            f"`{name}` has a colon, which Prometheus keeps for the names of recording rules; write `{words}`",
            NAME,
        )
    if kind == "counter":
        while words.endswith("_total"):
            words = words.removesuffix("_total")
    suffix = unit.suffix
    if suffix and words != suffix and not words.endswith(f"_{suffix}"):
        stem, _, ending = words.rpartition("_")
        if stem and spelled(ending, unit):
            words = stem
        words = f"{words}_{suffix}"
    if words[0].isdigit():
        words = f"_{words}"
    if words in _RESERVED or words.startswith(_RESERVED_PREFIXES):
        raise ItemError(
            "metric_name",
            f"`{words}` is a name that Prometheus or this process gives to its own series; choose another",
            NAME,
        )
    return words


def check_free(name: str) -> str:
    """Return the name of a sender's own choice; ItemError where this process exposes one like it."""
    if name.removesuffix("_total") in OWN_SERIES or name.startswith("airis_sidecar_"):
        raise ItemError(
            "name",
            f"`{name}` is a series of this process itself; rename it before it is sent, or leave it out",
            NAME,
        )
    return name


def labels(source: str, tags: Mapping[str, str]) -> Labels:
    """Return the label pairs of a metric, sorted by name; ItemError for a tag that cannot be one.

    An empty value is no label to Prometheus, so none is made of it. `le`, `quantile` and `source` have a
    meaning of their own, as do names that begin with two underscores: such a tag becomes `tag_le`.
    """
    length = sum(len(tag) + len(value) for tag, value in tags.items())
    if length > LONGEST_TAGS:
        raise ItemError(
            "tags",
            f"{length} characters in all, at most {LONGEST_TAGS} are taken; put what no query selects by "
            f"into metadata",
            TAGS,
        )
    pairs = {series.SOURCE: source}
    for tag, value in tags.items():
        name = label_name(tag)
        if name in pairs:
            raise ItemError(
                f"tags.{tag}", f"another tag already is the label `{name}`; rename one of them", TAGS
            )
        if value:
            pairs[name] = value
    return tuple(sorted(pairs.items()))


def label_name(tag: str) -> str:
    """Return the label's name for a tag."""
    name = _LABEL_CHARACTERS.sub("_", tag)
    bare = name.strip("_")
    if not bare:
        raise ItemError(
            f"tags.{tag}", f"`{tag}` leaves no label name; write letters, digits and underscores", TAGS
        )
    if name in _RESERVED_LABELS or name.startswith("__") or name[0].isdigit():
        return f"tag_{name.lstrip('_')}"
    return name
