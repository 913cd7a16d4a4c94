"""Rule files -> what has to be evaluated over a past, in what order, and when each alert then fired.

Belongs here: which series an expression reads and how far back, which recordings an alert stands on, and the
states of an alert (pending, firing, kept firing, resolved) as Prometheus goes through them.

Must not be here: the evaluation of expressions (a real Prometheus does that), sockets, who hears of an alert.
"""

from airis_mon.rules.replay.expressions import Condition, Selector, selectors
from airis_mon.rules.replay.plan import AlertRule, Plan, PlanError, Recording, plan
from airis_mon.rules.replay.states import Episode, episodes

__all__ = [
    "AlertRule",
    "Condition",
    "Episode",
    "Plan",
    "PlanError",
    "Recording",
    "Selector",
    "episodes",
    "plan",
    "selectors",
]
