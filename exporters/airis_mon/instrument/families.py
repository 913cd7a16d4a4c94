"""The metric families that instruments record into, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from airis_mon.exporters import series

OK = "ok"
"""The outcome of a prediction that went well."""

_CALLED = (series.GEN_AI_OPERATION_NAME, series.GEN_AI_PROVIDER_NAME, series.GEN_AI_REQUEST_MODEL)
_MODEL = (*_CALLED, series.GEN_AI_RESPONSE_MODEL)
_USAGE = (*_MODEL, series.GEN_AI_TOKEN_MODALITY)
_PREDICTOR = (series.MODEL, series.MODEL_VERSION)


@dataclass(frozen=True)
class Family:
    """One metric."""

    name: str
    """As it is exposed; a counter's with `_total`."""
    kind: Literal["counter", "histogram"]
    documentation: str
    labels: tuple[str, ...]
    buckets: tuple[float, ...] = ()
    """Boundaries of a histogram in its unit, ascending, without +Inf."""


@dataclass(frozen=True)
class LLMBuckets:
    """Histogram boundaries for language models, ascending, without +Inf.

    The fields are named as the distributions of the `otel-genai` contract: what is set here is written in the
    same words in a document's `source.buckets`. A latency objective needs its threshold among them:
    `Instruments(thresholds=...)` adds what is missing.
    """

    request_duration: tuple[float, ...] = series.GEN_AI_DURATION_BUCKETS
    """Seconds."""
    time_to_first_token: tuple[float, ...] = series.GEN_AI_DURATION_BUCKETS
    """Seconds."""
    time_per_output_token: tuple[float, ...] = series.GEN_AI_DURATION_BUCKETS
    """Seconds."""
    operation_input_tokens: tuple[float, ...] = series.GEN_AI_TOKEN_BUCKETS
    """Tokens."""
    operation_output_tokens: tuple[float, ...] = series.GEN_AI_TOKEN_BUCKETS
    """Tokens."""


@dataclass(frozen=True)
class LLMServerBuckets:
    """Histogram boundaries for servers of language models, ascending, without +Inf."""

    request_duration: tuple[float, ...] = series.GEN_AI_DURATION_BUCKETS
    """Seconds."""
    time_to_first_token: tuple[float, ...] = series.GEN_AI_FIRST_TOKEN_BUCKETS
    """Seconds."""
    time_per_output_token: tuple[float, ...] = series.GEN_AI_OUTPUT_TOKEN_BUCKETS
    """Seconds."""


@dataclass(frozen=True)
class PredictorBuckets:
    """Histogram boundaries for other models; fields as the distributions of the `airis` contract."""

    request_duration: tuple[float, ...] = series.PREDICTION_DURATION_BUCKETS
    """Seconds."""
    confidence: tuple[float, ...] = series.PREDICTION_CONFIDENCE_BUCKETS
    """0 to 1."""


@dataclass(frozen=True)
class LLMFamilies:
    """What a call of a language model records into; a server has the first three alone."""

    duration: Family
    first_chunk: Family
    output_chunk: Family
    usage: tuple[Family, ...] = ()
    """Counters of tokens: input, output, then those that are part of them: cached, written, reasoning."""
    sizes: tuple[Family, ...] = ()
    """Histograms of tokens per operation: input, output."""
    money: tuple[Family, ...] = ()
    """Counters of costs, and of tokens without a price."""

    @property
    def all(self) -> tuple[Family, ...]:
        """Return every one of them."""
        return (self.duration, self.first_chunk, self.output_chunk, *self.usage, *self.sizes, *self.money)


@dataclass(frozen=True)
class PredictorFamilies:
    """What a prediction records into."""

    predictions: Family
    labelled: Family
    duration: Family
    confidence: Family
    bins: Family
    """Of features, held against a reference."""
    unknown: Family

    @property
    def all(self) -> tuple[Family, ...]:
        """Return every one of them."""
        return (
            self.predictions,
            self.labelled,
            self.duration,
            self.confidence,
            self.bins,
            self.unknown,
        )


def client(buckets: LLMBuckets) -> LLMFamilies:
    """Return the families of OpenTelemetry's GenAI client metrics."""
    return LLMFamilies(
        duration=Family(
            series.GEN_AI_OPERATION_DURATION,
            "histogram",
            "Time of a GenAI operation, from the request to the end of the answer.",
            (*_MODEL, series.ERROR_TYPE),
            buckets.request_duration,
        ),
        first_chunk=Family(
            series.GEN_AI_TIME_TO_FIRST_CHUNK,
            "histogram",
            "Time from the request to the first chunk of a streamed answer.",
            _MODEL,
            buckets.time_to_first_token,
        ),
        output_chunk=Family(
            series.GEN_AI_TIME_PER_OUTPUT_CHUNK,
            "histogram",
            "Time from one chunk of a streamed answer to the next.",
            _MODEL,
            buckets.time_per_output_token,
        ),
        usage=tuple(
            Family(name, "counter", documentation, _USAGE)
            for name, documentation in (
                (series.GEN_AI_INPUT_TOKENS, "Input (prompt) tokens used, cached ones included."),
                (series.GEN_AI_OUTPUT_TOKENS, "Output (completion) tokens used, reasoning ones included."),
                (series.GEN_AI_CACHE_READ_TOKENS, "Input tokens that were read from a cache."),
                (series.GEN_AI_CACHE_WRITE_TOKENS, "Input tokens that were written to a cache."),
                (series.GEN_AI_REASONING_TOKENS, "Output tokens that were used for reasoning."),
            )
        ),
        sizes=(
            Family(
                series.GEN_AI_OPERATION_INPUT_TOKENS,
                "histogram",
                "Input tokens per successful operation; for percentiles, not for totals.",
                _MODEL,
                buckets.operation_input_tokens,
            ),
            Family(
                series.GEN_AI_OPERATION_OUTPUT_TOKENS,
                "histogram",
                "Output tokens per successful operation; for percentiles, not for totals.",
                _MODEL,
                buckets.operation_output_tokens,
            ),
        ),
        money=(
            Family(
                series.COST,
                "counter",
                "What operations cost, as far as their price is known.",
                (*_CALLED, series.CURRENCY),
            ),
            Family(
                series.UNPRICED_TOKENS,
                "counter",
                "Tokens whose price nobody knows; they are missing from the costs.",
                _CALLED,
            ),
        ),
    )


def server(buckets: LLMServerBuckets) -> LLMFamilies:
    """Return the families of OpenTelemetry's GenAI server metrics."""
    return LLMFamilies(
        duration=Family(
            series.GEN_AI_SERVER_REQUEST_DURATION,
            "histogram",
            "Time of a request to a model server, from its arrival to the last byte of the answer.",
            (*_MODEL, series.ERROR_TYPE),
            buckets.request_duration,
        ),
        first_chunk=Family(
            series.GEN_AI_SERVER_TIME_TO_FIRST_TOKEN,
            "histogram",
            "Time from a request's arrival to the first token of the answer.",
            _MODEL,
            buckets.time_to_first_token,
        ),
        output_chunk=Family(
            series.GEN_AI_SERVER_TIME_PER_OUTPUT_TOKEN,
            "histogram",
            "Time per output token after the first one.",
            _MODEL,
            buckets.time_per_output_token,
        ),
    )


def predictor(buckets: PredictorBuckets) -> PredictorFamilies:
    """Return the families of other models."""
    return PredictorFamilies(
        predictions=Family(
            series.PREDICTIONS,
            "counter",
            f"Predictions by how they ended: `{OK}`, or a reason of failure.",
            (*_PREDICTOR, series.OUTCOME),
        ),
        labelled=Family(
            series.LABELLED_PREDICTIONS,
            "counter",
            "Predictions whose true answer is known, by whether they were right.",
            (*_PREDICTOR, series.CORRECT),
        ),
        duration=Family(
            series.PREDICTION_DURATION,
            "histogram",
            "Time of a prediction, failed ones included.",
            _PREDICTOR,
            buckets.request_duration,
        ),
        confidence=Family(
            series.PREDICTION_CONFIDENCE,
            "histogram",
            "Confidence of the model in its answer.",
            _PREDICTOR,
            buckets.confidence,
        ),
        bins=Family(
            series.FEATURE_BINS,
            "counter",
            "Values of features, by the bin of the reference that they fall into.",
            (*_PREDICTOR, series.FEATURE, series.BIN),
        ),
        unknown=Family(
            series.UNKNOWN_FEATURES,
            "counter",
            "Values of features that the reference does not have.",
            _PREDICTOR,
        ),
    )


FOLDED = Family(
    series.INSTRUMENT_FOLDED,
    "counter",
    "Operations whose labels were folded into `other`, as there are too many of them.",
    ("kind",),
)
