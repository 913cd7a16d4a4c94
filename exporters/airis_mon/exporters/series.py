"""Every series that our instrumentation publishes: names, labels, buckets. Spelled here and nowhere else.

LLM traffic follows the OpenTelemetry GenAI conventions, translated to Prometheus by the default strategy
(`UnderscoreEscapingWithSuffixes`); other models use names of our own.
"""

from __future__ import annotations

# OpenTelemetry GenAI metrics (https://github.com/open-telemetry/semantic-conventions-genai, Development)
GEN_AI_OPERATION_DURATION = "gen_ai_client_operation_duration_seconds"
GEN_AI_TIME_TO_FIRST_CHUNK = "gen_ai_client_operation_time_to_first_chunk_seconds"
GEN_AI_TIME_PER_OUTPUT_CHUNK = "gen_ai_client_operation_time_per_output_chunk_seconds"
GEN_AI_INPUT_TOKENS = "gen_ai_client_inference_usage_input_tokens_total"
GEN_AI_OUTPUT_TOKENS = "gen_ai_client_inference_usage_output_tokens_total"
GEN_AI_CACHE_READ_TOKENS = "gen_ai_client_inference_usage_cache_read_input_tokens_total"
GEN_AI_CACHE_WRITE_TOKENS = "gen_ai_client_inference_usage_cache_write_input_tokens_total"
GEN_AI_REASONING_TOKENS = "gen_ai_client_inference_usage_reasoning_output_tokens_total"
GEN_AI_OPERATION_INPUT_TOKENS = "gen_ai_client_inference_operation_input_tokens"
GEN_AI_OPERATION_OUTPUT_TOKENS = "gen_ai_client_inference_operation_output_tokens"

# The same, as a server of models sees it
GEN_AI_SERVER_REQUEST_DURATION = "gen_ai_server_request_duration_seconds"
GEN_AI_SERVER_TIME_TO_FIRST_TOKEN = "gen_ai_server_time_to_first_token_seconds"
GEN_AI_SERVER_TIME_PER_OUTPUT_TOKEN = "gen_ai_server_time_per_output_token_seconds"

# Labels of LLM traffic
GEN_AI_OPERATION_NAME = "gen_ai_operation_name"
GEN_AI_PROVIDER_NAME = "gen_ai_provider_name"
GEN_AI_REQUEST_MODEL = "gen_ai_request_model"
GEN_AI_RESPONSE_MODEL = "gen_ai_response_model"
"""The model that answered, where the answer names it; empty, which is absent to Prometheus, where not."""
GEN_AI_TOKEN_MODALITY = "gen_ai_token_modality"
ERROR_TYPE = "error_type"

# Recommended boundaries of the same conventions: seconds, and tokens.
GEN_AI_DURATION_BUCKETS = (
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
)  # fmt: skip
GEN_AI_FIRST_TOKEN_BUCKETS = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
)  # fmt: skip
GEN_AI_OUTPUT_TOKEN_BUCKETS = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5,
)  # fmt: skip
GEN_AI_TOKEN_BUCKETS = (
    1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864,
)  # fmt: skip

# Classifiers and other models
PREDICTIONS = "airis_predictions_total"
LABELLED_PREDICTIONS = "airis_labelled_predictions_total"
"""Predictions whose true answer has become known, by `correct`; counted when that comes."""
FEATURE_BINS = "airis_feature_bin_total"
"""Values of features by `feature` and `bin`, where the model has a reference; each bin is there from the
start, at zero. Counters, so that any processes and any time add up."""
UNKNOWN_FEATURES = "airis_feature_unknown_total"
"""Values of features that the reference does not have; counted, not named."""
PREDICTION_DURATION = "airis_prediction_duration_seconds"
PREDICTION_CONFIDENCE = "airis_prediction_confidence"

# Labels of other models
MODEL = "model"
MODEL_VERSION = "model_version"
OUTCOME = "outcome"
"""`ok`, or a bounded reason of failure; never the predicted class."""

FEATURE = "feature"
"""Name of a feature, out of the reference."""
BIN = "bin"
"""`(18, 25]` of a number, a category of a text, `other`, or `missing`; out of the reference."""

CORRECT = "correct"
"""`true` or `false`: whether the prediction was the true answer."""

PREDICTION_DURATION_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
PREDICTION_CONFIDENCE_BUCKETS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)

# Money
COST = "airis_cost_total"
"""What calls cost, by `currency`, as far as their price is known."""
UNPRICED_TOKENS = "airis_unpriced_tokens_total"
"""Tokens whose price nobody knows: they are missing from the costs, and are never taken for free."""

# Labels of money
CURRENCY = "currency"
"""Three letters, such as `USD`."""

# What the instruments say of themselves
INSTRUMENT_FOLDED = "airis_instrument_folded_total"
"""Operations whose labels were folded into `other`, by `kind`: there were more than the budget allows."""
INSTRUMENT_SENT = "airis_instrument_sent_operations_total"
"""Operations that a sidecar has acknowledged."""
INSTRUMENT_DROPPED = "airis_instrument_dropped_operations_total"
"""Operations that no sidecar has counted, by `reason`: `full`, `spool_full`, `refused`."""
INSTRUMENT_WAITING = "airis_instrument_waiting_operations"
"""Operations that are yet to be sent, on disk or in memory."""

# Events taken in over HTTP
EVENTS = "airis_events_total"

# Logs taken in
LOG_RECORDS = "airis_log_records_total"
"""Log records by `source` and `result`: whether a declared pattern matched. They survive a restart."""
LOG_POSITION = "airis_log_file_position_bytes"
"""How far a tailed file was read, by `path` and `file`; kept with what was counted, for a restart."""

# Labels of tailed files
LOG_PATH = "path"
LOG_FILE = "file"

# Labels of events
EVENT_TYPE = "event_type"
SEVERITY = "severity"
SOURCE = "source"

# The sidecar's own
SIDECAR_ITEMS = "airis_sidecar_items_total"
"""Metrics and events taken in, by `kind` and `result`."""
SIDECAR_ITEM_ERRORS = "airis_sidecar_item_errors_total"
"""Refused items by `kind` and `reason`."""
SIDECAR_DUPLICATES = "airis_sidecar_duplicate_batches_total"
"""Batches that had come before, by their producer's numbering, and were not counted again."""
SIDECAR_SERIES = "airis_sidecar_series"
"""Label sets that are kept; a histogram's counts once."""
SIDECAR_SERIES_LIMIT = "airis_sidecar_series_limit"
SIDECAR_METRICS = "airis_sidecar_metrics"
"""Metric names that are kept."""
SIDECAR_JOURNAL_DURABLE = "airis_sidecar_journal_durable"
"""1 where what is acknowledged survives a restart."""
SIDECAR_JOURNAL_PENDING_BYTES = "airis_sidecar_journal_pending_bytes"
"""Accepted bytes that wait for the disk, and for which no answer was given yet."""
SIDECAR_JOURNAL_RECORDS = "airis_sidecar_journal_records_total"
"""Records of the journal since its folder was made; a batch is one."""
SIDECAR_JOURNAL_CORRUPT = "airis_sidecar_journal_corrupt_records_total"
"""Places where the disk had damaged a record, found at the start; what they held is lost."""
SIDECAR_JOURNAL_USABLE = "airis_sidecar_journal_usable"
"""0 once the disk has failed twice in a row: the process then ends, to be started anew."""
SIDECAR_SNAPSHOT_FAILURES = "airis_sidecar_snapshot_failures_total"
"""Snapshots that could not be written; nothing is lost by it, but a start takes longer."""
SIDECAR_EXPIRED = "airis_sidecar_series_expired_total"
"""Series that were removed because nothing came for them within --series.ttl."""

SIDECAR_EVENT_STORE_UP = "airis_sidecar_event_store_up"
"""1 where the store of events answers; while it does not, the journal keeps what it lacks."""
SIDECAR_EVENT_STORE_BEHIND = "airis_sidecar_event_store_behind_records"
"""Records of the journal that are not yet in the store of events."""
SIDECAR_EVENTS_DROPPED = "airis_sidecar_events_dropped_total"
"""Events that never reached the store: without --storage.path nothing but memory holds them."""
SIDECAR_LOG_LAG = "airis_sidecar_log_lag_bytes"
"""Bytes of tailed files that are yet to be read."""
SIDECAR_LOG_FILES = "airis_sidecar_log_files"
"""Tailed files that are open."""

# Labels of the sidecar's own
KIND = "kind"
RESULT = "result"
REASON = "reason"

# Boundaries for histograms of values that come over HTTP, by base unit: a sender names none of its own.
BYTE_BUCKETS = tuple(1024 * 4**power for power in range(13))
RATIO_BUCKETS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
DECADE_BUCKETS = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)
