"""The kinds of OpenSLO v1 and their keys."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from airis_mon.spec.dialects.openslo.periods import SHORTHAND, TIME_WINDOW, duration
from airis_mon.spec.dialects.unsupported import Unsupported
from airis_mon.spec.monitor import BurnCondition, Severity
from airis_mon.spec.nodes import Items, Node, Pairs, Scalar
from airis_mon.spec.quantities import parse_percent
from airis_mon.spec.reading import Reading, Refused, quoted
from airis_mon.spec.records import Field, ListOf, MapOf, Record
from airis_mon.spec.scalars import Choice, Number, Parsed, Shape, Text
from airis_mon.spec.words import LINE, NAME, PROMQL, REMARK

API_VERSION = "openslo/v1"
_KEY = Text(wanted="a key", longest=317)
_NOT_READ = "For people and other tools; not read."


@dataclass(frozen=True)
class _Tag:
    """One word or several, for people."""

    def read(self, node: Node, path: str, reading: Reading) -> str | tuple[str, ...] | Refused:
        """Return what is written."""
        if isinstance(node, Items):
            words = ListOf(REMARK, "word", fewest=0)
            return words.read(node, path, reading)
        return REMARK.read(replace(node, type="str") if isinstance(node, Scalar) else node, path, reading)

    def schema(self) -> dict[str, Any]:
        """Return a schema for either."""
        return {"anyOf": [REMARK.schema(), ListOf(REMARK, "word").schema()]}


@dataclass(frozen=True)
class _Referred:
    """A document that stands here itself, or is named: in a mapping with one key, or as a plain word."""

    key: str
    kind: str
    plain: bool = False

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """Return the name, or what the document says."""
        if isinstance(node, Scalar) and self.plain:
            return NAME.read(node, path, reading)
        if isinstance(node, Pairs) and any(key.text == self.key for key, _ in node.pairs):
            named = Record(self.kind, (Field(self.key, NAME, "Names it.", required=True),))
            found = named.read(node, path, reading)
            return found if isinstance(found, Refused) else found[self.key]
        return _inline(self.kind).read(node, path, reading)

    def schema(self) -> dict[str, Any]:
        """Return a schema for each form."""
        return {"type": ["object", "string"]}


def _percent(text: str) -> float:
    hint = "write the share that has to be good: target: 0.999, or targetPercent: 99.9"
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,9})?", text):
        raise ValueError(f"`{text[:40]}` is no target", hint)
    try:
        return parse_percent(f"{text}%")
    except ValueError as error:
        raise ValueError(error.args[0], hint) from None


def _share(text: str) -> float:
    hint = "write the share that has to be good: target: 0.999, or targetPercent: 99.9"
    if not re.fullmatch(r"0?\.[0-9]{1,12}", text) or not 0.01 <= float(text) < 1:
        raise ValueError(f"`{text[:40]}` is no target that can be held or missed", hint)
    return float(text)


def _source_type(text: str) -> str:
    if text.lower() != "prometheus":
        raise ValueError(f"rules of Prometheus cannot read {quoted(text)}", "write type: Prometheus")
    return "Prometheus"


def _yes(message: str, hint: str) -> Parsed:
    """Return the shape of a flag that is `true`, since nothing else can be had."""

    def parse(text: str) -> bool:
        if text != "true":
            raise ValueError(message, hint)
        return True

    return Parsed("true", "^true$", parse)


_TYPE = Parsed("a type of data source", "^[Pp]rometheus$", _source_type)
METADATA = Record(
    "OpenSLO metadata",
    (
        Field("name", NAME, "Name, unique among its kind.", required=True),
        Field("displayName", REMARK, _NOT_READ),
        Field("labels", MapOf(_KEY, _Tag(), "label"), "`team`, `escalation`: who hears of it."),
        Field("annotations", MapOf(_KEY, _Tag(), "annotation"), _NOT_READ),
    ),
)
_DESCRIPTION = Field("description", REMARK, _NOT_READ)

_QUERY = Record(
    "OpenSLO metric",
    (
        Field(
            "metricSource",
            Record(
                "OpenSLO metric source",
                (
                    Field("metricSourceRef", NAME, "Names a DataSource."),
                    Field("type", _TYPE, "Prometheus."),
                    Field(
                        "spec",
                        Record(
                            "Query of Prometheus",
                            (
                                Field("query", PROMQL, "A sum of rates of counters over $window."),
                                Field("promql", PROMQL, "The same; some tools call it so."),
                                Field("queryType", Choice(("promql",)), "promql."),
                            ),
                            exactly_one=("query", "promql"),
                        ),
                        "What is asked of Prometheus.",
                        required=True,
                    ),
                ),
                at_least_one=("metricSourceRef", "type"),
            ),
            "Where the metric comes from.",
            required=True,
        ),
    ),
)
_RAW = Unsupported(
    "a ratio that is computed already cannot be weighted by traffic", "write `total`, and `good` or `bad`"
)
SLI = Record(
    "SLI",
    (
        _DESCRIPTION,
        Field(
            "ratioMetric",
            Record(
                "OpenSLO ratio",
                (
                    Field(
                        "counter",
                        _yes("only counters have a rate", "count operations: counter: true"),
                        "true.",
                    ),
                    Field("good", _QUERY, "Operations that met the objective."),
                    Field("bad", _QUERY, "Operations that missed it."),
                    Field("total", _QUERY, "All operations.", required=True),
                    Field("raw", _RAW, "Not supported."),
                    Field("rawType", _RAW, "Not supported."),
                ),
                exactly_one=("good", "bad"),
            ),
            "Operations and those of them that are good or bad.",
        ),
        Field(
            "thresholdMetric",
            Unsupported(
                "a threshold on a value says nothing of a share of operations",
                "write `ratioMetric`: a histogram's bucket at the threshold is `good`, its count is `total`\n"
                "or, to be told of the value itself, `thresholds` in a ModelMonitor",
            ),
            "Not supported.",
        ),
    ),
    exactly_one=("ratioMetric", "thresholdMetric"),
)
_NO_SLICES = Unsupported(
    "time slices are not counted here: an objective is about the share of operations",
    "write budgetingMethod: Occurrences, and remove it",
)
_NO_THRESHOLD = Unsupported(
    "a ratio is held against its target alone", "remove it; what is good is said by `good` or `bad`"
)
_OBJECTIVE = Record(
    "OpenSLO objective",
    (
        Field("displayName", LINE, "Names the objective, in lower case with dashes."),
        Field(
            "target",
            Parsed("a target", r"^0?\.[0-9]{1,12}$", _share),
            "Share of good operations: 0.999.",
        ),
        Field(
            "targetPercent",
            Parsed("a target", r"^[0-9]{1,3}(\.[0-9]{1,9})?$", _percent),
            "The same in percent: 99.9.",
        ),
        Field("op", _NO_THRESHOLD, "Not supported."),
        Field("value", _NO_THRESHOLD, "Not supported."),
        Field("timeSliceTarget", _NO_SLICES, "Not supported."),
        Field("timeSliceWindow", _NO_SLICES, "Not supported."),
    ),
    exactly_one=("target", "targetPercent"),
)


def _method(text: str) -> str:
    if text != "Occurrences":
        raise ValueError(
            f"the budgeting method {quoted(text)} is not available: operations are counted, not time slices",
            "write budgetingMethod: Occurrences",
        )
    return text


SLO = Record(
    "SLO",
    (
        _DESCRIPTION,
        Field("service", LINE, "Name of the model, or of the service.", required=True),
        Field("indicator", Record("Indicator", (
            Field("metadata", METADATA, _NOT_READ), Field("spec", SLI, "What is counted.", required=True),
        )), "What is counted."),
        Field("indicatorRef", NAME, "Name of an SLI."),
        Field("timeWindow", ListOf(TIME_WINDOW, "time window", most=1), "30d where it is left out."),
        Field("budgetingMethod", Parsed("a method", "^Occurrences$", _method), "Occurrences.", required=True),
        Field("objectives", ListOf(_OBJECTIVE, "objective"), "What is promised.", required=True),
        Field(
            "alertPolicies",
            ListOf(_Referred("alertPolicyRef", "AlertPolicy", plain=True), "alert policy", most=1),
            "Who hears of it.",
        ),
    ),
    exactly_one=("indicator", "indicatorRef"),
)  # fmt: skip
DATA_SOURCE = Record(
    "DataSource",
    (
        _DESCRIPTION,
        Field("type", _TYPE, "Prometheus.", required=True),
        Field(
            "connectionDetails",
            Unsupported("rules run in the Prometheus that loads them, and connect to nothing", "remove it"),
            "Not supported.",
        ),
    ),
)
_SENT = "who is told of what is a matter of receivers"
ALERT_POLICY = Record(
    "AlertPolicy",
    (
        _DESCRIPTION,
        Field("alertWhenBreaching", _yes("an alert that never fires is none", "write true"), "true."),
        Field(
            "alertWhenNoData",
            _yes("silence is always told: unseen, an objective cannot page", "write true"),
            "true.",
        ),
        Field("alertWhenResolved", _yes(_SENT, "remove it"), "true."),
        Field(
            "conditions",
            ListOf(_Referred("conditionRef", "AlertCondition"), "condition", most=1),
            "Which burn has to alert.",
        ),
        Field(
            "notificationTargets",
            ListOf(_Referred("targetRef", "AlertNotificationTarget"), "notification target", most=1),
            "Who hears of it.",
        ),
    ),
)


def _condition(severity: Severity, condition: dict[str, Any], **_: Any) -> BurnCondition:
    return BurnCondition(severity, condition["threshold"], condition["lookbackWindow"])


def _faster(text: str) -> str:
    if text not in ("gt", "gte"):
        raise ValueError(f"no alert is on a burn that is {quoted(text)} a rate", "write op: gt")
    return text


def _at_once(text: str) -> float:
    if duration(text):
        raise ValueError("burn-rate alerts do not wait: their windows are how long it lasts", "write 0m")
    return 0.0


ALERT_CONDITION = Record(
    "AlertCondition",
    (
        _DESCRIPTION,
        Field("severity", Choice(("page", "ticket")), "Whether somebody is woken.", required=True),
        Field(
            "condition",
            Record(
                "Burn condition",
                (
                    Field("kind", Choice(("burnrate",)), "burnrate."),
                    Field("op", Parsed("a comparison", "^gte?$", _faster), "gt.", required=True),
                    Field("threshold", Number(), "How many times faster than allowed.", required=True),
                    Field(
                        "lookbackWindow",
                        Parsed("a duration", SHORTHAND, duration),
                        "Over what.",
                        required=True,
                    ),
                    Field("alertAfter", Parsed("a duration", "^0[mhdw]?$", _at_once), "0m."),
                ),
            ),
            "How fast the budget burns.",
            required=True,
        ),
    ),
    _condition,
)
NOTIFICATION_TARGET = Record(
    "AlertNotificationTarget",
    (_DESCRIPTION, Field("target", NAME, "Name of an EscalationPolicy.", required=True)),
)
KINDS: dict[str, Record] = {
    "SLO": SLO,
    "SLI": SLI,
    "Service": Record("Service", (_DESCRIPTION,)),
    "DataSource": DATA_SOURCE,
    "AlertPolicy": ALERT_POLICY,
    "AlertCondition": ALERT_CONDITION,
    "AlertNotificationTarget": NOTIFICATION_TARGET,
}


def document(kind: str, spec: Shape | None = None) -> Record:
    """Return the shape of a whole document."""
    return Record(
        kind,
        (
            Field("apiVersion", Choice((API_VERSION,)), f"{API_VERSION}.", required=True),
            Field("kind", Choice((kind,)), "Kind of the document.", required=True),
            Field("metadata", METADATA, "Names the document.", required=True),
            Field("spec", spec or KINDS[kind], "What the document says.", required=kind != "Service"),
        ),
    )


def _inline(kind: str) -> Record:
    """Return the shape of a document that stands in another one."""
    return Record(
        kind,
        (
            Field("apiVersion", Choice((API_VERSION,)), f"{API_VERSION}."),
            Field("kind", Choice((kind,)), "Kind of the document."),
            Field("metadata", METADATA, "Names it."),
            Field("spec", KINDS[kind], "What it says.", required=True),
        ),
    )
