"""Prometheus -> deploys, restarts, outages, alerts of others, maintenance: what began within a window."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from airis_mon.analyzer.causes import Event, Kind
from airis_mon.analyzer.query import Frame, Querier
from airis_mon.cli.wording import printable
from airis_mon.exporters.contracts import matchers
from airis_mon.rules import series
from airis_mon.spec import Monitor

VERSIONS = (
    "version", "model_version", "service_version", "app_version", "image", "image_tag", "revision", "release",
    "commit", "git_commit", "git_sha", "config", "config_hash", "checksum", "model_revision",
)  # fmt: skip
"""Labels whose new values are deploys."""
_JOB = "job"
_BEFORE = 6 * 3600
"""Seconds before the window by which it is told how often something happens anyway."""
_ABSENT = 600
"""Seconds for which a label value or an alert has to have been away to come anew."""
_SHOWN = 40
"""Characters of a label's value."""
_ALERTS_MAX = 1000


@dataclass(frozen=True)
class Span:
    """The window, in seconds since the epoch."""

    begin: int
    end: int
    step: int

    @property
    def before(self) -> int:
        """When reading begins."""
        return self.begin - _BEFORE


def happenings(monitor: Monitor, depended: Sequence[Monitor], querier: Querier, span: Span) -> list[Event]:
    """Return everything that began in the window; QueryError where the server does not answer."""
    found: list[Event] = []
    for one in (monitor, *depended):
        prefix = "" if one is monitor else f"{one.name}: "
        found += _deploys(one, prefix, querier, span)
        found += _restarts(one, prefix, querier, span)
        found += _outages(one, prefix, querier, span)
    found += _alerts(monitor, {one.name for one in depended}, querier, span)
    found += _maintenance((monitor, *depended), querier, span)
    return list(dict.fromkeys(found))


def _deploys(monitor: Monitor, prefix: str, querier: Querier, span: Span) -> Iterator[Event]:
    """Yield new values of labels that name a version, of the model's series and of its process's infos."""
    labels = ", ".join(VERSIONS)
    selector = {name: value for name, value in monitor.source.selector.items() if name not in VERSIONS}
    asked = [matchers(selector)] if selector else []
    if _JOB in selector:
        asked.append(matchers({_JOB: selector[_JOB]}, '__name__=~".+_info"'))
    for chosen in asked:
        frame = querier.range(f"group by ({labels}) ({chosen})", span.before, span.end, span.step)
        for label in VERSIONS:
            yield from _values(frame, label, prefix, span)


def _values(frame: Frame, label: str, prefix: str, span: Span) -> Iterator[Event]:
    there: dict[str, list[bool]] = {}
    for row, known in zip(frame.labels, frame.values.tolist(), strict=True):
        value = dict(row).get(label)
        if value:
            present = there.setdefault(value, [False] * len(known))
            there[value] = [
                one or not math.isnan(reading) for one, reading in zip(present, known, strict=True)
            ]
    seen = [any(mine[column] for mine in there.values()) for column in range(len(frame.timestamps))]
    for value, present in there.items():
        begun = _beginnings(present, span)
        for column in begun.inside:
            if not any(seen[max(0, column - _ABSENT // span.step) : column]):
                continue  # Nothing of the model was there before: it began, and did not change.
            old = sorted(name for name, mine in there.items() if name != value and mine[column - 1])
            change = (
                f"changed {_short(', '.join(old))} -> {_short(value)}" if old else f"{_short(value)} appeared"
            )
            what = f"{prefix}{label} {change}"
            yield Event(_time(column, span), "deploy", what, begun.per_hour)


def _restarts(monitor: Monitor, prefix: str, querier: Querier, span: Span) -> Iterator[Event]:
    job = monitor.source.selector.get(_JOB)
    if job is None:
        return
    frame = querier.range(
        f"max by (instance) (process_start_time_seconds{matchers({_JOB: job})})",
        span.before,
        span.end,
        span.step,
    )
    for labels, row in zip(frame.labels, frame.values.tolist(), strict=True):
        starts = sorted({round(value) for value in row if not math.isnan(value)})
        inside = [start for start in starts if span.begin <= start <= span.end]
        often = sum(span.before <= start < span.begin for start in starts) * 3600 / _BEFORE
        for start in inside:
            again = "restarted" if start != starts[0] else "started"
            yield Event(start, "restart", f"{prefix}{_instance(labels)} {again}", often)


def _outages(monitor: Monitor, prefix: str, querier: Querier, span: Span) -> Iterator[Event]:
    job = monitor.source.selector.get(_JOB)
    if job is None:
        return
    frame = querier.range(f"up{matchers({_JOB: job})} == 0", span.before, span.end, span.step)
    yield from _begun(
        frame,
        "outage",
        lambda labels: f"{prefix}{_instance(tuple(labels.items()))} could not be scraped",
        span,
    )


def _alerts(monitor: Monitor, depended: set[str], querier: Querier, span: Span) -> Iterator[Event]:
    """Yield alerts of others: one's own are the incident."""
    labels = (series.ALERTNAME, series.MONITOR, series.OBJECTIVE_LABEL, series.FOR, series.SEVERITY)
    firing = series.ALERTS + matchers(
        {series.ALERTSTATE: series.FIRING}, f'{series.MONITOR}!="{monitor.name}"'
    )
    frame = querier.range(f"group by ({', '.join(labels)}) ({firing})", span.before, span.end, span.step)
    for row, values in list(zip(frame.labels, frame.values.tolist(), strict=True))[:_ALERTS_MAX]:
        known = dict(row)
        of = [known[label] for label in labels[1:4] if known.get(label)]
        what = f"alert {known.get(series.ALERTNAME, '')}" + (f" ({', '.join(of)})" if of else "") + " fired"
        kind: Kind = "dependency alert" if known.get(series.MONITOR) in depended else "alert"
        begun = _beginnings([not math.isnan(value) for value in values], span)
        for column in begun.inside[:1]:
            yield Event(_time(column, span), kind, printable(what), begun.per_hour)


def _maintenance(monitors: Sequence[Monitor], querier: Querier, span: Span) -> Iterator[Event]:
    names = "|".join(one.name for one in monitors)
    chosen = matchers({}, f'{series.MONITOR}=~"{names}"')
    frame = querier.range(f"{series.MAINTENANCE}{chosen} == 1", span.before, span.end, span.step)

    def worded(labels: Mapping[str, str]) -> str:
        name, of = (labels.get(label, "") for label in (series.MAINTENANCE_LABEL, series.MONITOR))
        return f"maintenance {name} of {of} began"

    yield from _begun(frame, "maintenance", worded, span)


@dataclass(frozen=True)
class _Begun:
    inside: list[int]
    """Columns of the window at which something came."""
    per_hour: float
    """How often it came before."""


def _begun(
    frame: Frame, kind: Kind, worded: Callable[[Mapping[str, str]], str], span: Span
) -> Iterator[Event]:
    for labels, row in zip(frame.labels, frame.values.tolist(), strict=True):
        begun = _beginnings([not math.isnan(value) for value in row], span)
        for column in begun.inside[:1]:
            yield Event(_time(column, span), kind, printable(worded(dict(labels))), begun.per_hour)


def _beginnings(present: Sequence[bool], span: Span) -> _Begun:
    """Return when something came after it had been away; the first column says nothing of that."""
    away = _ABSENT // span.step
    border = (span.begin - span.before) // span.step
    found, last = [], 0 if present and present[0] else -away - 1
    for column, there in enumerate(present):
        if there:
            if column - last > away:
                found.append(column)
            last = column
    earlier = sum(column < border for column in found)
    return _Begun([column for column in found if column >= border], earlier * 3600 / _BEFORE)


def _time(column: int, span: Span) -> float:
    return float(span.before + column * span.step)


def _instance(labels: Sequence[tuple[str, str]]) -> str:
    return printable(f"instance {dict(labels).get('instance', '')}")


def _short(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"
