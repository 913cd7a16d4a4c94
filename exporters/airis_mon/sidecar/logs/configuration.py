"""The sidecar's configuration file: patterns, masking, tailed files; each mistake told with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from airis_mon.sidecar.items import ItemError
from airis_mon.sidecar.logs.expressions import expression
from airis_mon.sidecar.logs.masking import RULES, Masking
from airis_mon.sidecar.logs.patterns import Measure, Pattern
from airis_mon.sidecar.logs.structured import Keys
from airis_mon.sidecar.names import metric_name
from airis_mon.sidecar.units import unit
from airis_mon.spec import (
    REFUSED,
    Choice,
    Field,
    ListOf,
    Location,
    MapOf,
    Parsed,
    Problem,
    Reading,
    Record,
    SpecError,
    Text,
    compose,
)

MOST_BUDGET = 10_000


@dataclass(frozen=True)
class TailedFiles:
    """Files that are read as they grow."""

    path: str
    """A glob; `*` stands for a part of a name, in the last part of the path alone."""
    source: str
    """The label `source` of their records."""
    keys: Keys = field(default_factory=Keys)


@dataclass(frozen=True)
class Configuration:
    """Everything that the file says."""

    patterns: tuple[Pattern, ...] = ()
    masking: Masking = field(default_factory=Masking)
    tail: tuple[TailedFiles, ...] = ()


def configuration(text: str, file: str) -> Configuration:
    """Return what a text says; SpecError with every problem. `file` names it in messages."""
    documents, ending = compose(file, text)
    if ending is not None and documents:
        raise SpecError([ending])
    if len(documents) != 1:
        if ending is not None and ending.message != "the file holds no document":
            raise SpecError([ending])
        hint = "its keys are patterns, masking and tail; write {} for none"
        raise SpecError([Problem("one document is wanted", location=Location(file, 1, 1, ""), hint=hint)])
    reading = Reading()
    root = documents[0]
    for problem in root.problems:
        reading.refuse(problem.location, problem.path, problem.message, problem.hint)
    reading.place("", None, root.root)
    read = _CONFIGURATION.read(root.root, "", reading)
    if read is REFUSED or reading.problems:
        raise SpecError(reading.problems)
    assert isinstance(read, Configuration)
    return read


def _whole_number(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,4}", text) or int(text) > MOST_BUDGET:
        raise ValueError(f"`{text[:60]}` is no whole number from 1 to {MOST_BUDGET}")
    return int(text)


def _glob(text: str) -> str:
    folder, _, name = text.rpartition("/")
    if not text.startswith("/") or not name or ".." in text.split("/"):
        raise ValueError(
            f"`{text[:60]}` is no absolute path", "write it from / on, such as /var/log/app/*.log"
        )
    if re.search(r"[*?\[]", folder):
        raise ValueError(f"`{text[:60]}` has a wildcard in its folder", "one entry for each folder")
    return text


_NAME = Text(
    wanted="a name",
    pattern="^[a-z][a-z0-9_-]*$",
    hint="write lower-case letters, digits, - and _",
    longest=30,
)
_LABEL = Text(
    wanted="a label",
    pattern="^[a-zA-Z][a-zA-Z0-9_]*$",
    hint="write letters, digits and underscores",
    longest=100,
    reserved=("source", "le", "quantile"),
)
_FIELD = Text(wanted="the name of a field", longest=200)
_VALUE = Text(wanted="a text", longest=1000)
_EXPRESSION = Parsed("a regular expression", "", expression)


def _measure(kind: str) -> Field:
    def build(name: str, value: str, unit: str = "") -> Measure:
        return Measure(kind, name, value, unit)

    def check(built: Measure, path: str, reading: Reading) -> None:
        _check_metric(built.name, built.unit, kind, path, reading)

    fields = (
        Field("name", _FIELD, "Name of the metric; the base unit is appended.", required=True),
        Field("value", _FIELD, "Captured group or field that holds the number.", required=True),
        Field("unit", Text(wanted="a unit", longest=64), "Unit in which the log has it, such as ms."),
    )
    return Field(kind, Record("Measure", fields, build, check=check), f"A {kind} of a number in the record.")


def _check_metric(name: str, of: str, kind: str, path: str, reading: Reading) -> None:
    try:
        metric_name(name, unit(of), kind)  # type: ignore[arg-type]
    except ItemError as error:
        inner = (
            f"{path}.unit" if error.field == "unit" else f"{path}.name" if of or kind != "counter" else path
        )
        reading.refuse(reading.places.get(inner, reading.places.get(path)), inner, error.message)


def _pattern(gauge: Measure | None = None, histogram: Measure | None = None, **given: Any) -> Pattern:
    measures = tuple(measure for measure in (gauge, histogram) if measure is not None)
    return Pattern(measures=measures, **given)


def _check_pattern(pattern: Pattern, path: str, reading: Reading) -> None:
    if pattern.counter:
        _check_metric(pattern.counter, "", "counter", f"{path}.counter", reading)
    if pattern.where or pattern.regex:
        return
    message = "the pattern matches every record"
    reading.refuse(reading.places.get(path), path, message, "write `where` or `regex`, or both")


_PATTERN = Record(
    "Pattern",
    (
        Field("name", _NAME, "Names the pattern.", required=True),
        Field("where", MapOf(_FIELD, _VALUE, "field"), "Fields that equal a text."),
        Field("regex", MapOf(_FIELD, _EXPRESSION, "field"), "Fields in which an expression is found."),
        Field("counter", _FIELD, "Metric that counts the records."),
        _measure("gauge"),
        _measure("histogram"),
        Field("event", Text(wanted="an event type", longest=200), "Type of the event that it becomes."),
        Field("labels", MapOf(_LABEL, _FIELD, "label", most=16), "Label: captured group or field."),
        Field("budget", Parsed("a number", "", _whole_number), "Label sets, 100 if not given."),
    ),
    _pattern,
    at_least_one=("counter", "gauge", "histogram", "event"),
    check=_check_pattern,
)
_MASKING = Record(
    "Masking",
    (
        Field("fields", MapOf(_FIELD, Choice(RULES), "field", most=200), "Field: off, mask or drop."),
        Field("patterns", MapOf(_NAME, _EXPRESSION, "pattern"), "Word in brackets: own expression."),
    ),
    Masking,
)


def _tailed(path: str, source: str, **keys: str) -> TailedFiles:
    return TailedFiles(path, source, Keys(**keys))


_TAIL = Record(
    "TailedFiles",
    (
        Field("path", Parsed("a path", "", _glob), "Files, such as /var/log/app/*.log.", required=True),
        Field("source", Text(wanted="a source", longest=200), "The label source.", required=True),
        *(
            Field(key, _FIELD, f"Key of the {key}, where it has an unusual name.")
            for key in ("timestamp", "severity", "message", "trace_id")
        ),
    ),
    _tailed,
)
_CONFIGURATION = Record(
    "Configuration",
    (
        Field("patterns", ListOf(_PATTERN, "pattern", fewest=0, most=200, unique=("name",)), "Patterns."),
        Field("masking", _MASKING, "What becomes of personal data."),
        Field("tail", ListOf(_TAIL, "file", fewest=0, unique=("path",)), "Files to read as they grow."),
    ),
    Configuration,
)
