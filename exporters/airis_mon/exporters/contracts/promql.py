"""No contract: the document says itself, in PromQL, what an operation is and which ones failed."""

from airis_mon.exporters.contracts.contract import Contract

PROMQL = Contract(
    name="promql", title="any series: objectives over PromQL of your own (`events`), no signals"
)
