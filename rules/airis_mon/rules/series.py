"""Every series, alert and alert label that the rules publish.

The `slo:*` series and their `sloth_*` labels are those that Sloth writes: dashboards made for it work.
"""

from __future__ import annotations

# Recorded series
ERROR_RATIO = "slo:sli_error:ratio_rate"
"""Followed by its window: `slo:sli_error:ratio_rate5m`."""
OBJECTIVE = "slo:objective:ratio"
ERROR_BUDGET = "slo:error_budget:ratio"
TIME_PERIOD = "slo:time_period:days"
CURRENT_BURN_RATE = "slo:current_burn_rate:ratio"
PERIOD_BURN_RATE = "slo:period_burn_rate:ratio"
BUDGET_REMAINING = "slo:period_error_budget_remaining:ratio"
INFO = "sloth_slo_info"

EVENTS = "slo:sli_events:rate"
"""Operations per second, followed by the window; Sloth has no such series."""
FAILURES = "slo:sli_error_events:rate"
"""Operations per second that missed the objective, followed by the window."""

SLO_ID = "sloth_id"
SLO_SERVICE = "sloth_service"
SLO_NAME = "sloth_slo"
SLO_WINDOW = "sloth_window"

# Alerts
BURN_ALERT = "ModelErrorBudgetBurn"
ANOMALY_ALERT = "ModelAnomaly"
FORECAST_ALERT = "ModelCapacityForecast"
ABSENT_ALERT = "ModelSignalAbsent"

# Labels of every alert; routing depends on them and on nothing else
SEVERITY = "severity"
PAGE = "page"
TICKET = "ticket"
TEAM = "team"
MONITOR = "monitor"
MODEL = "model"
OBJECTIVE_LABEL = "objective"
"""Name of the objective that burns."""
FOR = "for"
"""Signal that is anomalous, absent or about to reach its capacity."""
