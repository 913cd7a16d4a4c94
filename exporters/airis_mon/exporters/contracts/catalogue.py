"""Every contract by its name."""

from types import MappingProxyType

from airis_mon.exporters.contracts.airis import AIRIS
from airis_mon.exporters.contracts.otel_genai import OTEL_GENAI
from airis_mon.exporters.contracts.promql import PROMQL
from airis_mon.exporters.contracts.vllm import VLLM

CONTRACTS = MappingProxyType({contract.name: contract for contract in (OTEL_GENAI, AIRIS, VLLM, PROMQL)})
