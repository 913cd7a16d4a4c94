"""What good looks like for one model: the ModelMonitor as plain values.

Every other stage is a function of these values. They hold base units only (seconds, ratios); the spelling
that a person typed (``500ms``, ``99.9%``) stays in :mod:`airis_mon.spec.decode`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

from airis_mon.spec.canary import Canary
from airis_mon.spec.drift import Drift
from airis_mon.spec.maintenance import Maintenance
from airis_mon.spec.money import Cost
from airis_mon.spec.problems import NOWHERE, Origin
from airis_mon.spec.severity import Severity as Severity

Calendar = Literal["week", "month", "quarter"]
"""Periods of the calendar, in UTC; weeks begin on Monday."""

CALENDAR_WINDOWS: Mapping[Calendar, float] = MappingProxyType(
    {"week": 7 * 86400.0, "month": 30 * 86400.0, "quarter": 90 * 86400.0}
)
"""Seconds that each of them is taken to last where a length is needed: for how fast a budget may burn."""

SHORTEST_WINDOW, LONGEST_WINDOW = 86400.0, 366 * 86400.0
"""Seconds over which an objective may be promised: alerts on a shorter promise would come after its end."""

READINGS = 4
"""Readings of a series that a range has to hold, so that a late one or a lost one leaves a rate."""


@dataclass(frozen=True)
class Model:
    """The model that is watched."""

    name: str
    """Name as the team says it; becomes the `model` label of everything that is derived."""
    version: str | None = None
    """Version shown on dashboards and in messages."""


@dataclass(frozen=True)
class Source:
    """Where the model's series are, and what they are called there."""

    contract: str
    """Name of a metrics contract: which series a kind of model server exposes."""
    selector: Mapping[str, str] = field(default_factory=dict)
    """Labels that select this model's series, all compared for equality; empty only where the contract has no
    series, and expressions of the document select their own."""
    buckets: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Histogram boundaries per distribution, in base units, where the application sets its own."""
    scrape_interval: float = 15.0
    """Seconds between two readings of the series by Prometheus."""
    native_histograms: bool = False
    """Whether Prometheus keeps the histograms of the contract as native ones, and no classic buckets of them.
    Off, since a Prometheus before 3.0 keeps none."""

    @property
    def shortest_range(self) -> float:
        """Seconds that the range of a rate has to span at least."""
        return READINGS * self.scrape_interval


@dataclass(frozen=True)
class Errors:
    """Good = the operation did not fail. What counts as failed is the contract's to say."""


@dataclass(frozen=True)
class Latency:
    """Good = the duration stayed below a boundary of the histogram."""

    of: str
    """Distribution of the contract, such as `time_to_first_token`."""
    below: float
    """Seconds; has to be a bucket boundary, else no rule could tell good from bad."""
    snap: Literal["down", "up", "nearest"] | None = None
    """Boundary that is taken where `below` is none, and told as effective; without it that is an error."""
    native: bool = False
    """Whether Prometheus keeps the distribution as a native histogram, which has no boundaries to heed;
    `Source.native_histograms` says so of all of them."""


@dataclass(frozen=True)
class Quality:
    """Good = the prediction was right, as far as its true answer is known. Counted when it becomes known."""


@dataclass(frozen=True)
class Fresh:
    """Good = the time in which the newest of some timestamps was not too old. Counted in seconds."""

    of: str
    """Gauge that holds a Unix timestamp in seconds; the source's selector chooses its series."""
    within: float
    """Seconds that the newest timestamp may be old; as far in the future it is none."""


@dataclass(frozen=True, kw_only=True)
class Events:
    """Good and bad operations, counted by PromQL of one's own: sums of rates of counters over `$window`.

    Either `bad` or `good` is given. That each is an expression which can be proven is for `rules` to check.
    """

    total: str
    """All operations."""
    bad: str | None = None
    """Operations that missed the objective."""
    good: str | None = None
    """Operations that met it."""


@dataclass(frozen=True)
class BurnCondition:
    """A burn that a document of another dialect wants alerts on."""

    severity: Severity
    factor: float
    """Times the burn rate at which the budget lasts for exactly one window."""
    over: float
    """Seconds of the long window."""


@dataclass(frozen=True)
class Marks:
    """What alerts carry that does not follow from what they are about."""

    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Objective:
    """A service level objective: a share of good operations over a window."""

    name: str
    target: float
    """Share of good operations, 0 < target < 1 (written `99.9%`)."""
    window: float
    """Seconds over which the share is promised, 30 days unless said otherwise."""
    indicator: Errors | Latency | Quality | Fresh | Events
    fewest_failures: int = 5
    """Failures in a long window below which no alert fires: one failed request of three is no incident.

    A model with little traffic is still seen by the slower alerts, whose windows hold more of it. With 1 a
    single failure may wake somebody."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of all that is recorded for it and of its alerts, beside those that everything derived has."""
    by_severity: Mapping[Severity, Marks] = field(default_factory=dict)
    """What burn-rate alerts of one severity carry beside that, as other dialects can say."""
    conditions: tuple[BurnCondition, ...] = ()
    """Burns that have to alert: where the window's own alerts lack one of them, the objective is refused."""
    calendar: Calendar | None = None
    """Period of the calendar over which the share is promised; `window` is then what such a period lasts."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Annotations of its burn-rate alerts, printed as they are; `summary` and `description` replace ours."""


Engine = Literal["analyzer", "rules"]
"""What finds out what is usual: the analyzer, or recording rules alone."""
HISTORY: Mapping[Engine, float] = MappingProxyType({"analyzer": 28 * 86400.0, "rules": 7 * 86400.0})
"""Seconds of past that are learnt from where a document does not say: what each was measured with. The
analyzer takes what there is of four weeks, which show how rare a departure is. Rules read their past again at
each evaluation, and a week is what that is worth."""


@dataclass(frozen=True)
class Anomaly:
    """A signal that is watched for behaviour unlike its own past."""

    of: str
    """Signal of the contract, such as `time_to_first_token_p95`."""
    window: float = 300.0
    """Seconds over which rates and quantiles are taken."""
    direction: Literal["up", "down", "both"] = "both"
    """Which departures count: only above the band, only below it, or both."""
    severity: Severity = "ticket"
    """Whether a standing anomaly wakes somebody (`page`) or waits for working hours (`ticket`)."""
    duration: float = 300.0
    """Seconds for which the score has to stay anomalous before the alert fires (`for`). A document that does
    not say it gets 5 minutes for a page, which must be soon, and 15 for a ticket, which must be sure."""
    history: float | None = None
    """Seconds of past that the expectation is learnt from; None for the usual one: `HISTORY`."""
    by: tuple[str, ...] = ()
    """Labels to keep apart; empty watches one series for the whole model."""
    page_after: float | None = None
    """Seconds after which an anomaly that was a ticket pages as well, where it still stands."""


Candidate = Literal["ets", "ets_damped", "arima", "stl", "theta"]
"""Forecasters of statsmodels: exponential smoothing with a trend that goes on or fades, ARIMA, the same on
what STL leaves of a season, and Theta."""
CANDIDATES: tuple[Candidate, ...] = get_args(Candidate)

SHORTEST_TIME, USUAL_TIME, LONGEST_TIME = 1.0, 10.0, 30.0
"""Seconds that candidates may take: with more, a round would come late for all."""


@dataclass(frozen=True)
class Forecast:
    """A signal whose future is drawn, and optionally held against a capacity."""

    of: str
    horizon: float
    """Seconds ahead."""
    capacity: float | None = None
    """Value, in the signal's base unit, that the forecast must not reach."""
    window: float = 300.0
    history: float | None = None
    """Seconds of past that it is learnt from; None for the usual one: `HISTORY`."""
    by: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    """Forecasters that are tried beside the analyzer's own. None, since on most series they are no better at
    many times the cost; those named first are the last to be left out."""
    time_budget: float = USUAL_TIME
    """CPU seconds that they may take for all series together, each time the forecast is made."""


Side = Literal["above", "below"]


@dataclass(frozen=True)
class Level:
    """A value that is known beforehand."""

    value: float
    """In the signal's base unit: seconds, a ratio, tokens per second."""


@dataclass(frozen=True)
class Past:
    """A multiple of a quantile of the signal's own past."""

    quantile: float
    """Share of the past's values that lie below, 0 < quantile < 1 (written `99%`)."""
    over: float = 7 * 86400.0
    """Seconds of past, the present included; nothing fires before half of it is there."""
    times: float = 1.0
    """What the quantile is multiplied by."""

    @property
    def step(self) -> float:
        """Seconds between the values that are looked at: whole minutes, some 2,000 of them."""
        return max(60.0, round(self.over / 2016 / 60) * 60.0)


@dataclass(frozen=True)
class Band:
    """The edge of what the analyzer finds usual now."""

    history: float | None = None
    """Seconds of past that the expectation is learnt from; None for the usual one: `HISTORY`."""


@dataclass(frozen=True)
class Threshold:
    """A signal that must stay on one side of a bound."""

    of: str
    """Signal of the contract, such as `kv_cache_usage`."""
    side: Side
    """On which side of the bound the alert fires."""
    bound: Level | Past | Band
    """What the signal is held against."""
    window: float = 300.0
    """Seconds over which rates and quantiles are taken."""
    severity: Severity = "ticket"
    """Whether it wakes somebody (`page`) or waits for working hours (`ticket`)."""
    duration: float = 300.0
    """Seconds for which the signal has to be beyond the bound before the alert fires (`for`)."""
    by: tuple[str, ...] = ()
    """Labels to keep apart; empty holds one series, of the whole model, against the bound."""


@dataclass(frozen=True)
class PageBudget:
    """How many pages a team is willing to receive."""

    pages: int
    per: float
    """Seconds."""

    @property
    def pages_per_week(self) -> float:
        """The budget as pages per week."""
        return self.pages * 7 * 86400.0 / self.per


@dataclass(frozen=True)
class Alerting:
    """Who hears of it."""

    team: str = "unowned"
    """Becomes the `team` label of every alert."""
    escalation: str | None = None
    """Name of an EscalationPolicy; without one nobody is notified."""
    page_budget: PageBudget = PageBudget(2, 7 * 86400.0)
    """False pages that the team accepts; the analyzer calibrates its scores towards it."""
    runbook: str | None = None
    """URL that every alert links to."""


@dataclass(frozen=True)
class Monitor:
    """One ModelMonitor, decoded, with its profile applied."""

    name: str
    model: Model
    source: Source
    objectives: tuple[Objective, ...] = ()
    anomalies: tuple[Anomaly, ...] = ()
    forecasts: tuple[Forecast, ...] = ()
    alerting: Alerting = Alerting()
    depends_on: tuple[str, ...] = ()
    """Names of monitors without whose models this one cannot answer. While one of them is down, alerts of
    this one say nothing new and are kept quiet."""
    thresholds: tuple[Threshold, ...] = ()
    cost: Cost | None = None
    """What the model may cost; without it money is not watched."""
    drift: Drift | None = None
    """What its features should look like; without it they are not watched."""
    canary: Canary | None = None
    """A new version that runs beside the old one; without it versions are not compared."""
    maintenance: tuple[Maintenance, ...] = ()
    """Every Maintenance that is about it."""
    profile: str | None = None
    engine: Engine = "analyzer"
    """What publishes expectations, scores and forecasts. The analyzer's are better: its bands are made for a
    budget of pages. Rules need no process beside Prometheus."""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)
    """Where each field was written, so that later stages can point at it."""

    def history(self, watched: Anomaly | Forecast | Threshold) -> float:
        """Return the seconds of past that something is learnt from; 0 for a threshold that learns nothing."""
        learner = watched.bound if isinstance(watched, Threshold) else watched
        if isinstance(learner, Level | Past):
            return 0.0
        return HISTORY[self.engine] if learner.history is None else learner.history
