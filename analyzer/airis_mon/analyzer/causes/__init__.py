"""An incident -> what changed shortly before it, ranked: candidates for its cause, never the cause.

Belongs here: when signals left their bands, how events lie before an incident, and the order of both; pure
functions of numbers on a grid and of times.

Must not be here: asking Prometheus, names of series, or a claim that one thing made another happen: what
comes before need not be what it comes from.
"""

from airis_mon.analyzer.causes.events import Event, Kind
from airis_mon.analyzer.causes.excursions import Excursion, excursions
from airis_mon.analyzer.causes.ranking import Candidate, Ranking, Signal, Window, rank, scored

__all__ = [
    "Candidate",
    "Event",
    "Excursion",
    "Kind",
    "Ranking",
    "Signal",
    "Window",
    "excursions",
    "rank",
    "scored",
]
