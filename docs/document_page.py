"""docs/document.md: every kind and field with its limits, built-in profiles, signals of every contract.

Read from the field tables of `airis_mon.spec`: they know the shortest and longest durations, which the
JSON Schema cannot tell.
"""

from __future__ import annotations

from collections.abc import Iterator

from airis_mon.exporters.contracts import CONTRACTS
from airis_mon.spec import format_duration, profiles
from airis_mon.spec.kinds import API_GROUP, API_VERSION, KINDS, METADATA
from airis_mon.spec.records import Field, ListOf, MapOf, Record
from airis_mon.spec.scalars import Choice, Count, Duration, Flag, Number, Parsed, Shape, Text
from docs import markdown

INTRODUCTION = f"""
A file holds one document, or several separated by `---`. Each has `apiVersion: {API_GROUP}/{API_VERSION}`,
a `kind`, `metadata` and `spec`. Unknown keys are errors. Durations are written as Prometheus writes them
(`500ms`, `5m`, `30d`), shares as percent (`99.9%`). For completion and checking in an editor, point it at
`spec/schema/modelmonitor.schema.json`, or at what `airis-mon schema` prints:

```yaml
# yaml-language-server: $schema=modelmonitor.schema.json
```
"""

PURPOSES = {
    "ModelMonitor": "What good looks like for one model, where its series are, and who hears when it is not.",
    "Profile": "A template that monitors name by `profile:`. A key that a monitor gives replaces the "
    "profile's, lists whole; `alerting` is merged key by key.",
    "EscalationPolicy": "Who is told of an alert, and who else if it stands. Counted from the alert's start. "
    "Alerts of a severity other than `page` and `ticket` are told to nobody.",
    "Receiver": "Where a message goes.",
    "Team": "Who is responsible: a monitor that names the team in `alerting.team` is told to its policy. "
    "Once one team is declared, a monitor may name declared teams only.",
    "Maintenance": "A time at which models are worked on: nobody is told meanwhile, and what happens is no "
    "measure of them.",
    "TimeInterval": "Times that come again, such as working hours, for steps and mutes of a policy.",
}
"""What each kind is for."""

EXAMPLES = {
    "EscalationPolicy": """
# By day the desk is told, and the lead after a quarter of an hour; at night, at weekends, whoever is on call.
apiVersion: airis.dev/v1alpha1
kind: EscalationPolicy
metadata: {name: business-hours}
spec:
  page:
    - {receivers: [desk], active_time_intervals: [working-hours]}
    - {receivers: [oncall], mute_time_intervals: [working-hours]}
    - {after: 15m, receivers: [lead]}
  ticket:
    - {receivers: [desk], active_time_intervals: [working-hours]}   # of the night too, when they begin
""",
    "Team": """
# Every monitor with `alerting: {team: ml-platform}` is told to that policy.
apiVersion: airis.dev/v1alpha1
kind: Team
metadata: {name: ml-platform}
spec: {escalation: business-hours}
""",
    "TimeInterval": """
apiVersion: airis.dev/v1alpha1
kind: TimeInterval
metadata: {name: working-hours}
spec:
  location: Europe/Berlin
  intervals:
    - {weekdays: [monday:friday], times: ["09:00-17:00"]}
""",
    "Maintenance": """
# Comes again: it mutes the routes by itself, in UTC.
apiVersion: airis.dev/v1alpha1
kind: Maintenance
metadata: {name: patches}
spec:
  reason: nodes are patched
  recurring:
    - {weekdays: [sunday], times: ["02:00-04:00"]}
  teams: [ml-platform]
---
# Comes once: `airis-mon maintenance start reindex -f FILE...` makes a silence of it.
apiVersion: airis.dev/v1alpha1
kind: Maintenance
metadata: {name: reindex}
spec:
  reason: the index is built anew
  once: {from: "2026-12-01T22:00:00Z", to: "2026-12-02T02:00:00Z"}
  monitors: [support-chat]
""",
}
"""A document of a kind, where the table alone leaves open what one looks like; they belong together."""

PROFILES = """
These ship with the package. None has a latency objective: that has to be a bucket boundary of your server.
A Profile document of your own adds others.
"""

SIGNALS = """
What `of:` of an anomaly or a forecast may name. A latency objective names a distribution: the part of a
signal before `_p50`, `_p95`, ... `airis-mon contracts` prints the same list.
"""

SLOTH = """
`check` and `build` read specs of Sloth beside documents of our own: the plain form (`version: prometheus/v1`)
and the Kubernetes object (`PrometheusServiceLevel`). Each becomes a ModelMonitor; the recorded series have
Sloth's names and labels. A key that is not listed is refused with what to write instead.
"""
SLOTH_KEYS = (
    ("`service`", "name of the monitor and of its model; the contract is `promql`"),
    ("`labels` of the service, an SLO, its `alerting`", "`labels` of the objective"),
    ("`team`, `escalation` among the service's labels", "the same of `alerting`"),
    ("`slos[].name`, `slos[].objective`", "`name` and `target` of the objective, over 30 days"),
    ("`slos[].sli.events`", "`events` of the objective"),
    ("`slos[].alerting.name`", "the annotation `title` of the objective"),
    ("`slos[].alerting.annotations`", "`annotations` of the objective"),
    ("`slos[].alerting.page_alert`, `ticket_alert`", "labels and annotations of its pages, of its tickets"),
    ("`slos[].description`", "nothing: it is for those who read the document, there too"),
)
OPENSLO = """
So are documents of OpenSLO v1 (`apiVersion: openslo/v1`). Each SLO becomes a ModelMonitor, with the SLI,
DataSource, AlertPolicy, AlertCondition and AlertNotificationTarget that it refers to or holds.
"""
OPENSLO_KEYS = (
    ("`SLO`: `metadata.name`, `service`", "name of the monitor, name of its model; the contract is `promql`"),
    ("`team`, `escalation` among its labels", "the same of `alerting`"),
    ("`timeWindow`", "`window`, or `calendar` for 1w, 1M and 1Q in UTC; 30 days where it is left out"),
    ("`objectives[]`", "an objective each, named by `displayName` in lower case with dashes"),
    ("`indicator`, `indicatorRef`: `ratioMetric`", "`events`; PromQL of type Prometheus"),
    ("`AlertCondition`", "nothing new: refused unless it is one of the window's own alerts"),
    ("`AlertNotificationTarget`: `target`", "`alerting.escalation`: the name of an EscalationPolicy"),
    ("`Service`, `description`, `displayName`, other labels", "nothing: they are for those who read it"),
)

COLUMNS = ("key", "value", "default", "limits", "meaning")


def text() -> str:
    """Return the page."""
    parts = [INTRODUCTION, "## metadata", "The same for every kind."]
    parts.append(markdown.table(COLUMNS, _rows("metadata", METADATA)))
    told: list[tuple[Field, str]] = []
    for kind, shape in KINDS.items():
        parts += [f"## {kind}", PURPOSES[kind], _sentence(_wanted(shape))]
        parts.append(markdown.table(COLUMNS, _spec(kind, shape, told)))
        if kind in EXAMPLES:
            parts.append(f"```yaml\n{EXAMPLES[kind].strip()}\n```")
    parts += ["## Texts", markdown.table(("value", "how"), sorted(_texts()))]
    parts += ["## Built-in profiles", PROFILES]
    for name, content in profiles.built_in().items():
        parts += [f"### {name}", f"```yaml\n{content.strip()}\n```"]
    parts += ["## Signals", SIGNALS]
    for contract in CONTRACTS.values():
        parts += [f"### {contract.name}", f"{contract.title}."]
        signals = [(markdown.code(signal), contract.unit(signal)) for signal in contract.signals()]
        parts.append(markdown.table(("signal", "unit"), signals))
    parts += ["## Specs of Sloth", SLOTH, markdown.table(("of Sloth", "becomes"), SLOTH_KEYS)]
    parts += ["## Documents of OpenSLO", OPENSLO, markdown.table(("of OpenSLO", "becomes"), OPENSLO_KEYS)]
    return markdown.page("The document", *parts)


def _spec(kind: str, shape: Record, told: list[tuple[Field, str]]) -> Iterator[tuple[str, ...]]:
    """Yield the rows of a kind; a field that an earlier kind has as well is told there."""
    for known in shape.fields:
        earlier = next((told_by for other, told_by in told if other is known), "")
        if earlier:
            yield markdown.code(f"spec.{known.key}"), _value(known.shape), "", "", f"As in {earlier}."
        else:
            yield from _rows("spec", Record(kind, (known,)))
            told.append((known, kind))


def _rows(path: str, record: Record) -> Iterator[tuple[str, ...]]:
    """Yield a row per key, depth first; keys of list items follow `[]`."""
    for known in record.fields:
        place = f"{path}.{known.key}"
        default = "" if known.default is None else markdown.code(str(known.default).replace("True", "true"))
        default = "required" if known.required else default
        limits = "; ".join(_limits(known.shape))
        yield markdown.code(place), _value(known.shape), default, limits, known.description
        if isinstance(known.shape, Record):
            yield from _rows(place, known.shape)
        elif isinstance(known.shape, ListOf) and isinstance(known.shape.item, Record):
            yield from _rows(f"{place}[]", known.shape.item)


def _value(shape: Shape) -> str:
    """Say in a word or two what may stand there."""
    match shape:
        case Choice():
            return " or ".join(map(markdown.code, shape.words))
        case Text() | Parsed():
            return shape.wanted.removeprefix("a ").removeprefix("the ")
        case Duration():
            return "duration"
        case Number():
            return "number"
        case Count():
            return "whole number"
        case Flag():
            return "`true` or `false`"
        case ListOf(item=Record()):
            return "list of mappings"
        case ListOf():
            return f"list, each {_value(shape.item)}"
        case MapOf():
            return f"mapping from {_value(shape.key)} to {_value(shape.value)}"
        case Record():
            return "mapping"
    raise TypeError(f"{type(shape).__name__} has no word for readers; add one here")


def _limits(shape: Shape) -> Iterator[str]:
    """Yield what is refused although it is of the right kind."""
    match shape:
        case Text():
            yield f"at most {shape.longest} characters"
            if shape.reserved:
                yield "none of " + ", ".join(map(markdown.code, shape.reserved))
        case Duration():
            least, most = format_duration(shape.shortest), format_duration(shape.longest)
            yield f"`{least}` to `{most}`" if shape.shortest >= 0.001 else f"at most `{most}`"
        case Count():
            yield f"{shape.fewest} to {shape.most}"
        case ListOf():
            yield f"{shape.fewest} to {shape.most} items"
            if shape.unique:
                keys = " and ".join(map(markdown.code, filter(None, shape.unique)))
                yield f"no two with the same {keys}" if keys else "no two the same"
            if not isinstance(shape.item, Record):
                yield from (f"each {limit}" for limit in _limits(shape.item))
            elif _wanted(shape.item):
                yield f"each with {_wanted(shape.item).rstrip('.')}"
        case MapOf():
            yield f"{shape.fewest} to {shape.most} entries"
            yield from (f"key {limit}" for limit in _limits(shape.key))
            yield from (f"value {limit}" for limit in _limits(shape.value))
        case Record() if _wanted(shape):
            yield _wanted(shape).rstrip(".")


def _wanted(record: Record) -> str:
    """Say which keys have to be there although none of them is required."""
    if record.exactly_one:
        return f"exactly one of {', '.join(map(markdown.code, record.exactly_one))}."
    if record.at_least_one:
        return f"at least one of {', '.join(map(markdown.code, record.at_least_one))}."
    return ""


def _texts() -> set[tuple[str, str]]:
    """Return how the values that are more than any text are written."""
    found = set()
    shapes: list[Shape] = [METADATA, *KINDS.values()]
    while shapes:
        match shapes.pop():
            case Record() as shape:
                shapes += [known.shape for known in shape.fields]
            case ListOf() as shape:
                shapes.append(shape.item)
            case MapOf() as shape:
                shapes += [shape.key, shape.value]
            case Text(hint=str()) as shape:
                found.add((_value(shape), _sentence(f"{shape.hint}.")))
    return found


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
