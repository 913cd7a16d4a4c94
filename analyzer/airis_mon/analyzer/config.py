"""The analyzer's configuration: the queries that `build` derived, or that somebody wrote by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airis_mon.analyzer import series
from airis_mon.analyzer.dependencies import CycleError, levels
from airis_mon.analyzer.forecasting.candidates import Candidates, unusable
from airis_mon.analyzer.maintenance import Times, read
from airis_mon.analyzer.methods.seasonal import Direction
from airis_mon.analyzer.places import located
from airis_mon.analyzer.schedule import HISTORY
from airis_mon.analyzer.versions import Rollout
from airis_mon.analyzer.versions import read as read_rollout
from airis_mon.spec import (
    CANDIDATES,
    LONGEST_TIME,
    SHORTEST_TIME,
    Problem,
    Severity,
    SpecError,
    did_you_mean,
    format_duration,
    parse_duration,
)

_QUERIES_MAX = 10_000
_ROLLOUTS_MAX = 1000
_LIST_MAX = 20
_TIMES_MAX = 1000
_SECONDS_MAX = 90 * 86400
_PROBLEMS_MAX = 50
_CANARIES = "canaries"
_BEGIN = "the one key `queries`, a list; `queries: []` watches nothing"
_SEVERITIES: tuple[Severity, ...] = ("ticket", "page")
_WRITTEN = (series.MONITOR, series.MODEL, series.FOR, series.HORIZON, "__name__")
"""Labels of what is written, whatever the input has."""
Refuse = Callable[..., None]
_REQUIRED = ("monitor", "model", "for", "expr")


@dataclass(frozen=True)
class Query:
    """One expression, and what is made of it."""

    monitor: str
    model: str
    signal: str
    """The signal that the expression is about: the label `for` of what is written."""
    expr: str
    unit: str = ""
    """Base unit; values of a `ratio` stay between 0 and 1."""
    history: int = HISTORY
    """Seconds that are learnt from."""
    direction: Direction = "both"
    score: bool = True
    """Whether departures are scored; otherwise the expectation and forecasts alone are written."""
    horizons: tuple[int, ...] = ()
    """Seconds ahead of each forecast."""
    false_pages_per_week: float = 2.0
    by: tuple[str, ...] = ()
    """Labels that the expression keeps apart."""
    maintenance: tuple[Times, ...] = ()
    """Times that nothing is learnt from."""
    window: int = 0
    """Seconds that the expression looks back: what is left out after a maintenance as well."""
    candidates: tuple[tuple[int, Candidates], ...] = ()
    """Forecasters of statsmodels that are tried as well, by horizon."""
    alerts: tuple[tuple[Severity, int], ...] = ()
    """Who is told of an anomaly after how many seconds: nothing is judged by it, a replay counts by it."""

    @property
    def ratio(self) -> bool:
        """Whether values are shares."""
        return self.unit == "ratio"

    @property
    def title(self) -> str:
        """What the log calls it."""
        return f"{self.monitor}/{self.signal}" + (f" by {', '.join(self.by)}" if self.by else "")


@dataclass(frozen=True)
class Configuration:
    """Everything that a configuration file says."""

    queries: tuple[Query, ...] = ()
    rollouts: tuple[Rollout, ...] = ()
    """Versions that are compared; below the key `canaries`."""


def decode(text: str, file: str, *, lacking: Callable[[], str | None] = lambda: None) -> Configuration:
    """Return the configuration in a YAML text; SpecError with every problem, each at its place in `file`.

    Candidates are refused where `lacking`, asked where there are some, tells what is wrong with statsmodels.
    """
    root, origin = located(text, file, _BEGIN)
    problems: list[Problem] = []

    def refuse(path: str, message: str, hint: str | None = None) -> None:
        if len(problems) < _PROBLEMS_MAX:
            problems.append(Problem(message, path, origin.locate(path), hint))

    given = root if isinstance(root, dict) else {}
    listed = all(isinstance(value, list) for value in given.values())
    if "queries" not in given or not given.keys() <= {"queries", _CANARIES} or not listed:
        told = "a mapping with the one key `queries`, a list, is needed"
        refuse("", f"{told}; beside it `{_CANARIES}` alone, another", "`queries: []` watches nothing")
        raise SpecError(problems)
    root = given
    if len(root["queries"]) > _QUERIES_MAX:
        refuse("queries", f"{len(root['queries'])} queries, at most {_QUERIES_MAX} are run")
        raise SpecError(problems)
    queries: list[Query] = []
    asking: list[str] = []
    seen: dict[tuple[str, str, frozenset[str]], int] = {}
    for number, entry in enumerate(root["queries"]):
        path = f"queries[{number}]"
        query = _query(entry, path, refuse)
        if query is None:
            continue
        first = seen.setdefault((query.monitor, query.signal, frozenset(query.by)), number)
        if first != number:
            refuse(path, f"writes the same series as queries[{first}]", "keep one of them, or change `for`")
        queries.append(query)
        if query.candidates:
            asking.append(path)
    _lacking(asking, lacking, refuse)
    rollouts = list(_rollouts(root.get(_CANARIES, []), refuse))
    if problems:
        raise SpecError(problems)
    try:
        levels(queries)
    except CycleError as error:
        path = f"queries[{queries.index(error.queries[0])}].expr"
        hint = "let one of them read what is scraped, or recorded by rules"
        raise SpecError([Problem(str(error), path, origin.locate(path), hint)]) from error
    return Configuration(tuple(queries), tuple(rollouts))


def _lacking(asking: Sequence[str], lacking: Callable[[], str | None], refuse: Refuse) -> None:
    """Refuse the candidates at some places where they cannot be tried."""
    if asking and (why := lacking()) is not None:
        hint = 'pip install "airis-mon[statsmodels]", or leave them out of the document and build again'
        for path in asking:
            refuse(f"{path}.candidates", f"candidates need statsmodels, {why}", hint)


def _rollouts(entries: list[Any], refuse: Refuse) -> Iterator[Rollout]:
    if len(entries) > _ROLLOUTS_MAX:
        refuse(_CANARIES, f"{len(entries)} canaries, at most {_ROLLOUTS_MAX} are compared")
        return
    for number, entry in enumerate(entries):
        try:
            yield read_rollout(entry)
        except ValueError as error:
            refuse(f"{_CANARIES}[{number}]", *map(str, error.args[:2]))


def load(file: Path, *, forecasts: bool = True) -> Configuration:
    """Return the configuration in a file; SpecError with located problems, or why it cannot be read.

    Who makes no `forecasts` need not have what candidates need.
    """
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except IsADirectoryError as error:
        hint = f"name the file in it, such as {file / 'analyzer.yaml'}"
        raise SpecError([Problem(f"{file} is a folder", hint=hint)]) from error
    except OSError as error:
        raise SpecError([Problem(f"cannot read {file}: {error.strerror or error}")]) from error
    return decode(text, str(file), lacking=unusable) if forecasts else decode(text, str(file))


def _query(entry: Any, path: str, refuse: Refuse) -> Query | None:
    if not isinstance(entry, dict):
        refuse(path, "a query is a mapping", f"its keys are {', '.join(_FIELDS)}")
        return None
    good = True
    values: dict[str, Any] = {}
    for key in _REQUIRED:
        if key not in entry:
            refuse(path, f"`{key}` is missing")
            good = False
    for key, value in entry.items():
        if key not in _FIELDS:
            refuse(f"{path}.{key}", f"unknown key `{key}`", did_you_mean(str(key), _FIELDS))
            good = False
            continue
        name, read = _FIELDS[key]
        try:
            values[name] = read(value)
        except ValueError as error:
            refuse(f"{path}.{key}", str(error))
            good = False
    tried = [horizon for horizon, _ in values.get("candidates", ())]
    without = [horizon for horizon in tried if horizon not in values.get("horizons", ())]
    if good and len(set(tried)) < len(tried):
        refuse(f"{path}.candidates", "two of them are about one horizon", "write all its models into one")
        good = False
    elif good and without:
        hint = f"add `{format_duration(without[0])}` to `horizons`, or leave them out"
        refuse(f"{path}.candidates", f"no forecast looks {format_duration(without[0])} ahead", hint)
        good = False
    return Query(**values) if good else None


def _text(value: Any) -> str:
    if isinstance(value, str) and value.strip() and "\x00" not in value:
        return value
    raise ValueError("a text is needed here; put quotes around it where YAML takes it for something else")


def _label(value: Any) -> str:
    name = _text(value)
    if name in _WRITTEN:
        rename = "write the input's under another name, by `label_replace` in `expr`, and that one here"
        raise ValueError(f"`{name}` is a label that the analyzer writes itself: {rename}")
    return name


def _unit(value: Any) -> str:
    return "" if value == "" else _text(value)


def _seconds(value: Any) -> int:
    seconds = parse_duration(_text(value))
    if seconds < 1 or seconds != int(seconds) or seconds > _SECONDS_MAX:
        raise ValueError(f"`{value}`: whole seconds are needed, from 1s to {format_duration(_SECONDS_MAX)}")
    return int(seconds)


def _direction(value: Any) -> Direction:
    for direction in ("up", "down", "both"):
        if value == direction:
            return direction
    raise ValueError(f"`{value}` is no direction; write up, down or both")


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError(f"`{value}` is neither true nor false")


def _pages(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1000:
        return float(value)
    raise ValueError(f"`{value}` is no number of pages a week; write one above 0 and up to 1000, such as 2")


def _several(read: Callable[[Any], Any], most: int = _LIST_MAX) -> Callable[[Any], tuple[Any, ...]]:
    def several(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) > most:
            raise ValueError(f"a list of at most {most} is needed")
        found = tuple(read(item) for item in value)
        if len(set(found)) < len(found):
            raise ValueError("one of them is there twice")
        return found

    return several


def _candidates(value: Any) -> tuple[int, Candidates]:
    example = "{horizon: 24h, models: [ets_damped, theta], time_budget: 10s}"
    if not isinstance(value, Mapping) or set(value) != {"horizon", "models", "time_budget"}:
        raise ValueError(f"candidates are written as {example}")
    models, seconds = value["models"], parse_duration(_text(value["time_budget"]))
    if not isinstance(models, list) or not models or len({*map(str, models)}) < len(models):
        raise ValueError(f"a list of different models is needed, as in {example}")
    names = tuple(name for name in models if name in CANDIDATES)
    if len(names) < len(models):
        unknown = next(name for name in models if name not in CANDIDATES)
        raise ValueError(f"`{unknown}` is no candidate; {', '.join(CANDIDATES)} are")
    if not SHORTEST_TIME <= seconds <= LONGEST_TIME:
        least, most = format_duration(SHORTEST_TIME), format_duration(LONGEST_TIME)
        raise ValueError(f"`{value['time_budget']}`: a time budget from {least} to {most} is needed")
    return _seconds(value["horizon"]), Candidates(names, seconds)


def _alerts(value: Any) -> tuple[tuple[Severity, int], ...]:
    if not isinstance(value, Mapping) or not value:
        raise ValueError("severities and how long each waits are needed, such as `{ticket: 15m}`")
    found = tuple(
        (severity, 0 if value[severity] == "0s" else _seconds(value[severity]))
        for severity in _SEVERITIES
        if severity in value
    )
    if len(found) < len(value):
        raise ValueError(f"{', '.join(_SEVERITIES)} are the severities")
    return found


_FIELDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "monitor": ("monitor", _text),
    "model": ("model", _text),
    "for": ("signal", _text),
    "expr": ("expr", _text),
    "unit": ("unit", _unit),
    "history": ("history", _seconds),
    "score": ("score", _flag),
    "direction": ("direction", _direction),
    "false_pages_per_week": ("false_pages_per_week", _pages),
    "horizons": ("horizons", _several(_seconds)),
    "candidates": ("candidates", _several(_candidates)),
    "by": ("by", _several(_label)),
    "maintenance": ("maintenance", _several(read, _TIMES_MAX)),
    "window": ("window", _seconds),
    "alerts": ("alerts", _alerts),
}
