"""The real Prometheus and Alertmanager, the sidecar and the analyzer, started and wired for you.

Belongs here: finding the servers, their command lines and configuration, child processes, ports. Must not be
here: anything that a monitoring team would not run on a laptop, or any answer of a server that we made up.
"""

from airis_mon.stack.launch import Stack, Urls, start
from airis_mon.stack.plan import Plan, ScrapeTarget
from airis_mon.stack.ports import AddressTakenError
from airis_mon.stack.processes import ProcessError
from airis_mon.stack.servers import MissingServerError

__all__ = [
    "AddressTakenError",
    "MissingServerError",
    "Plan",
    "ProcessError",
    "ScrapeTarget",
    "Stack",
    "Urls",
    "start",
]
