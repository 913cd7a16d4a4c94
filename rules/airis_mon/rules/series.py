"""Every series, alert and alert label that the rules publish.

The `slo:*` series and their `sloth_*` labels are those that Sloth writes: dashboards made for it work.
"""

from __future__ import annotations

import hashlib
import re

from airis_mon.analyzer import series as analyzer

# Recorded series
ERROR_RATIO = "slo:sli_error:ratio_rate"
"""Followed by its window: `slo:sli_error:ratio_rate5m`."""
OBJECTIVE = "slo:objective:ratio"
"""Share of good operations that is promised."""
ERROR_BUDGET = "slo:error_budget:ratio"
"""Share of operations that may miss the objective: 1 - objective."""
TIME_PERIOD = "slo:time_period:days"
"""Days over which the share is promised."""
CURRENT_BURN_RATE = "slo:current_burn_rate:ratio"
"""How many times faster than allowed the budget burns now; 1 uses it up exactly at the period's end."""
PERIOD_BURN_RATE = "slo:period_burn_rate:ratio"
"""The same over the whole period."""
BUDGET_REMAINING = "slo:period_error_budget_remaining:ratio"
"""Share of the period's budget that is left; negative where it is overdrawn."""
INFO = "sloth_slo_info"
"""Constant 1 that carries what the objective is called and where it comes from."""

EVENTS = "slo:sli_events:rate"
"""Operations per second, followed by the window; Sloth has no such series."""
FAILURES = "slo:sli_error_events:rate"
"""Operations per second that missed the objective, followed by the window."""

READY = "airis_alert_ready"
"""1 where every series that an alert needs is there, with the labels that it needs; 0 where it cannot fire.
Never absent, so that an alert that is quiet and one that is blind look different. An anomaly needs its band
too, and there is none while the past is too short. It has the labels of the alert, and which alert it is:
`alert`."""
SIGNAL = "airis:signal:over"
"""A signal of the contract in its base unit, followed by the window of its rates: `airis:signal:over5m`."""
PAST = "airis:signal:past"
"""A quantile of a signal's own past, for the threshold whose `bound` and `severity` it carries; absent while
there is too little of it, and where it is zero."""

MAINTENANCE = "airis_maintenance"
"""1 while a Maintenance of the monitor holds, else 0."""
MAINTENANCE_FAILURES = "slo:sli_error_events_in_maintenance:rate"
"""Operations per second that missed the objective during maintenance, followed by the window; else 0."""
BUDGET_IN_MAINTENANCE = "slo:period_error_budget_in_maintenance:ratio"
"""Share of the period's budget that was spent during maintenance. Added to what remains of the budget, it
gives what would remain if nothing had failed then."""

PERIOD_INFO = "slo:period:info"
"""Constant 1 that carries the number of the calendar period in which it was recorded."""
PERIOD_EVENTS = "slo:period_events:rate"
"""Operations per second with the number of the calendar period they lie in, followed by the window."""
PERIOD_FAILURES = "slo:period_error_events:rate"
"""Those that missed the objective, in the same way."""

COST = "airis:cost:rate"
"""Money spent per second, followed by the window."""
COST_REMAINING = "airis:cost_budget_remaining:ratio"
"""Share of a budget in money that is left of its last so many days; negative where it is overspent."""
FEATURE_BINS = "airis:feature_bin:rate"
"""Values of features per second by `feature` and `bin`, followed by the window: shares over any time and any
processes are sums of it."""
FEATURE_VALUES = "airis_drift_bin_values"
"""Values of features within the window of drift, by bin."""
OBSERVATIONS = "airis_drift_observations"
"""The same, all bins together; absent where there are none."""
SHARE = "airis_drift_share"
"""Share of a bin among them, at least 0.0001: an empty bin has a logarithm as well."""
REFERENCE_SHARE = "airis_drift_reference_share"
"""Share of a bin in the reference, at least 0.0001."""
PSI = "airis_drift_psi"
"""Population stability index of a feature against its reference: the sum over bins of (share - reference
share) ln(share / reference share)."""
JS = "airis_drift_js_distance"
"""Jensen-Shannon distance of a feature from its reference, 0 to 1 (base 2)."""
SHIFT = "airis_drift_weekly_shift"
"""PSI of a feature against itself a week ago."""
TYPICAL_SHIFT = "airis_drift_typical_shift"
"""Median of the weekly shifts of four weeks."""
USUAL_SHIFT = "airis_drift_usual_shift"
"""What 99% of the weekly shifts of four weeks stay below, without those of more than ten times the median:
these were drift themselves. Absent before two weeks of shifts are there."""
TIME_LEFT = "airis:capacity:seconds"
"""Seconds until a forecast reaches its capacity, by `horizon`; absent while it leads away from it."""

CANDIDATE = "airis:expectation:candidate"
"""A way to expect a signal now, by `method`. Recorded with `engine: rules`, as are the three that follow."""
ERROR = "airis:expectation:error"
"""How far off each of these ways is now, by `method`."""
DEVIATION = "airis:expectation:deviation"
"""What a signal is above what was expected of it, by the `horizon` at which that was expected."""
ROOM = "airis:expectation:room"
"""What a signal may depart from its expectation and be usual, by `side`: positive above, negative below."""

_WHOLE = frozenset((
    OBJECTIVE, ERROR_BUDGET, TIME_PERIOD, CURRENT_BURN_RATE, PERIOD_BURN_RATE, BUDGET_REMAINING, INFO, READY,
    MAINTENANCE, BUDGET_IN_MAINTENANCE, PERIOD_INFO, "ALERTS", "ALERTS_FOR_STATE",
    *analyzer.RESULTS, analyzer.CANARY_VERDICT,
))  # fmt: skip
_WINDOWED = (ERROR_RATIO, EVENTS, FAILURES, MAINTENANCE_FAILURES, PERIOD_EVENTS, PERIOD_FAILURES)
_WINDOW = re.compile(r"([0-9]{1,9}(ms|[smhdwy]))+", re.ASCII)


def recorded(name: str) -> bool:
    """Tell whether rules write a series of that name, the analyzer instead of them, or Prometheus itself."""
    return (
        name in _WHOLE
        or name.startswith(("airis:", "airis_drift_"))  # nobody else's
        or any(name.startswith(one) and _WINDOW.fullmatch(name[len(one) :]) for one in _WINDOWED)
    )


# Labels of recorded series
METHOD = "method"
"""Way to expect a signal: `level` is that of the last hours, `same_time` adds what it was on other days."""
SIDE = "side"
"""Side of the expectation: `above` or `below`."""
MAINTENANCE_LABEL = "maintenance"
"""Name of the Maintenance."""
PERIOD = "period"
"""Number of a calendar period: weeks, months or quarters, counted on."""
SLO_ID = "sloth_id"
"""Monitor and objective: `support-chat-availability`."""
SLO_SERVICE = "sloth_service"
"""Name of the ModelMonitor."""
SLO_NAME = "sloth_slo"
"""Name of the objective."""
SLO_WINDOW = "sloth_window"
"""Window of an error ratio or a rate, as in the end of its name."""

ALERT = "alert"
"""Name of the alert that a series is about."""
DIMENSIONS = "dimensions"
"""Labels that a signal is kept apart by, sorted: `instance,zone`; not there where it is one series."""

# Alerts
BURN_ALERT = "ModelErrorBudgetBurn"
"""An objective's error budget burns too fast."""
THRESHOLD_ALERT = "ModelThreshold"
"""A signal is beyond a bound, and stays there."""
ANOMALY_ALERT = "ModelAnomaly"
"""A signal stays unlike its own past."""
FORECAST_ALERT = "ModelCapacityForecast"
"""A signal is forecast to reach its capacity."""
COST_ALERT = "ModelCostBudgetBurn"
"""Money is spent faster than the budget allows."""
DRIFT_ALERT = "ModelDrift"
"""A feature is distributed otherwise than its reference, and further than it moves from week to week."""
CANARY_ALERT = "ModelCanaryWorse"
"""A new version is worse than the one that it may replace, by the objective of the label `metric`."""
UNPRICED_ALERT = "ModelUnpricedTokens"
"""Tokens are counted whose price nobody knows."""
ABSENT_ALERT = "ModelSignalAbsent"
"""A signal that the monitor needs is not there."""
IMPLAUSIBLE_ALERT = "ModelSignalImplausible"
"""A signal that the monitor needs is there, and cannot be true; the label `guard` says why."""
UNREADY_ALERT = "ModelAlertUnready"
"""An alert of the monitor cannot fire: something that it needs is not there."""

# Labels of what Prometheus itself writes while alerts are pending or firing, and its name
ALERTS = "ALERTS"
ALERTNAME, ALERTSTATE, FIRING = "alertname", "alertstate", "firing"
"""The last is the state in which an alert is told."""

# Labels of alerts; routes read `team`, `severity` and `monitor`
SEVERITY = "severity"
"""Which ladder of the escalation policy is climbed."""
TEAM = "team"
"""Who is responsible: `alerting.team` of the monitor."""
MONITOR = "monitor"
"""Name of the ModelMonitor."""
MODEL = "model"
"""Name of the model, as the monitor says it."""
OBJECTIVE_LABEL = "objective"
"""Name of the objective that burns."""
FOR = "for"
"""Signal that is anomalous, absent or about to reach its capacity."""
BOUND = "bound"
"""Kind of the bound that a signal is beyond, as the document writes it: `above`, `below_past`."""

GUARD = "guard"
"""What makes a signal implausible."""

# Values of the label `guard`
IMPOSSIBLE = "impossible"
"""A value that it cannot have: no number, negative, beyond 2^63, a share above 1."""
UNLABELLED = "unlabelled"
"""Series lack a label by which failures are told, or parts are kept apart."""
FROZEN = "frozen"
"""It stands still where other counters of the instance move."""
CACHED = "cached"
"""Even the CPU time of the process stands still: an old page is scraped."""
RARE = "rare"
"""It is read less often than the document says."""

# Values of the label `for`, beside signals
REQUESTS = "request_rate"
"""The signal that every source with a contract has: its counter of operations."""

DRIFT = "drift"
"""Features that are held against a reference; which one is the label `feature`."""

CANARY = analyzer.CANARY

# Values of the label `severity`
PAGE = "page"
"""Somebody is woken."""
TICKET = "ticket"
"""It waits for working hours."""

# Annotations beside `summary`, `description` and `runbook_url`
DASHBOARD = "dashboard"
"""Uid of the monitor's dashboard in Grafana."""

_UID_PREFIX, _LONGEST_UID = "airis-", 40


def dashboard_uid(monitor: str) -> str:
    """Return the uid of a monitor's dashboard: its name, where Grafana's 40 characters hold it."""
    uid = _UID_PREFIX + monitor
    if len(uid) <= _LONGEST_UID:
        return uid
    return _UID_PREFIX + hashlib.sha256(monitor.encode()).hexdigest()[: _LONGEST_UID - len(_UID_PREFIX)]
