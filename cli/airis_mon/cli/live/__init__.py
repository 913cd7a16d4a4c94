"""Asking a real Prometheus about the series that documents speak of.

Belongs here: HTTP with its limits, who we are to that server, and the options that name it.

Must not be here: which questions are asked, and what the answers mean (`airis_mon.rules.live`).
"""

from airis_mon.cli.live.client import LiveError
from airis_mon.cli.live.inspection import Inspection, add_arguments, inspection

__all__ = ["Inspection", "LiveError", "add_arguments", "inspection"]
