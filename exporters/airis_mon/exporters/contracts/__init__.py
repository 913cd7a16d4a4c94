"""One contract per kind of model server: which series carry which signal.

A signal is what a ModelMonitor speaks of (`request_rate`, `error_ratio`, `time_to_first_token_p95`,
`kv_cache_usage`); a contract turns it into PromQL for one kind of server. To support another server, add a
module with one Contract and list it in `catalogue`.
"""

from airis_mon.exporters.contracts.boundaries import le_matcher, spellings
from airis_mon.exporters.contracts.catalogue import CONTRACTS, contract_of
from airis_mon.exporters.contracts.contract import (
    QUANTILES,
    Contract,
    Counter,
    Distribution,
    Gauge,
    Requests,
    UnknownSignalError,
    matchers,
)
from airis_mon.exporters.contracts.problems import problems
from airis_mon.exporters.contracts.snapping import snapped

__all__ = [
    "CONTRACTS",
    "QUANTILES",
    "Contract",
    "Counter",
    "Distribution",
    "Gauge",
    "Requests",
    "UnknownSignalError",
    "contract_of",
    "le_matcher",
    "matchers",
    "problems",
    "snapped",
    "spellings",
]
