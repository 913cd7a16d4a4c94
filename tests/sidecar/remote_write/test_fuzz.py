"""Whatever is written, the answer is 2xx or 4xx, and what is exposed stays readable."""

from __future__ import annotations

from typing import Any

import cramjam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.sidecar.conftest import Sidecar, metric
from tests.sidecar.remote_write.requests import AT, PATH, TYPES, packed

SETTINGS = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
NAMES = st.sampled_from(
    [
        "x",
        "x_total",
        "x_bucket",
        "x_sum",
        "x_count",
        "x_created",
        "x_info",
        "own",
        "own_total",
        "own_count",
        "own_created",
        "a:b",
        "up",
        "airis_events_total",
        "airis_sidecar_series",
        "python_info",
    ]
) | st.text(max_size=5)
LABELS = st.lists(
    st.tuples(
        st.sampled_from(["le", "quantile", "job", "__name__", "a"]) | st.text(max_size=3), st.text(max_size=5)
    ),
    max_size=3,
)
SAMPLES = st.lists(
    st.tuples(st.integers(AT - 5, AT + 5) | st.integers(-(2**63), 2**63 - 1), st.floats()), max_size=3
)
SERIES = st.tuples(
    st.builds(lambda name, rest: [("__name__", name), *rest], NAMES, LABELS),
    SAMPLES,
    st.fixed_dictionaries(
        {
            "_type": st.integers(0, 8),
            "_help": st.text(max_size=5),
            "_histograms": st.integers(0, 1),
            "_exemplars": st.lists(st.tuples(LABELS, st.floats()), max_size=2),
        }
    ),
)


@SETTINGS
@given(given_series=st.lists(SERIES, max_size=4), version=st.sampled_from([1, 2]))
def test_any_series(shared: Sidecar, given_series: list[Any], version: int) -> None:
    answer = shared.post(packed(version, *given_series), PATH, TYPES[version], Content_Encoding="snappy")
    assert answer.status_code in (204, 400), answer.text
    if version == 2:
        kept = int(answer.headers["X-Prometheus-Remote-Write-Samples-Written"])
        assert 0 <= kept <= sum(len(samples) for _, samples, _ in given_series)


@SETTINGS
@given(body=st.binary(max_size=100), version=st.sampled_from([1, 2]), packs=st.booleans())
def test_any_bytes(shared: Sidecar, body: bytes, version: int, packs: bool) -> None:
    sent = bytes(cramjam.snappy.compress_raw(body)) if packs else body
    answer = shared.post(sent, PATH, TYPES[version], Content_Encoding="snappy")
    assert answer.status_code in (204, 400, 413)


@pytest.fixture(autouse=True, scope="module")
def _readable_in_the_end(shared: Sidecar) -> Any:
    assert shared.post(metric(metric_name="own", metric_type="histogram")).status_code == 202
    yield
    assert list(text_string_to_metric_families(shared.metrics("application/openmetrics-text")))  # type: ignore[no-untyped-call]
