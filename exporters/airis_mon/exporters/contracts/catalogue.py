"""Every contract by its name."""

from types import MappingProxyType

from airis_mon.exporters.contracts.airis import AIRIS
from airis_mon.exporters.contracts.contract import Contract
from airis_mon.exporters.contracts.otel_genai import OTEL_GENAI
from airis_mon.exporters.contracts.promql import PROMQL
from airis_mon.exporters.contracts.vllm import VLLM
from airis_mon.spec import Source

CONTRACTS = MappingProxyType({contract.name: contract for contract in (OTEL_GENAI, AIRIS, VLLM, PROMQL)})


def contract_of(source: Source) -> Contract:
    """Return what a source exposes, histograms as they are kept there; KeyError for an unknown contract."""
    contract = CONTRACTS[source.contract]
    return contract.natively() if source.native_histograms else contract
