"""Samples into changes of series."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from airis_mon.remote_write import is_stale
from airis_mon.sidecar.aggregates import Aggregates
from airis_mon.sidecar.intake import Refusal
from airis_mon.sidecar.items import NAME, TAGS, TYPE, VALUE, ItemError
from airis_mon.sidecar.names import LONGEST_TAGS, Labels, check_free
from airis_mon.sidecar.remote_write.requests import MOST_LABELS, Pairs, Written
from airis_mon.sidecar.series import Exemplar, Family
from airis_mon.sidecar.translation import Change, Removal, Total

LONGEST_DOCUMENTATION = 500
"""Characters of a metric's help that are exposed."""
LONGEST_EXEMPLAR = 128
"""Characters of an exemplar's labels, as OpenMetrics limits them."""

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_NATIVE = ItemError(
    "histograms",
    "native histograms are not kept; send classic ones (`always_scrape_classic_histograms: true` where they "
    "are scraped)",
    TYPE,
)


@dataclass
class Translated:
    """What a request comes to; an index counts samples, then native histograms, series by series."""

    changes: list[tuple[int, Change]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    samples: int = 0
    histograms: int = 0
    exemplars: int = 0
    """Those that are kept, if their samples are."""


class SampleTranslation:
    """Turns samples into changes. Reads the aggregates, and changes nothing in them."""

    def __init__(self, aggregates: Aggregates, moment: Callable[[float], float]) -> None:
        self._aggregates = aggregates
        self._moment = moment

    def changes(self, request: Sequence[Written]) -> Translated:
        """Return the changes of a request, and what is wrong with the samples that are none."""
        found = Translated()
        index = 0
        for written in request:
            found.samples += len(written.samples)
            found.histograms += written.histograms
            error = written.error
            if error is None:
                try:
                    name, labels = _identity(written.labels)
                    family = self._family(name, written)
                except ItemError as unfit:
                    error = unfit
            for timestamp, value in written.samples:
                try:
                    if error is not None:
                        raise error
                    change = self._change(family, labels, timestamp / 1e3, value, written.exemplars)
                except ItemError as refused:
                    found.refusals.append(Refusal(index, _of(written, refused)))
                else:
                    if change is not None:
                        found.changes.append((index, change))
                        found.exemplars += len(change.exemplars) if isinstance(change, Total) else 0
                index += 1
            for _ in range(written.histograms):
                found.refusals.append(Refusal(index, _of(written, _NATIVE)))
                index += 1
        return found

    def _change(
        self, family: Family, labels: Labels, timestamp: float, value: float, exemplars: tuple[Exemplar, ...]
    ) -> Change | None:
        """Return the change; None for a marker that ends what has gone on since."""
        self._moment(timestamp)
        if is_stale(value):
            series = self._aggregates.found(family.name, labels)
            return None if series is not None and series.last > timestamp else Removal(family.name, labels)
        if family.kind != "counter":
            # One NaN of all: the others have meanings, such as the end of a series.
            return Total(family, labels, math.nan if math.isnan(value) else value, timestamp)
        if not 0 <= value < math.inf:
            raise ItemError("value", f"a counter takes 0 or more, and a finite number, got {value:g}", VALUE)
        return Total(family, labels, value, timestamp, tuple(filter(_fits, exemplars[-1:])))

    def _family(self, name: str, written: Written) -> Family:
        known = self._aggregates.holder(name)
        if known is not None:
            # Its type was said before, or was not; a series does not change it on its way.
            return known
        said = "".join(character if character.isprintable() else " " for character in written.documentation)
        said = said[:LONGEST_DOCUMENTATION].strip() or "Sent by remote write."
        if written.kind == "counter" and len(name) > len("_total") and name.endswith("_total"):
            return Family(name.removesuffix("_total"), "counter", said)
        return Family(name, "gauge" if written.kind == "gauge" else "unknown", said)


def _identity(given: Pairs) -> tuple[str, Labels]:
    """Return the metric's name and the sorted label pairs; ItemError for what no text can hold."""
    pairs = dict(given)
    if len(pairs) != len(given):
        raise ItemError("labels", "a name is given twice; a series has each label once", TAGS)
    if len(given) > MOST_LABELS or sum(len(name) + len(value) for name, value in given) > LONGEST_TAGS:
        raise ItemError(
            "labels", f"more than {MOST_LABELS} labels or {LONGEST_TAGS} characters of them; drop some", TAGS
        )
    name = pairs.pop("__name__", "")
    if not _NAME.match(name):
        raise ItemError(
            "__name__",
            f"`{name[:80]}` is no name: letters, digits, underscores and colons are taken, not a digit first",
            NAME,
        )
    for label in pairs:
        if not _LABEL.match(label) or label.startswith("__"):
            raise ItemError(
                "labels",
                f"`{label[:80]}` is no label: letters, digits and underscores are taken, not a digit first, "
                f"nor two underscores",
                TAGS,
            )
    return check_free(name), tuple(sorted((label, value) for label, value in pairs.items() if value))


def _fits(exemplar: Exemplar) -> bool:
    """Say whether OpenMetrics has a place for an exemplar."""
    length = sum(len(name) + len(value) for name, value in exemplar.labels)
    names = [name for name, _ in exemplar.labels]
    return (
        0 < length <= LONGEST_EXEMPLAR
        and len(set(names)) == len(names)
        and all(map(_LABEL.match, names))
        and math.isfinite(exemplar.value)
    )


def _of(written: Written, error: ItemError) -> ItemError:
    """Return the error with the metric's name before the field."""
    name = dict(written.labels).get("__name__", "")
    return ItemError(f"{name[:100]}.{error.field}".lstrip("."), error.message, error.reason)
