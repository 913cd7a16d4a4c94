"""Alerts that cannot fire are told of once: not where a silence already says why."""

from __future__ import annotations

import pytest

from tests.alertmanager.documents import LEAD, ONCALL, STANDARD, bundle, monitor
from tests.alertmanager.test_dependencies import inhibited, page, rules

UNREADY, ABSENT = "ModelAlertUnready", "ModelSignalAbsent"


def ticket(name: str, /, **more: str) -> dict[str, str]:
    return {**page("chat", name, severity="ticket"), **more}


SOURCE = page("chat", ABSENT, **{"for": "request_rate"})
SLOW = ticket(ABSENT, objective="first-token", **{"for": "time_to_first_token"})
SCENES = {
    "the source is gone": (SOURCE, ticket(UNREADY, alert="ModelErrorBudgetBurn", objective="up"), True),
    "the source is gone, and scores with it": (
        SOURCE,
        ticket(UNREADY, alert="ModelAnomaly", **{"for": "kv_cache_usage"}),
        True,
    ),
    "the objective has no values": (
        SLOW,
        ticket(UNREADY, alert="ModelErrorBudgetBurn", objective="first-token"),
        True,
    ),
    "another objective has no values": (
        SLOW,
        ticket(UNREADY, alert="ModelErrorBudgetBurn", objective="up"),
        False,
    ),
    "an objective has no values, and the analyzer is away": (
        SLOW,
        ticket(UNREADY, alert="ModelAnomaly", **{"for": "kv_cache_usage"}),
        False,
    ),
    "another model is gone": (
        page("digits", ABSENT, **{"for": "request_rate"}),
        ticket(UNREADY, alert="ModelAnomaly", **{"for": "kv_cache_usage"}),
        False,
    ),
    "an anomaly stands": (
        page("chat", "ModelAnomaly", **{"for": "kv_cache_usage"}),
        ticket(UNREADY, alert="ModelErrorBudgetBurn", objective="up"),
        False,
    ),
}


@pytest.mark.parametrize("scene", SCENES)
def test_blind_alerts_are_quiet_where_a_silence_says_why(scene: str) -> None:
    source, target, expected = SCENES[scene]
    documents = (monitor("chat"), monitor("digits"), ONCALL, LEAD, STANDARD)
    assert inhibited(rules(bundle(*documents)), target, [source]) == expected
