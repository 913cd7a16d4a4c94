"""The metric families of one registry, and what hands them to models."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from airis_mon.exporters import series
from airis_mon.instrument.calls import Reasons
from airis_mon.instrument.llm import LLM, LLMFamilies
from airis_mon.instrument.predictor import OK, Predictor, PredictorFamilies

_MODEL_LABELS = (series.GEN_AI_OPERATION_NAME, series.GEN_AI_PROVIDER_NAME, series.GEN_AI_REQUEST_MODEL)


@dataclass(frozen=True)
class LLMBuckets:
    """Histogram boundaries for language models, ascending, without +Inf.

    The fields are named as the distributions of the `otel-genai` contract: what is set here is written in the
    same words in a document's `source.buckets`. A latency objective needs its threshold among them.
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
class PredictorBuckets:
    """Histogram boundaries for other models; fields as the distributions of the `airis` contract."""

    request_duration: tuple[float, ...] = series.PREDICTION_DURATION_BUCKETS
    """Seconds."""
    confidence: tuple[float, ...] = series.PREDICTION_CONFIDENCE_BUCKETS
    """0 to 1."""


@dataclass
class Instruments:
    """The factory of what an application calls; one per registry, made at start and passed along.

    All models of a registry share its metric families, hence a second Instruments on the same registry is
    refused with prometheus-client's `Duplicated timeseries` as soon as it makes a model.
    """

    registry: CollectorRegistry = REGISTRY
    clock: Callable[[], float] = time.perf_counter
    """Seconds, monotone; from any begin."""
    llm_buckets: LLMBuckets = LLMBuckets()
    predictor_buckets: PredictorBuckets = PredictorBuckets()
    reasons: int = 20
    """Distinct reasons of failure that become label values of their own; beyond, `_OTHER`."""
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _llm_families: LLMFamilies | None = field(default=None, init=False, repr=False)
    _predictor_families: PredictorFamilies | None = field(default=None, init=False, repr=False)
    _admitted: Reasons = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._admitted = Reasons(self.reasons)

    def llm(self, *, model: str, provider: str, operation: str = "chat") -> LLM:
        """Return the instrument of a language model.

        `provider` and `operation` are OpenTelemetry's words where it has one (`openai`, `anthropic`,
        `aws.bedrock`; `chat`, `text_completion`, `embeddings`). Asked twice, both share the model's series.
        """
        with self._lock:
            if self._llm_families is None:
                self._llm_families = _llm_families(self.registry, self.llm_buckets)
        return LLM(self._llm_families, self._admitted, self.clock, (operation, provider, model))

    def predictor(self, *, model: str, version: str = "") -> Predictor:
        """Return the instrument of a classifier or another model that is no language model."""
        with self._lock:
            if self._predictor_families is None:
                self._predictor_families = _predictor_families(self.registry, self.predictor_buckets)
        return Predictor(self._predictor_families, self._admitted, self.clock, (model, version))


def _llm_families(registry: CollectorRegistry, buckets: LLMBuckets) -> LLMFamilies:
    usage = (*_MODEL_LABELS, series.GEN_AI_TOKEN_MODALITY)
    return LLMFamilies(
        duration=Histogram(
            series.GEN_AI_OPERATION_DURATION,
            "Time of a GenAI operation, from the request to the end of the answer.",
            (*_MODEL_LABELS, series.ERROR_TYPE),
            buckets=buckets.request_duration,
            registry=registry,
        ),
        first_chunk=Histogram(
            series.GEN_AI_TIME_TO_FIRST_CHUNK,
            "Time from the request to the first chunk of a streamed answer.",
            _MODEL_LABELS,
            buckets=buckets.time_to_first_token,
            registry=registry,
        ),
        output_chunk=Histogram(
            series.GEN_AI_TIME_PER_OUTPUT_CHUNK,
            "Time from one chunk of a streamed answer to the next.",
            _MODEL_LABELS,
            buckets=buckets.time_per_output_token,
            registry=registry,
        ),
        input_tokens=Counter(
            series.GEN_AI_INPUT_TOKENS,
            "Input (prompt) tokens used, cached ones included.",
            usage,
            registry=registry,
        ),
        output_tokens=Counter(
            series.GEN_AI_OUTPUT_TOKENS,
            "Output (completion) tokens used, reasoning ones included.",
            usage,
            registry=registry,
        ),
        operation_input_tokens=Histogram(
            series.GEN_AI_OPERATION_INPUT_TOKENS,
            "Input tokens per successful operation; for percentiles, not for totals.",
            _MODEL_LABELS,
            buckets=buckets.operation_input_tokens,
            registry=registry,
        ),
        operation_output_tokens=Histogram(
            series.GEN_AI_OPERATION_OUTPUT_TOKENS,
            "Output tokens per successful operation; for percentiles, not for totals.",
            _MODEL_LABELS,
            buckets=buckets.operation_output_tokens,
            registry=registry,
        ),
    )


def _predictor_families(registry: CollectorRegistry, buckets: PredictorBuckets) -> PredictorFamilies:
    labels = (series.MODEL, series.MODEL_VERSION)
    return PredictorFamilies(
        predictions=Counter(
            series.PREDICTIONS,
            f"Predictions by how they ended: `{OK}`, or a reason of failure.",
            (*labels, series.OUTCOME),
            registry=registry,
        ),
        duration=Histogram(
            series.PREDICTION_DURATION,
            "Time of a prediction, failed ones included.",
            labels,
            buckets=buckets.request_duration,
            registry=registry,
        ),
        confidence=Histogram(
            series.PREDICTION_CONFIDENCE,
            "Confidence of the model in its answer.",
            labels,
            buckets=buckets.confidence,
            registry=registry,
        ),
    )
