"""One contract per kind of model server: which series carry which signal.

A signal is what a ModelMonitor speaks of (`request_rate`, `error_ratio`, `time_to_first_token_p95`,
`kv_cache_usage`); a contract turns it into PromQL for one kind of server. To support another server, add a
module with one Contract and list it in CONTRACTS.
"""

from types import MappingProxyType

from airis_mon.exporters.contracts.airis import AIRIS
from airis_mon.exporters.contracts.contract import (
    Contract,
    Counter,
    Distribution,
    Gauge,
    Requests,
    UnknownSignalError,
    matchers,
)
from airis_mon.exporters.contracts.otel_genai import OTEL_GENAI
from airis_mon.exporters.contracts.vllm import VLLM

CONTRACTS = MappingProxyType({contract.name: contract for contract in (OTEL_GENAI, AIRIS, VLLM)})

__all__ = [
    "CONTRACTS",
    "Contract",
    "Counter",
    "Distribution",
    "Gauge",
    "Requests",
    "UnknownSignalError",
    "matchers",
]
