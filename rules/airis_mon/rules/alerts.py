"""What every alert says, and to whom: labels, annotations, and their protection from templates.

Labels and annotations of alerting rules are Go templates to Prometheus. Text that a person wrote is data: it
is escaped, so that `{{` in a model's name stays what it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from airis_mon.rules import series
from airis_mon.rules.groups import Rule
from airis_mon.spec import Monitor, Severity, format_duration


@dataclass(frozen=True)
class Footnote:
    """What an alert says besides while some series, of the same labels as its own, says so."""

    series: str
    chosen: Mapping[str, str]
    """Labels of the series that the document knows."""
    by: tuple[str, ...]
    """Labels whose values are those of the alert."""
    text: str
    holds: str = "== 1"
    """What is true of the series then."""

    def template(self) -> str:
        """Return the end of a description: Prometheus asks when the alert is evaluated."""
        wanted = [f'{label}="{value}"' for label, value in sorted(self.chosen.items())]
        wanted += [f"{label}=%q" for label in self.by]
        values = "".join(f" $labels.{label}" for label in self.by)
        query = f"`{self.series}{{{','.join(wanted)}}} {self.holds}`"
        asked = f"(printf {query}{values})" if self.by else query
        return f"{{{{ if query {asked} }}}}{escaped(self.text)}{{{{ end }}}}"


@dataclass(frozen=True)
class Alert:
    """An alerting rule before it is written down, and what it will say when it fires."""

    name: str
    severity: Severity
    expression: str
    summary: str
    before: str
    """Description up to the value."""
    after: str = ""
    """Description from the value on."""
    verb: str | None = None
    """How the value is printed (`%.1f`); without one the description has none."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels beside team, severity, monitor and model."""
    duration: float = 0.0
    """Seconds for which the expression has to hold."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """What a person wrote to be said; it replaces what would be said otherwise."""
    footnotes: tuple[Footnote, ...] = ()

    def rule(self, monitor: Monitor) -> Rule:
        """Return the rule as the rule file holds it."""
        value = "" if self.verb is None else f'{{{{ $value | printf "{self.verb}" }}}}'
        notes = "".join(note.template() for note in self.footnotes)
        annotations = self._annotations(monitor, escaped(self.before) + value + escaped(self.after) + notes)
        rule: Rule = {"alert": self.name, "expr": self.expression}
        if self.duration:
            rule["for"] = format_duration(self.duration)
        rule["labels"] = {label: escaped(text) for label, text in self.fired_labels(monitor).items()}
        rule["annotations"] = {
            key: text if key == "description" and key not in self.annotations else escaped(text)
            for key, text in annotations.items()
        }
        return rule

    def fired_labels(self, monitor: Monitor) -> dict[str, str]:
        """Return the labels that the rule adds to those of its series."""
        own = {
            series.SEVERITY: self.severity,
            series.TEAM: monitor.alerting.team,
            series.MONITOR: monitor.name,
            series.MODEL: monitor.model.name,
        }
        return dict(sorted({**self.labels, **own}.items()))

    def fired_annotations(
        self, monitor: Monitor, value: float = 0.0, *, noted: Collection[str] = ()
    ) -> dict[str, str]:
        """Return the annotations as they read when the alert fires with that value, while some series hold.

        `noted` are the series whose footnotes are told.
        """
        shown = "" if self.verb is None else self.verb % value
        notes = "".join(note.text for note in self.footnotes if note.series in noted)
        return self._annotations(monitor, self.before + shown + self.after + notes)

    def _annotations(self, monitor: Monitor, description: str) -> dict[str, str]:
        found = {
            series.DASHBOARD: series.dashboard_uid(monitor.name),
            "description": description,
            "summary": f"{monitor.name}: {self.summary}",
        }
        if monitor.alerting.runbook is not None:
            found["runbook_url"] = monitor.alerting.runbook
        return dict(sorted({**found, **self.annotations}.items()))


_BRACES = '{{ "{{" }}'


def escaped(text: str) -> str:
    """Return text that a Go template prints unchanged."""
    return text.replace("{{", _BRACES)


def printed(template: str) -> str | None:
    """Return what `escaped` was given; None for a template that does more than print."""
    text = template.replace(_BRACES, "{{")
    return text if escaped(text) == template else None
