"""vLLM's own metrics (v1 engine), under its own names.

vLLM counts only requests that ended with a reason; `abort` and `error` are the ones that failed a user. Its
boundaries are fixed in its code. `kv_cache_usage_perc` is a ratio in spite of its name.
"""

from airis_mon.exporters.contracts.contract import Contract, Counter, Distribution, Gauge, Requests

_FIRST_TOKEN = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0,
    80.0, 160.0, 640.0, 2560.0,
)  # fmt: skip
_PER_TOKEN = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
)  # fmt: skip
_REQUEST = (
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0,
    960.0, 1920.0, 7680.0,
)  # fmt: skip

VLLM = Contract(
    name="vllm",
    title="vLLM server metrics (v1 engine)",
    requests=Requests(total="vllm:request_success_total", errors='finished_reason=~"abort|error"'),
    distributions={
        "request_duration": Distribution("vllm:e2e_request_latency_seconds", "seconds", _REQUEST),
        "time_to_first_token": Distribution("vllm:time_to_first_token_seconds", "seconds", _FIRST_TOKEN),
        "time_per_output_token": Distribution("vllm:inter_token_latency_seconds", "seconds", _PER_TOKEN),
        "queue_time": Distribution("vllm:request_queue_time_seconds", "seconds", _REQUEST),
    },
    gauges={
        "kv_cache_usage": Gauge("vllm:kv_cache_usage_perc", "ratio"),
        "requests_running": Gauge("vllm:num_requests_running", "requests"),
        "requests_waiting": Gauge("vllm:num_requests_waiting", "requests"),
    },
    counters={
        "input_tokens": Counter("vllm:prompt_tokens_total", "tokens"),
        "output_tokens": Counter("vllm:generation_tokens_total", "tokens"),
    },
)
