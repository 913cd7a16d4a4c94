"""What one recorded operation leaves behind, whatever it is given, however many threads give it."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from airis_mon.exporters import series
from airis_mon.instrument import LLM, Instruments, Operation
from airis_mon.instrument.recorder import BATCH
from tests.instrument.conftest import Bench

DURATION = series.GEN_AI_OPERATION_DURATION


@pytest.fixture
def llm(bench: Bench) -> LLM:
    return bench.instruments.llm(model="llama", provider="openai")


def test_one_call_records_an_operation_whole(bench: Bench, llm: LLM) -> None:
    llm.record(1.5, 100, 11, 64, 8, 5, 0.5, 0.1, response_model="llama-3-70b-instruct")
    labels = {"gen_ai_response_model": "llama-3-70b-instruct"}
    assert bench.value(f"{DURATION}_sum", error_type="", **labels) == 1.5
    assert bench.value(f"{series.GEN_AI_TIME_TO_FIRST_CHUNK}_sum", **labels) == 0.5
    assert bench.value(f"{series.GEN_AI_TIME_PER_OUTPUT_CHUNK}_sum", **labels) == 0.1
    for name, tokens in (
        (series.GEN_AI_INPUT_TOKENS, 100),
        (series.GEN_AI_OUTPUT_TOKENS, 11),
        (series.GEN_AI_CACHE_READ_TOKENS, 64),
        (series.GEN_AI_CACHE_WRITE_TOKENS, 8),
        (series.GEN_AI_REASONING_TOKENS, 5),
    ):
        assert bench.value(name, gen_ai_token_modality="text", **labels) == tokens
    assert bench.value(f"{series.GEN_AI_OPERATION_INPUT_TOKENS}_sum", **labels) == 100


def test_a_call_states_parts_of_its_tokens_and_who_answered(bench: Bench, llm: LLM) -> None:
    with llm.call() as call:
        call.tokens(input=10, cached=7)
        call.tokens(output=4, reasoning=3, cached=-1)
        call.answered_by("llama-b")
    labels = {"gen_ai_response_model": "llama-b"}
    assert bench.value(series.GEN_AI_CACHE_READ_TOKENS, **labels) == 7
    assert bench.value(series.GEN_AI_REASONING_TOKENS, **labels) == 3
    assert bench.value(series.GEN_AI_CACHE_WRITE_TOKENS, **labels) is None


def test_a_server_has_the_names_and_boundaries_of_its_own(bench: Bench) -> None:
    server = bench.instruments.llm_server(model="llama", provider="vllm")
    with server.call() as call:
        bench.clock.advance(0.07)
        call.first_token()
        bench.clock.advance(1)
        call.tokens(output=11)
    assert bench.value(f"{series.GEN_AI_SERVER_TIME_TO_FIRST_TOKEN}_bucket", le="0.06") == 0
    assert bench.value(f"{series.GEN_AI_SERVER_TIME_TO_FIRST_TOKEN}_bucket", le="0.08") == 1
    assert bench.value(f"{series.GEN_AI_SERVER_TIME_PER_OUTPUT_TOKEN}_sum") == pytest.approx(0.1)
    assert bench.value(f"{series.GEN_AI_SERVER_REQUEST_DURATION}_count", error_type="") == 1
    assert bench.value(f"{DURATION}_count") is None


def test_thresholds_are_among_the_boundaries(bench: Bench) -> None:
    instruments = Instruments(registry=bench.registry, thresholds={"request_duration": (1.0, 2.0, 0.32)})
    instruments.llm(model="llama", provider="openai").record(1.0)
    bounds = [
        float(sample.labels["le"])
        for metric in bench.registry.collect()
        for sample in metric.samples
        if sample.name == f"{DURATION}_bucket"
    ]
    assert bounds == sorted({*series.GEN_AI_DURATION_BUCKETS, 1.0, 2.0, float("inf")})
    assert bench.value(f"{DURATION}_bucket", le="1.0") == 1


def test_a_threshold_of_no_distribution_is_refused() -> None:
    with pytest.raises(ValueError, match="no distribution is named `first_token`; known are confidence, "):
        Instruments(thresholds={"first_token": (1.0,)})


@given(
    st.lists(
        st.tuples(st.floats(0, 100), st.none() | st.integers(0, 10**6), st.sampled_from([None, "Timeout"])),
        max_size=30,
    )
)
def test_what_is_added_up_at_once_is_what_prometheus_client_counts_one_by_one(
    operations: list[tuple[float, int | None, str | None]],
) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    llm = Instruments(registry=ours).llm(model="m", provider="p")
    durations = Histogram("d", "d", ["error"], buckets=series.GEN_AI_DURATION_BUCKETS, registry=theirs)
    durations.labels("")
    tokens = Histogram("t", "t", buckets=series.GEN_AI_TOKEN_BUCKETS, registry=theirs)
    for duration, count, error in operations:
        llm.record(duration, count, error=error)
        durations.labels(error or "").observe(duration)
        if count is not None and error is None:
            tokens.observe(count)

    def read(registry: CollectorRegistry, name: str) -> dict[tuple[str, str, str], object]:
        return {
            (
                sample.name.removeprefix(name),
                sample.labels.get("error_type", sample.labels.get("error", "")),
                sample.labels.get("le", ""),
            ): pytest.approx(sample.value)
            for metric in registry.collect()
            for sample in metric.samples
            if sample.name.startswith(name) and not sample.name.endswith("_created")
        }

    assert read(ours, DURATION) == read(theirs, "d")
    assert read(ours, series.GEN_AI_OPERATION_INPUT_TOKENS) == read(theirs, "t")


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -1, "12", object(), 10**400, [3], None])
def test_what_is_no_measurement_is_left_out_and_breaks_nothing(bench: Bench, llm: LLM, odd: object) -> None:
    llm.record(0.5, 10, 10)
    for trace in (None, "f" * 32):
        llm.record(odd, odd, odd, odd, odd, odd, odd, odd, response_model=odd, trace_id=trace)  # type: ignore[arg-type]
    llm.record(0.5, 10, 10)
    assert bench.value(f"{DURATION}_sum", gen_ai_response_model="") == 1.0
    assert (
        bench.value(series.GEN_AI_INPUT_TOKENS, gen_ai_token_modality="text", gen_ai_response_model="") == 20
    )


def test_threads_lose_nothing_while_others_scrape(bench: Bench, llm: LLM) -> None:
    done = threading.Event()

    def work() -> None:
        for _ in range(5 * BATCH + 3):
            llm.record(0.5, 2, 3)

    def scrape() -> None:
        while not done.is_set():
            list(bench.registry.collect())

    scraper, *workers = [threading.Thread(target=target) for target in (scrape, *(work,) * 8)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in (scraper, *workers):
            thread.start()
        for thread in workers:
            thread.join()
    finally:
        sys.setswitchinterval(before)
        done.set()
    scraper.join()
    wanted = 8 * (5 * BATCH + 3)
    assert bench.value(f"{DURATION}_count", error_type="") == wanted
    assert bench.value(series.GEN_AI_OUTPUT_TOKENS) == 3 * wanted


def test_what_waits_is_bounded_where_nobody_scrapes(llm: LLM) -> None:
    for _ in range(10 * BATCH):
        llm.record(0.5, 2, 3)
    assert llm._recorder is not None
    assert len(llm._recorder.pending) < BATCH


def test_models_beyond_the_budget_fold_into_other_and_are_counted(bench: Bench) -> None:
    instruments = Instruments(registry=bench.registry, label_budget=2)
    for number in range(5):
        instruments.llm(model=f"model-{number}", provider="openai").record(1.0, 10)
    instruments.llm(model="model-0", provider="openai").record(1.0, 10)
    assert bench.value(series.GEN_AI_INPUT_TOKENS, gen_ai_request_model="model-0") == 20
    assert bench.value(series.GEN_AI_INPUT_TOKENS, gen_ai_request_model="other") == 30
    assert bench.value(series.INSTRUMENT_FOLDED, kind="llm") == 3
    assert bench.value(series.GEN_AI_INPUT_TOKENS) == 60


def test_answering_models_beyond_the_limit_fold_into_other(bench: Bench, llm: LLM) -> None:
    for number in range(100):
        llm.record(1.0, response_model=f"answering-{number}")
    assert bench.value(f"{DURATION}_count", gen_ai_response_model="other") == 50
    assert bench.value(f"{DURATION}_count") == 100


def test_a_disabled_instrument_records_nothing_and_leaves_functions_as_they_are() -> None:
    registry = CollectorRegistry()
    instruments = Instruments(registry=registry, enabled=False)

    def ask() -> str:
        return "yes"

    llm = instruments.llm(model="m", provider="p")
    assert llm.observe(ask) is ask
    assert instruments.predictor(model="m").observe(ask) is ask
    llm.record(1.0)
    with llm.call() as call:
        call.first_token()
    assert list(registry.collect()) == []


@pytest.fixture
def tracer() -> Iterator[TracerProvider]:
    provider = TracerProvider()
    yield provider
    provider.shutdown()


def test_the_active_trace_is_the_exemplar_of_the_duration(
    bench: Bench, llm: LLM, tracer: TracerProvider
) -> None:
    with tracer.get_tracer("test").start_as_current_span("chat") as span:
        llm.record(0.3)
    llm.record(5.0)
    text = generate_latest(bench.registry).decode()  # type: ignore[no-untyped-call]
    traced = [line for line in text.splitlines() if " # " in line]
    assert len(traced) == 1
    assert 'le="0.32"' in traced[0]
    assert f'# {{trace_id="{span.get_span_context().trace_id:032x}"}} 0.3 ' in traced[0]
    list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]


def test_a_trace_that_is_not_sampled_is_no_exemplar(bench: Bench, llm: LLM) -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF)
    with provider.get_tracer("test").start_as_current_span("chat"):
        llm.record(0.3)
    provider.shutdown()
    text = generate_latest(bench.registry).decode()  # type: ignore[no-untyped-call]
    assert " # " not in text.replace("# HELP", "").replace("# TYPE", "").replace("# EOF", "")


def test_a_sink_is_told_of_each_operation() -> None:
    told: list[Operation] = []

    class Sink:
        def offer(self, operation: Operation) -> None:
            told.append(operation)

    instruments = Instruments(registry=CollectorRegistry(), sink=Sink())
    llm = instruments.llm(model="m", provider="p", operation="embeddings")
    llm.record(1.0, 10, time_per_output_chunk=[0.1, 0.3], error="Timeout")
    instruments.predictor(model="digits", version="2").record(0.1, confidence=[0.9, float("nan"), 1.1])
    assert told[0]._replace(timestamp=0.0) == Operation(
        0.0, "embeddings", "p", "m", "", "", 1.0, None, 0.2, 10, None, None, None, None, "Timeout", (), ""
    )
    assert (told[1].operation, told[1].version, told[1].confidence) == ("predict", "2", (0.9, 1.0))


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_child_begins_at_zero_and_its_parent_goes_on(bench: Bench, llm: LLM) -> None:
    for _ in range(10):
        llm.record(1.0, 5)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        before = bench.value(series.GEN_AI_INPUT_TOKENS)
        llm.record(1.0, 7)
        os.write(writing, f"{before} {bench.value(series.GEN_AI_INPUT_TOKENS)}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        assert pipe.read() == "0.0 7.0"
    llm.record(1.0, 5)
    assert bench.value(series.GEN_AI_INPUT_TOKENS) == 55


def test_instruments_that_nobody_holds_are_let_go_of() -> None:
    instruments = Instruments(registry=CollectorRegistry())
    instruments.llm(model="m", provider="p").record(1.0)
    books = instruments._books
    del instruments
    gc.collect()
    assert [kept for kept in gc.get_referrers(books) if isinstance(kept, dict)] == []
