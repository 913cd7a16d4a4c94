"""What keeps quiet while something weightier speaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airis_mon.alertmanager.routes import matcher
from airis_mon.rules import series
from airis_mon.spec import Bundle, Errors, Monitor


def rules(bundle: Bundle) -> list[dict[str, Any]]:
    """Return what is kept quiet: tickets, and pages of what depends on a model that pages for being down.

    The order of the rules has no meaning.
    """
    # `!=""` keeps alerts of other origin, which carry no monitor, out of both sides.
    ours = matcher(series.MONITOR, "!=", "")
    ticket = matcher(series.SEVERITY, "=", series.TICKET)
    return [
        {  # Somebody has been woken for it: the slower alert about the same promise adds nothing.
            "source_matchers": [ours, matcher(series.SEVERITY, "=", series.PAGE)],
            "target_matchers": [ours, ticket],
            "equal": ["alertname", series.MONITOR, series.OBJECTIVE_LABEL, series.FOR],
        },
        {  # What is said of a signal that has gone missing is a consequence of that.
            "source_matchers": [ours, matcher("alertname", "=", series.ABSENT_ALERT)],
            "target_matchers": [ours, matcher("alertname", "!=", series.ABSENT_ALERT), ticket],
            "equal": [series.MONITOR, series.FOR],
        },
        *_blindness(ours),
        *_dependencies(bundle),
    ]


def _blindness(ours: str) -> Iterator[dict[str, Any]]:
    """Yield the rules on alerts that cannot fire because of a silence that is told already."""
    ticket = matcher(series.SEVERITY, "=", series.TICKET)
    unready = [ours, matcher("alertname", "=", series.UNREADY_ALERT), ticket]
    absent = [ours, matcher("alertname", "=", series.ABSENT_ALERT)]
    yield {  # The source is gone, and everything with it: this one is about no objective.
        "source_matchers": [
            *absent,
            matcher(series.FOR, "=", series.REQUESTS),
            matcher(series.OBJECTIVE_LABEL, "=", ""),
        ],
        "target_matchers": unready,
        "equal": [series.MONITOR],
    }
    yield {  # One objective has no values.
        "source_matchers": [*absent, matcher(series.OBJECTIVE_LABEL, "!=", "")],
        "target_matchers": unready,
        "equal": [series.MONITOR, series.OBJECTIVE_LABEL],
    }


def _dependencies(bundle: Bundle) -> Iterator[dict[str, Any]]:
    """Yield the rules of each monitor that others depend on.

    Through several steps at once: with one rule per edge, a chain whose middle does not itself alert would
    let the far end speak. Nothing that a monitor depends on is ever a target of its alerts, since the graph
    has no rings, and hence the root always speaks.
    """
    dependants = bundle.dependants()
    for monitor in bundle.monitors:
        for down in _down(monitor) if monitor.name in dependants else ():
            yield {
                "source_matchers": [
                    matcher(series.MONITOR, "=", monitor.name),
                    matcher(series.SEVERITY, "=", series.PAGE),
                    *down,
                ],
                "target_matchers": [
                    _one_of(series.MONITOR, dependants[monitor.name]),
                    _one_of(series.SEVERITY, (series.PAGE, series.TICKET)),
                ],
            }


def _down(monitor: Monitor) -> Iterator[list[str]]:
    """Yield matchers of what says that a model does not answer: nothing is counted, or too much fails.

    Slow answers are answers: what depends on it may still have reasons of its own to alert.
    """
    yield [matcher("alertname", "=", series.ABSENT_ALERT)]
    promised = [one.name for one in monitor.objectives if isinstance(one.indicator, Errors)]
    if promised:
        burning = matcher("alertname", "=", series.BURN_ALERT)
        yield [burning, _one_of(series.OBJECTIVE_LABEL, tuple(promised))]


def _one_of(label: str, values: tuple[str, ...]) -> str:
    """Return a matcher for words that need no escaping: letters, digits, dashes."""
    return matcher(label, "=~", "|".join(values))
