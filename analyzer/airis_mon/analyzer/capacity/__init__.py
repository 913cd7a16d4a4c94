"""Load and utilisation of the past -> how many replicas by when.

Belongs here: the busy hour of each day, how it grows and where it goes, what one replica carries at a target
utilisation, and the plan that follows; pure functions of numbers on a grid.

Must not be here: asking Prometheus, names of signals, tables, or anything that starts a replica.
"""

from airis_mon.analyzer.capacity.days import CapacityError
from airis_mon.analyzer.capacity.growth import Growth
from airis_mon.analyzer.capacity.plan import DAYS_LEAST, Day, Past, Plan, Target, plan, strength
from airis_mon.analyzer.capacity.publishing import samples
from airis_mon.analyzer.capacity.relation import PerReplica

__all__ = [
    "DAYS_LEAST",
    "CapacityError",
    "Day",
    "Growth",
    "Past",
    "PerReplica",
    "Plan",
    "Target",
    "plan",
    "samples",
    "strength",
]
