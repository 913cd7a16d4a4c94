"""Requests of a trace as metrics of the sidecar's `POST /v1/metrics`.

The names are OpenTelemetry's; the sidecar gives them Prometheus' spelling. A trace knows arrivals and tokens
and nothing else, so that is all that is sent: no duration, no error. Requests are counted by the histograms'
`_count`, so no series of its own counts them once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from airis_mon.exporters import series
from airis_mon.traces.operations import Operation, Totals

SOURCE = "airis-mon replay"
PROVIDER = "replay"
LONGEST_MODEL = 1024
"""Characters of a model's name: the longest tag that a sidecar takes."""


@dataclass(frozen=True)
class Labels:
    """What the series of one replay are told apart by; ValueError for a model that no label can name."""

    model: str
    provider: str = PROVIDER

    def __post_init__(self) -> None:
        """Check the model's name before anything is sent under it."""
        if not self.model.strip():
            raise ValueError("the model's name is empty; write the name that its series shall carry")
        if len(self.model) > LONGEST_MODEL:
            raise ValueError(
                f"the model's name has {len(self.model)} characters, at most {LONGEST_MODEL} are taken; "
                f"write a shorter one"
            )
        try:
            self.model.encode()
        except UnicodeEncodeError:
            raise ValueError("the model's name is no UTF-8; write another") from None

    @property
    def tags(self) -> dict[str, str]:
        """The tags of every metric, under OpenTelemetry's attribute names."""
        return {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": self.provider,
            "gen_ai.request.model": self.model,
        }

    def queries(self) -> Mapping[str, str]:
        """Return the PromQL that reads each total back, by the name of the total.

        Each is a total since the sidecar started: a second replay under the same name adds to it.
        """
        name = self.model.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        selector = f'{{{series.GEN_AI_REQUEST_MODEL}="{name}"}}'
        return {
            "requests": f"sum({series.GEN_AI_OPERATION_INPUT_TOKENS}_count{selector})",
            "input_tokens": f"sum({series.GEN_AI_INPUT_TOKENS}{selector})",
            "output_tokens": f"sum({series.GEN_AI_OUTPUT_TOKENS}{selector})",
        }


def items(requests: Sequence[Operation], labels: Labels, moment: float) -> list[dict[str, Any]]:
    """Return the metrics of one batch: two counters with the batch's sums, two observations per request.

    `moment` is when the batch is played, seconds since the epoch.
    """
    timestamp = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    totals = Totals().plus(requests)

    def item(name: str, metric_type: str, value: int, **tags: str) -> dict[str, Any]:
        return {
            "timestamp": timestamp,
            "source": SOURCE,
            "metric_type": metric_type,
            "metric_name": name,
            "value": value,
            "unit": "{token}",
            "tags": {**labels.tags, **tags},
        }

    def counters() -> Iterable[dict[str, Any]]:
        for name, value in (("input", totals.input_tokens), ("output", totals.output_tokens)):
            tags = {"gen_ai.token.modality": "text"}
            yield item(f"gen_ai.client.inference.usage.{name}_tokens", "counter", value, **tags)

    def observations() -> Iterator[dict[str, Any]]:
        for request in requests:
            for name, value in (("input", request.input_tokens), ("output", request.output_tokens)):
                yield item(f"gen_ai.client.inference.operation.{name}_tokens", "histogram", value)

    return [*counters(), *observations()]
