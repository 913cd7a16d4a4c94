"""Our rules beside those that Sloth publishes for the same objective, number by number.

The numbers stand in Sloth's repository: windows and shares of the budget in the files
google-30d.yaml and google-28d.yaml of internal/alert/windows; the rules that come of them in
examples/_gen/getting-started.yml, for 99.9% of requests of `myservice` over 30 days.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from airis_mon.rules import collection
from airis_mon.rules.series import READY
from airis_mon.rules.windows import budget, name, tiers
from airis_mon.spec import Events, Model, Monitor, Objective, Source

DAY = 86400.0
FAILED = 'sum(rate(http_request_duration_seconds_count{job="myservice",code=~"(5..|429)"}[{{.window}}]))'
TOTAL = 'sum(rate(http_request_duration_seconds_count{job="myservice"}[{{.window}}]))'

SHARES = [
    ("page", 2, "5m", "1h"),
    ("page", 5, "30m", "6h"),
    ("ticket", 10, "2h", "1d"),
    ("ticket", 10, "6h", "3d"),
]
"""Severity, percent of the error budget, short and long window: the same in both files."""
SHORT = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"]
"""Windows of slo:sli_error:ratio_rate that are taken from the counters."""
THRESHOLDS: dict[str, list[tuple[str, float]]] = {
    "page": [("5m", 14.4), ("1h", 14.4), ("30m", 6), ("6h", 6)],
    "ticket": [("2h", 3), ("1d", 3), ("6h", 1), ("3d", 1)],
}
"""Windows that an alert compares with a factor times the error budget."""
META: dict[str, float] = {
    "slo:objective:ratio": 0.999,
    "slo:error_budget:ratio": 1 - 0.999,
    "slo:time_period:days": 30,
    "sloth_slo_info": 1,
}
"""Series that are constants."""
DERIVED = [
    "slo:current_burn_rate:ratio",
    "slo:period_burn_rate:ratio",
    "slo:period_error_budget_remaining:ratio",
]
LABELS = {
    "sloth_id": "myservice-requests-availability",
    "sloth_service": "myservice",
    "sloth_slo": "requests-availability",
}


def rules(days: float = 30) -> Iterator[dict[str, Any]]:
    """Yield our rules for Sloth's example."""
    objective = Objective("requests-availability", 0.999, days * DAY, Events(bad=FAILED, total=TOTAL))
    monitor = Monitor("myservice", Model("m"), Source("airis", {"job": "myservice"}), (objective,))
    for group in collection.of_objective(monitor, objective):
        yield from group.rules


def recorded() -> dict[str, dict[str, Any]]:
    """Return our recording rules by the names of their series, but for those about our alerts."""
    found = {rule["record"]: rule for rule in rules() if "record" in rule}
    del found[READY]
    return found


@pytest.mark.parametrize(("days", "factors"), [(30, (14.4, 6, 3, 1)), (28, (13.44, 5.6, 2.8, 0.9333333))])
def test_windows_shares_and_factors_are_equal(days: int, factors: tuple[float, ...]) -> None:
    found = tiers(days * DAY)
    assert [(tier.severity, name(tier.short), name(tier.long)) for tier in found] == [
        (severity, short, long) for severity, _, short, long in SHARES
    ]
    assert [tier.factor for tier in found] == pytest.approx(factors, rel=1e-6)
    spent = [tier.factor * tier.long / (days * DAY) * 100 for tier in found]
    assert spent == pytest.approx([percent for _, percent, _, _ in SHARES], rel=1e-6)


def test_every_series_of_sloth_is_recorded_under_its_name() -> None:
    ours = recorded()
    ratios = {f"slo:sli_error:ratio_rate{window}" for window in [*SHORT, "30d"]}
    assert ratios | META.keys() | set(DERIVED) <= ours.keys()
    extra = {series.rstrip("0123456789mhd") for series in ours.keys() - ratios - META.keys() - set(DERIVED)}
    assert extra == {"slo:sli_events:rate", "slo:sli_error_events:rate"}


@pytest.mark.parametrize("series", META)
def test_constants_are_equal(series: str) -> None:
    value = re.fullmatch(r"vector\((.*)\)", recorded()[series]["expr"])
    assert value is not None
    assert float(value[1]) == pytest.approx(META[series], rel=1e-12)


def test_labels_by_which_dashboards_choose_are_equal() -> None:
    for series, rule in recorded().items():
        assert LABELS.items() <= rule["labels"].items()
        window = re.search(r"rate(\d+[mhd])$", series)
        assert rule["labels"].get("sloth_window") == (window[1] if window else None)
    assert recorded()["sloth_slo_info"]["labels"]["sloth_objective"] == "99.9"


@pytest.mark.parametrize("window", SHORT)
def test_each_window_counts_what_sloth_counts(window: str) -> None:
    ours = recorded()
    total = ours[f"slo:sli_events:rate{window}"]["expr"]
    failed = ours[f"slo:sli_error_events:rate{window}"]["expr"]
    assert total == TOTAL.replace("{{.window}}", window)
    assert failed == f"{FAILED.replace('{{.window}}', window)} or 0 * {total}"


@pytest.mark.parametrize("severity", THRESHOLDS)
def test_thresholds_of_alerts_are_equal(severity: str) -> None:
    (alert,) = [rule for rule in rules() if "alert" in rule and rule["labels"]["severity"] == severity]
    found = re.findall(r"ratio_rate(\w+)\{[^}]*\} / ([0-9.]+) > ([0-9.]+)\)", alert["expr"])
    assert [window for window, _, _ in found] == [window for window, _ in THRESHOLDS[severity]]
    # Sloth writes ratio > factor * budget, we ratio / budget > factor: the alert then shows the burn rate.
    ours = [float(factor) * float(allowed) for _, allowed, factor in found]
    assert ours == pytest.approx([factor * budget(0.999) for _, factor in THRESHOLDS[severity]], rel=1e-9)
