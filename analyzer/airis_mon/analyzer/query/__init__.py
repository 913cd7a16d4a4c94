"""Expressions -> numbers on a grid.

Belongs here: asking a Prometheus-compatible API, its limits, and the form in which numbers arrive.

Must not be here: which expressions are asked, and what the numbers mean.
"""

from airis_mon.analyzer.query.http import HttpQuerier
from airis_mon.analyzer.query.querier import (
    LIMITS,
    Frame,
    Labels,
    Limit,
    LimitError,
    Limits,
    Querier,
    QueryError,
    grid,
)

__all__ = [
    "LIMITS",
    "Frame",
    "HttpQuerier",
    "Labels",
    "Limit",
    "LimitError",
    "Limits",
    "Querier",
    "QueryError",
    "grid",
]
