"""The text of series, held to prometheus-client's, byte for byte."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from airis_mon.sidecar.aggregates import Aggregates
from airis_mon.sidecar.entries import Batch
from airis_mon.sidecar.exposition import SLICE, Exposition
from airis_mon.sidecar.limits import Limits
from airis_mon.sidecar.series import Exemplar, Family, Kind
from airis_mon.sidecar.translation import Update
from tests.sidecar.conftest import Sidecar, metric

FAMILIES = [
    Family("a_counter", "counter", 'With "quotes", \\ and\nlines'),
    Family("a_gauge", "gauge", "Plain."),
    Family("an_unknown", "unknown", "Who knows."),
    Family("a_histogram", "histogram", "Seconds.", (0.005, 1.0, 2.5e7)),
]
NAMES = ("a", "kind", "le_", "lf", "source", "z")

values = st.one_of(
    st.floats(0, 1e100), st.integers(0, 2**53).map(float), st.sampled_from([0.0, 1e-7, 999_999.0, 1e6, 1e21])
)
labels = st.dictionaries(st.sampled_from(NAMES), st.text(min_size=1, max_size=8)).map(
    lambda pairs: tuple(sorted(pairs.items()))
)
exemplars = st.none() | st.builds(
    Exemplar,
    st.dictionaries(st.sampled_from(("trace_id", "span_id")), st.text(max_size=60)).map(
        lambda pairs: tuple(sorted(pairs.items()))
    ),
    st.floats(0, 1e9),
    st.floats(1e9, 2e9),
)
Change = tuple[Family, tuple[tuple[str, str], ...], float, Exemplar | None]
updates = st.lists(st.tuples(st.sampled_from(FAMILIES), labels, values, exemplars), max_size=30)


def filled(changes: Sequence[Change]) -> Aggregates:
    aggregates = Aggregates(Limits())
    batch = Batch()
    for family, pairs, value, exemplar in changes:
        kept = min(value, 2.0**40) if family.kind == "counter" else value
        update = Update(family, pairs, kept, 0.0, exemplar)
        batch.add(aggregates.admit(update), update)
    batch.apply(aggregates, 1, 0.0)
    return aggregates


def registry(aggregates: Aggregates) -> CollectorRegistry:
    made = CollectorRegistry()
    made.register(aggregates)
    return made


@given(updates)
def test_it_is_what_prometheus_client_writes(
    changes: list[Change],
) -> None:
    aggregates = filled(changes)
    exposition = Exposition(aggregates)
    for _ in range(2):  # the second time from what was kept
        text = "".join(exposition.slices(False, ()))
        assert text.encode() == generate_latest(registry(aggregates))
        openmetrics = "".join(exposition.slices(True, ())) + "# EOF\n"
        assert openmetrics.encode() == generate_openmetrics(registry(aggregates))  # type: ignore[no-untyped-call]
    # The strict parser refuses carriage returns of its own accord, and takes a quote for the exemplar's end.
    told = [text for *_, exemplar in changes if exemplar for _, text in exemplar.labels]
    if "\r" not in openmetrics and not any(mark in text for text in told for mark in '"\\\n'):
        list(text_string_to_metric_families(openmetrics))  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("kind", ["counter", "histogram"])
def test_many_series_come_in_slices(kind: Kind) -> None:
    family = Family("many", kind, "Many.", (1.0, 2.0) if kind == "histogram" else ())
    aggregates = filled([(family, (("n", str(number)),), 1.5, None) for number in range(3 * SLICE + 1)])
    slices = list(Exposition(aggregates).slices(False, ()))
    assert len(slices) == 1 + 4
    assert "".join(slices).encode() == generate_latest(registry(aggregates))


def test_names_that_are_asked_for_come_alone(fresh: Sidecar) -> None:
    fresh.post([metric(metric_type="histogram", metric_name="took"), metric(metric_name="other")])
    text = requests.get(f"{fresh.url}/metrics?name[]=took_count", timeout=10).text
    assert text == (
        "# HELP took Sent to /v1/metrics as histogram.\n# TYPE took histogram\n"
        'took_count{source="tests"} 1.0\n'
    )


@pytest.mark.parametrize("accept", ["text/plain", "application/openmetrics-text; version=1.0.0"])
def test_the_page_holds_what_was_sent_and_what_the_process_says_of_itself(
    fresh: Sidecar, accept: str
) -> None:
    fresh.post([metric(metric_type="counter", tags={"q": 'a"b\\c\nd'})])
    text = fresh.metrics(accept)
    assert 'thing_total{q="a\\"b\\\\c\\nd",source="tests"} 1.0\n' in text
    assert "airis_sidecar_items_total" in text
    assert text.endswith("# EOF\n") == ("openmetrics" in accept)
