"""What a version of Prometheus understands: fields of rule files and functions of PromQL.

What is emitted by itself needs nothing newer than 2.42; what a person wrote as PromQL may.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from airis_mon.rules import places
from airis_mon.rules.groups import Group
from airis_mon.rules.ruler import Ruler, written
from airis_mon.spec import Latency, Monitor, Problem

FIELDS: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "group": {"query_offset": (2, 53), "labels": (3, 0)},
    "rule": {"keep_firing_for": (2, 42)},
}
"""Fields of groups and of rules, with the version that first read them; those that are left out are older."""

FUNCTIONS: Mapping[str, tuple[int, int]] = {
    "histogram_stddev": (2, 47),
    "histogram_stdvar": (2, 47),
    "histogram_avg": (2, 51),
    "first_over_time": (3, 14),
}
"""Functions with the version from which on they need no feature flag; those that are left out are older."""

RENAMED: Mapping[str, tuple[tuple[int, int], str]] = {
    "holt_winters": ((3, 0), "double_exponential_smoothing"),
}
"""Functions with the version that no longer has them, and what it calls them, behind a flag."""

EXPERIMENTAL = frozenset((
    "double_exponential_smoothing", "histogram_quantiles", "info", "limit_ratio", "limitk", "mad_over_time",
    "max_of", "min_of", "sort_by_label", "sort_by_label_desc", "start_timestamp", "ts_of_first_over_time",
    "ts_of_last_over_time", "ts_of_max_over_time", "ts_of_min_over_time",
))  # fmt: skip
"""Functions that no version has without `--enable-feature=promql-experimental-functions`."""

NATIVE_HISTOGRAMS = (3, 0)
"""Version from which on native histograms are read by rules, and written in the tests of its promtool."""

_TOKENS = re.compile(
    r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`|#[^\n]*|([A-Za-z_:][\w:]*)\s*(?=\()', re.DOTALL
)
"""Strings and comments, in which no word is called; else a word before a parenthesis."""


def called(expression: str) -> Iterator[str]:
    """Yield every word that is called like a function, also of PromQL that is newer than our parser."""
    for match in _TOKENS.finditer(expression):
        if match[1]:
            yield match[1].lower()


def problems(monitor: Monitor, emitted: Sequence[Group], ruler: Ruler) -> list[Problem]:
    """Return everything that the ruler's version would not read."""
    found = [problem for group in emitted for problem in _group(monitor, group, ruler)]
    if ruler.version < NATIVE_HISTOGRAMS:
        found += _native(monitor, ruler)
    return list(dict.fromkeys(found))


def native(monitor: Monitor) -> dict[str, str]:
    """Return each path at which native histograms are asked for, with what to write instead."""
    if monitor.source.native_histograms:
        return {
            "spec.source.native_histograms": "leave it out, and let Prometheus keep classic buckets "
            "(`always_scrape_classic_histograms: true` where it keeps native ones as well)"
        }
    return {
        f"spec.objectives[{position}].latency.native": "leave `native` out, and promise a duration at which"
        " a bucket ends"
        for position, objective in enumerate(monitor.objectives)
        if isinstance(objective.indicator, Latency) and objective.indicator.native
    }


def _native(monitor: Monitor, ruler: Ruler) -> Iterator[Problem]:
    for path, instead in native(monitor).items():
        yield Problem(
            f"Prometheus {written(ruler.version)} keeps native histograms only behind a feature flag",
            path,
            monitor.origin.locate(path),
            f"where every Prometheus is newer, say `--prometheus-version {written(NATIVE_HISTOGRAMS)}`;\n"
            f"else {instead}",
        )


def _group(monitor: Monitor, group: Group, ruler: Ruler) -> Iterator[Problem]:
    for field, since in FIELDS["group"].items():
        if field in group.content() and since > ruler.version:
            yield _field(monitor, f"the group `{group.name}`", field, since, ruler)
    for rule in group.rules:
        for field, since in FIELDS["rule"].items():
            if field in rule and since > ruler.version:
                yield _field(monitor, f"a rule of `{group.name}`", field, since, ruler)
        for function in dict.fromkeys(called(str(rule["expr"]))):
            message = _function(function, ruler)
            if message is not None:
                path = places.path(monitor, rule)
                yield Problem(message[0], path, monitor.origin.locate(path), message[1])


def _function(function: str, ruler: Ruler) -> tuple[str, str] | None:
    """Return what is wrong with calling a function, and what helps."""
    version = written(ruler.version)
    if function in EXPERIMENTAL:
        return (
            f"`{function}` is experimental: Prometheus refuses a rule with it unless a flag allows it",
            "write it without; what a flag switches on may be gone in the next version",
        )
    if function in RENAMED and ruler.version >= RENAMED[function][0]:
        since, name = RENAMED[function]
        return (
            f"Prometheus {version} has no function `{function}`; it was taken out with {written(since)}",
            f"write it without; `{name}`, as it is called now, is experimental",
        )
    since = FUNCTIONS.get(function, ruler.version)
    if since > ruler.version:
        return (
            f"Prometheus {version} has no function `{function}`; it came with {written(since)}",
            f"write it without, or, where every Prometheus is newer, `--prometheus-version {written(since)}`",
        )
    return None


def _field(monitor: Monitor, where: str, field: str, since: tuple[int, int], ruler: Ruler) -> Problem:
    return Problem(
        f"{where} needs the field `{field}`, which Prometheus {written(ruler.version)} refuses",
        location=monitor.origin.locate(""),
        hint=f"where every Prometheus is newer, say `--prometheus-version {written(since)}`",
    )
