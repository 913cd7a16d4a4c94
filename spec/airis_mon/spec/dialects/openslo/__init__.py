"""OpenSLO v1: SLOs with what they refer to, each of which becomes a monitor.

Belongs here: the keys of its kinds (`fields`), and how documents that name each other are put together.

Must not be here: what every dialect does alike.
"""

from airis_mon.spec.dialects.openslo.joining import draft, joined, spoken

__all__ = ["draft", "joined", "spoken"]
