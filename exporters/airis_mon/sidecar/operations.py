"""Operations of models into the series that `airis_mon.instrument` itself would expose, with their source.

Names, labels, boundaries and what counts when are the SDK's: its families are used here as they are. A rule
need not know whether an application is scraped, or sends.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from airis_mon.exporters import series
from airis_mon.instrument.families import (
    OK,
    LLMBuckets,
    PredictorBuckets,
    client,
    predictor,
)
from airis_mon.instrument.families import (
    Family as Instrument,
)
from airis_mon.instrument.predictor import PREDICT
from airis_mon.instrument.recorder import TEXT, UNKNOWN
from airis_mon.sidecar.items import SCHEMA, ItemError, OperationItem
from airis_mon.sidecar.names import Labels
from airis_mon.sidecar.series import Exemplar, Family
from airis_mon.sidecar.translation import Change, Update

_REMEMBERED = 10_000
_OF_LANGUAGE = (
    "response_model",
    "time_to_first_chunk",
    "time_per_output_chunk",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)
"""Fields that a model which is no language model has no series for."""


@dataclass(frozen=True)
class _Target:
    """What the words of an operation come to."""

    labels: Labels
    failed: Labels
    """With the reason of the failure, or the outcome."""
    text: Labels
    unknown: Labels


class OperationTranslation:
    """Turns operations into updates; remembers what their words come to, within bounds."""

    def __init__(self, moment: Callable[[float], float]) -> None:
        """`moment` returns a timestamp, or refuses it."""
        self._moment = moment
        self._llm = client(LLMBuckets())
        self._predictor = predictor(PredictorBuckets())
        self._families = {family.name: _family(family) for family in (*self._llm.all, *self._predictor.all)}
        self._targets: dict[Hashable, _Target] = {}

    def changes(self, item: OperationItem) -> tuple[list[Change], None]:
        """Return the updates of one operation, to count together or not at all; ItemError for none."""
        timestamp = self._moment(item.timestamp.timestamp())
        return (self._predicted if item.operation == PREDICT else self._called)(item, timestamp), None

    def _called(self, item: OperationItem, timestamp: float) -> list[Change]:
        if not item.provider:
            raise ItemError(
                "provider",
                f"wanted for `{item.operation}`: OpenTelemetry's word, such as `openai`; a model that is no "
                f"language model has the operation `{PREDICT}`",
                SCHEMA,
            )
        if item.confidence or item.version:
            field = "confidence" if item.confidence else "version"
            raise ItemError(field, f"belongs to the operation `{PREDICT}` alone", SCHEMA)
        key = (item.source, item.operation, item.provider, item.model, item.response_model, item.error_type)
        target = self._targets.get(key) or self._remember(key, _llm_target(item))
        families, known = self._llm, self._families
        made: list[Change] = []

        def add(family: Instrument, labels: Labels, value: float, exemplar: Exemplar | None = None) -> None:
            made.append(Update(known[family.name], labels, value, timestamp, exemplar))

        exemplar = None
        if item.trace_id:
            exemplar = Exemplar((("trace_id", item.trace_id),), item.duration, timestamp)
        add(families.duration, target.failed, item.duration, exemplar)
        if item.time_to_first_chunk is not None:
            add(families.first_chunk, target.labels, item.time_to_first_chunk)
        if item.time_per_output_chunk is not None:
            add(families.output_chunk, target.labels, item.time_per_output_chunk)
        tokens = (
            item.input_tokens,
            item.output_tokens,
            item.cache_read_tokens,
            item.cache_write_tokens,
            item.reasoning_tokens,
        )
        for position, (family, count) in enumerate(zip(families.usage, tokens, strict=True)):
            if count is not None:
                add(family, target.text, count)
                if position < 2 and not item.error_type:
                    add(families.sizes[position], target.labels, count)
            elif position < 2:
                add(family, target.unknown, 0)
        return made

    def _predicted(self, item: OperationItem, timestamp: float) -> list[Change]:
        for field in _OF_LANGUAGE:
            if getattr(item, field) not in (None, ""):
                raise ItemError(field, f"means nothing for the operation `{PREDICT}`", SCHEMA)
        key = (item.source, item.model, item.version, item.error_type)
        target = self._targets.get(key) or self._remember(key, _predictor_target(item))
        families, known = self._predictor, self._families
        return [
            Update(known[families.predictions.name], target.failed, 1, timestamp),
            Update(known[families.duration.name], target.labels, item.duration, timestamp),
            *(
                Update(known[families.confidence.name], target.labels, stated, timestamp)
                for stated in item.confidence
            ),
        ]

    def _remember(self, key: Hashable, target: _Target) -> _Target:
        # Emptied, not evicted one by one: senders that fill it are rare, and filling it anew costs little.
        if len(self._targets) >= _REMEMBERED:
            self._targets.clear()
        self._targets[key] = target
        return target


def _llm_target(item: OperationItem) -> _Target:
    common = {
        series.SOURCE: item.source,
        series.GEN_AI_OPERATION_NAME: item.operation,
        series.GEN_AI_PROVIDER_NAME: item.provider,
        series.GEN_AI_REQUEST_MODEL: item.model,
        series.GEN_AI_RESPONSE_MODEL: item.response_model,
    }
    return _Target(
        labels=_labels(common),
        failed=_labels({**common, series.ERROR_TYPE: item.error_type}),
        text=_labels({**common, series.GEN_AI_TOKEN_MODALITY: TEXT}),
        unknown=_labels({**common, series.GEN_AI_TOKEN_MODALITY: UNKNOWN}),
    )


def _predictor_target(item: OperationItem) -> _Target:
    common = {series.SOURCE: item.source, series.MODEL: item.model, series.MODEL_VERSION: item.version}
    labels = _labels(common)
    return _Target(labels, _labels({**common, series.OUTCOME: item.error_type or OK}), labels, labels)


def _labels(pairs: dict[str, str]) -> Labels:
    # An empty value is no label to Prometheus, so none is made of it.
    return tuple(sorted((name, value) for name, value in pairs.items() if value))


def _family(family: Instrument) -> Family:
    name = family.name.removesuffix("_total")
    return Family(name, family.kind, family.documentation, tuple(map(float, family.buckets)))
