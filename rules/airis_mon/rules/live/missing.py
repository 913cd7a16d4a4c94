"""Why a selector finds nothing: which part of it, and what is there instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from airis_mon.exporters.contracts import matchers
from airis_mon.rules.cost.reading import Selector
from airis_mon.rules.live.prometheus import Prometheus
from airis_mon.spec import Monitor, Problem, nearest

SHOWN = 6
"""Values that are told of a label."""
NAMES = 500
"""Names of series that are looked through for one that is alike."""
ALIKE = 0.75
"""Likeness of two names from which on one may be the other, renamed."""
CLASSIC = ("_bucket", "_count", "_sum")


@dataclass(frozen=True)
class Missing:
    """Asks until it is known what is missing."""

    monitor: Monitor
    prometheus: Prometheus

    def problems(self, selector: Selector, place: str, wider: Selector | None) -> Iterator[Problem]:
        """Yield what is wrong with a selector that finds nothing; `wider` finds some of the same series."""
        if wider is not None:
            yield from self._narrowed(selector, place, wider)
        elif not self._any(Selector(selector.metric, ())):
            yield self._no_such_name(selector, place)
        else:
            yield from self._no_such_values(selector, place)

    def _narrowed(self, selector: Selector, place: str, wider: Selector) -> Iterator[Problem]:
        """Yield labels that no series has by which some would be told apart.

        That none has the value now is usual: a model that never failed has no failed series.
        """
        for label, operator, value in sorted(set(selector.matchers) - set(wider.matchers)):
            having = Selector(wider.metric, (*wider.matchers, (label, "!=", "")))
            if (operator, value) != ("!=", "") and not self._any(having):
                yield self._problem(
                    f"no series of `{selector.metric}` has a label `{label}` to count by",
                    place,
                    f"what was looked for is {selector}",
                )
            elif label == "le":
                yield self._problem(
                    f"no series of `{selector.metric}` has the bucket that is counted",
                    place,
                    f"what was looked for is {selector}; write a boundary that the series have",
                )

    def _no_such_name(self, selector: Selector, place: str) -> Problem:
        base = next(
            (selector.metric.removesuffix(end) for end in CLASSIC if selector.metric.endswith(end)), ""
        )
        if base and self._any(Selector(base, ())):
            return self._problem(
                f"`{base}` is a native histogram there, and has no series `{selector.metric}`",
                place,
                "write `native_histograms: true` in `source`, or `native: true` beside `below` where it is"
                " this one alone; or let Prometheus keep the classic buckets too"
                " (`always_scrape_classic_histograms: true`)",
            )
        if self._any(Selector(f"{selector.metric}_bucket", ())):
            return self._problem(
                f"`{selector.metric}` is a classic histogram there, and has no native one",
                place,
                "leave `native` and `native_histograms` out, and write a boundary of its buckets",
            )
        chosen = matchers(self.monitor.source.selector)
        names = (
            [
                sample.labels.get("__name__", "")
                for sample in self.prometheus.vector(f"topk({NAMES}, count by (__name__) ({chosen}))")
            ]
            if self.monitor.source.selector
            else []
        )
        close = difflib.get_close_matches(selector.metric, names, n=1, cutoff=ALIKE)
        if close:
            hint = f"there is `{close[0]}`; was it renamed? The contract may be for another version"
        elif names:
            hint = f"series of {chosen} are called otherwise, such as `{sorted(names)[0]}`; another contract?"
        else:
            hint = "the model is not scraped, or has not answered anything yet; see the targets of Prometheus"
        return self._problem(f"no series is called `{selector.metric}`", place, hint)

    def _no_such_values(self, selector: Selector, place: str) -> Iterator[Problem]:
        told = False
        for label, value in selector.fixed.items():
            if self._any(Selector(selector.metric, ((label, "=", value),))):
                continue
            told = True
            counts = self.prometheus.vector(
                f"topk({SHOWN + 1}, count by ({label}) ({Selector(selector.metric, ())}))"
            )
            values = sorted(sample.labels[label] for sample in counts if sample.labels.get(label))
            path = f"spec.source.selector.{label}"
            own = self.monitor.source.selector.get(label) == value
            if not values:
                message = f"no series of `{selector.metric}` has a label `{label}`"
                hint = "select by labels that the series have, such as `job`"
            else:
                message = f'no series of `{selector.metric}` has {label}="{value}"'
                shown = ", ".join(f"`{one}`" for one in values[:SHOWN])
                more = ", and more" if len(values) > SHOWN else ""
                close = nearest(value, values)
                meant = f"; did you mean `{close}`?" if close else ""
                hint = f"there are {shown}{more}{meant}"
            yield self._problem(message, path if own else place, hint)
        if not told:
            yield self._problem(
                f"no series of `{selector.metric}` has all of {str(selector)[len(selector.metric) :]}",
                "spec.source.selector",
                "each of the labels is there, on different series; leave out what does not belong together",
            )

    def _any(self, selector: Selector) -> bool:
        return bool(self.prometheus.vector(f"count({selector})"))

    def _problem(self, message: str, path: str, hint: str) -> Problem:
        return Problem(message, path, self.monitor.origin.locate(path), hint)
