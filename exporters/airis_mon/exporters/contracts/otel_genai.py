"""OpenTelemetry GenAI client metrics: what `airis_mon.instrument` and OpenTelemetry SDKs expose."""

from airis_mon.exporters import series
from airis_mon.exporters.contracts.contract import Contract, Counter, Distribution, Requests

OTEL_GENAI = Contract(
    name="otel-genai",
    title="OpenTelemetry GenAI client metrics (airis_mon.instrument, OpenTelemetry SDKs)",
    requests=Requests(
        total=f"{series.GEN_AI_OPERATION_DURATION}_count",
        errors=f'{series.ERROR_TYPE}!=""',
    ),
    distributions={
        "request_duration": Distribution(
            series.GEN_AI_OPERATION_DURATION, "seconds", series.GEN_AI_DURATION_BUCKETS
        ),
        "time_to_first_token": Distribution(
            series.GEN_AI_TIME_TO_FIRST_CHUNK, "seconds", series.GEN_AI_DURATION_BUCKETS
        ),
        "time_per_output_token": Distribution(
            series.GEN_AI_TIME_PER_OUTPUT_CHUNK, "seconds", series.GEN_AI_DURATION_BUCKETS
        ),
        "operation_input_tokens": Distribution(
            series.GEN_AI_OPERATION_INPUT_TOKENS, "tokens", series.GEN_AI_TOKEN_BUCKETS
        ),
        "operation_output_tokens": Distribution(
            series.GEN_AI_OPERATION_OUTPUT_TOKENS, "tokens", series.GEN_AI_TOKEN_BUCKETS
        ),
    },
    counters={
        "input_tokens": Counter(series.GEN_AI_INPUT_TOKENS, "tokens"),
        "output_tokens": Counter(series.GEN_AI_OUTPUT_TOKENS, "tokens"),
    },
)
