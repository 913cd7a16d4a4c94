"""A file of rules -> a document, and of every rule what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airis_mon.exporters import contracts
from airis_mon.rules import impossible, series
from airis_mon.rules.adoption import burns, objectives, silence, sources, values
from airis_mon.rules.adoption.objectives import Candidate
from airis_mon.rules.adoption.ratios import Recorded
from airis_mon.rules.adoption.rulefile import Given, read
from airis_mon.rules.adoption.sources import Found
from airis_mon.spec import Problem, decode, format_duration, yaml_text

_SLOTH = frozenset(
    {
        series.OBJECTIVE, series.ERROR_BUDGET, series.TIME_PERIOD, series.CURRENT_BURN_RATE,
        series.PERIOD_BURN_RATE, series.BUDGET_REMAINING, series.INFO,
    }
)  # fmt: skip
"""What Sloth records of an objective beside its windows, as we do."""
_MOST_OBJECTIVES = 50
_HEADER = """\
# Taken over from rules by `airis-mon import`; it is yours to change.
# Nobody hears of its alerts yet: add `escalation: NAME`, the name of an EscalationPolicy, to `spec.alerting`.
"""


@dataclass(frozen=True)
class Wanted:
    """What is to be written."""

    name: str
    """Of the monitor."""
    model: str
    """Name of the model."""
    contract: str | None = None
    """The kind of server; None looks for the one that knows most of the series."""
    selector: Mapping[str, str] = field(default_factory=dict)
    """Labels that select the model's series; empty takes those that most rules select by."""


@dataclass(frozen=True)
class Verdict:
    """What became of one rule."""

    line: int
    rule: str
    taken: bool
    """Whether the document says it."""
    what: str
    """What it became, or why it was left."""


@dataclass(frozen=True)
class Adoption:
    """The document, and what became of every rule of the file."""

    document: str
    """YAML that can be checked and built; empty where nothing fits."""
    verdicts: tuple[Verdict, ...]


@dataclass
class _Draft:
    """What has been understood so far."""

    wanted: Wanted
    source: Found
    recorded: Recorded
    objectives: list[Candidate]
    thresholds: list[tuple[Given, Mapping[str, Any]]]
    said: dict[int, tuple[bool, str]] = field(default_factory=dict)
    """By identity of a rule: whether it is taken over, and as what or why not."""

    def say(self, rule: Given, taken: bool, what: str) -> None:
        self.said[id(rule)] = (taken, what)


def adopt(file: str, text: str, wanted: Wanted) -> Adoption:
    """Return the document that says what a file of rules says; SpecError for what is no file of rules."""
    rules = read(file, text)
    by_name: dict[str, list[Given]] = {}
    for rule in rules:
        if not rule.alert:
            by_name.setdefault(rule.name, []).append(rule)
    recorded = Recorded(by_name)
    draft = _understood(rules, recorded, wanted)
    document = _sound(draft, file)
    _recordings(rules, draft)
    for alert in (rule for rule in rules if rule.alert):
        selector = silence.silent(alert)
        if selector is not None:
            told = silence.told_by(selector, draft.objectives, draft.source) if document else ""
            nothing = "nothing of the document counts these series"
            draft.say(alert, bool(told), told or nothing)
    verdicts = [Verdict(rule.location.line, rule.name, *draft.said[id(rule)]) for rule in rules]
    return Adoption(document, tuple(verdicts))


def _understood(rules: Sequence[Given], recorded: Recorded, wanted: Wanted) -> _Draft:
    source = sources.found(rules, wanted.contract, wanted.selector)
    draft = _Draft(wanted, source, recorded, [], [])
    burning = []
    for alert in (rule for rule in rules if rule.alert):
        try:
            pairs = burns.pairs(alert, recorded)
        except burns.NotBurningError as error:
            _value(alert, str(error), draft)
            continue
        if len({(pair.events, pair.budget) for pair in pairs}) > 1:
            draft.say(alert, False, "its parts are about different operations or budgets")
            continue
        burning.append((alert, pairs))
    draft.objectives = objectives.candidates(burning, recorded, source)
    for candidate in draft.objectives[_MOST_OBJECTIVES:]:
        for alert in candidate.alerts:
            draft.say(alert, False, f"a monitor has {_MOST_OBJECTIVES} objectives at most; split the file")
    del draft.objectives[_MOST_OBJECTIVES:]
    return draft


def _value(alert: Given, otherwise: str, draft: _Draft) -> None:
    """Take an alert over as a threshold, or note why it is neither that nor an objective."""
    try:
        entry = values.threshold(alert, draft.source, draft.recorded)
    except values.NotAValueError as error:
        draft.say(alert, False, f"no objective: {otherwise}; no threshold: {error}")
        return
    if len(draft.thresholds) < _MOST_OBJECTIVES:
        draft.thresholds.append((alert, entry))
    else:
        draft.say(alert, False, f"a monitor has {_MOST_OBJECTIVES} thresholds at most; split the file")


def _sound(draft: _Draft, file: str) -> str:
    """Return the document without what would be refused in it, and note why that was left."""
    while draft.objectives or draft.thresholds:
        content = _content(draft)
        body = yaml_text(content, source=file).partition("\n")[2]
        text = f"{_HEADER}{body}"
        problems = _problems(text)
        if not problems:
            _say_taken(draft)
            return text
        if not _dropped(draft, problems):
            why = f"its document would be refused: {problems[0].message}"
            for alert in (*(one for it in draft.objectives for one in it.alerts),
                          *(alert for alert, _ in draft.thresholds)):  # fmt: skip
                draft.say(alert, False, why)
            draft.objectives, draft.thresholds = [], []
    return ""


def _problems(text: str) -> list[Problem]:
    decoded = decode({"": text})
    found = list(decoded.problems)
    for monitor in (*decoded.bundle.monitors, *decoded.sketches):
        found += contracts.problems(monitor)
    for monitor in () if found else decoded.bundle.monitors:
        found += impossible.problems(monitor)
    return found


def _dropped(draft: _Draft, problems: Sequence[Problem]) -> bool:
    """Drop what problems point at, saying why; False where none points at anything."""
    wrong: dict[tuple[str, int], Problem] = {}
    for problem in problems:
        key, _, rest = problem.path.removeprefix("spec.").partition("[")
        place = rest.partition("]")[0]
        if key in ("objectives", "thresholds") and place.isdecimal():
            wrong.setdefault((key, int(place)), problem)
    for (key, index), problem in sorted(wrong.items(), key=lambda item: item[0], reverse=True):
        hint = f" ({problem.hint.splitlines()[0]})" if problem.hint else ""
        if key == "objectives":
            for alert in draft.objectives.pop(index).alerts:
                draft.say(alert, False, f"it is on a budget, but {problem.message}{hint}")
        else:
            alert, _ = draft.thresholds.pop(index)
            draft.say(alert, False, f"{problem.message}{hint}")
    return bool(wrong)


def _content(draft: _Draft) -> dict[str, Any]:
    source: dict[str, Any] = {"contract": draft.source.contract.name}
    if draft.source.selector:
        source["selector"] = dict(draft.source.selector)
    spec: dict[str, Any] = {"model": {"name": draft.wanted.model}, "source": source}
    if draft.objectives:
        spec["objectives"] = [dict(candidate.entry) for candidate in draft.objectives]
    if draft.thresholds:
        spec["thresholds"] = [dict(entry) for _, entry in draft.thresholds]
    alerts = [*(alert for candidate in draft.objectives for alert in candidate.alerts),
              *(alert for alert, _ in draft.thresholds)]  # fmt: skip
    alerting = {
        key: value
        for key, value in (
            ("team", _agreed(alert.marks.get("team") for alert in alerts)),
            ("runbook", _agreed(alert.sayings.get("runbook_url") for alert in alerts)),
        )
        if value is not None and "{{" not in value
    }
    if alerting:
        spec["alerting"] = alerting
    return {
        "apiVersion": "airis.dev/v1alpha1",
        "kind": "ModelMonitor",
        "metadata": {"name": draft.wanted.name},
        "spec": spec,
    }


def _agreed(found: Iterator[str | None]) -> str | None:
    """Return what all say that say anything."""
    values_ = {value for value in found if value}
    return values_.pop() if len(values_) == 1 else None


def _say_taken(draft: _Draft) -> None:
    for candidate in draft.objectives:
        for alert in candidate.alerts:
            labels = {*objectives.OWN, *candidate.entry.get("labels", ())}
            labels |= {label for label in alert.marks if label.startswith("sloth_")}
            annotations = {"runbook_url", *candidate.entry.get("annotations", ())}
            waits = (f"without waiting {format_duration(alert.duration)}",) if alert.duration else ()
            left = alert.left_out(labels, annotations)
            draft.say(alert, True, "; ".join((candidate.told, *candidate.remarks, *waits, *left)))
    for alert, entry in draft.thresholds:
        side = "above" if "above" in entry else "below"
        told = f"threshold: {entry['of']} {side} {entry[side]:g} for {entry['for']} ({entry['severity']})"
        equal = (f"at {entry[side]:g} itself it does not fire",) if values.fires_at_bound(alert) else ()
        narrower = values.selects_less(alert, draft.source, draft.recorded)
        chosen = ("for the series of this model alone",) if narrower else ()
        left = alert.left_out(("severity", "team"), ("runbook_url",))
        draft.say(alert, True, "; ".join((told, *equal, *chosen, *left)))


def _recordings(rules: Sequence[Given], draft: _Draft) -> None:
    used = {id(rule): candidate for candidate in draft.objectives for rule in candidate.recordings}
    names = {candidate.entry["name"]: candidate for candidate in draft.objectives}
    for rule in rules:
        if rule.alert:
            continue
        candidate = used.get(id(rule))
        slo = objectives.slug(rule.marks.get(series.SLO_NAME, ""), "")
        if candidate is None and (rule.name in _SLOTH or rule.name.startswith(series.ERROR_RATIO)):
            candidate = names.get(slo)
        if candidate is None:
            draft.say(rule, False, "a recording that no alert above needs; keep it where it is")
        else:
            draft.say(rule, True, f"recorded anew for objective {candidate.entry['name']}")
