from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from airis_mon.exporters import series
from airis_mon.exporters.contracts import CONTRACTS
from airis_mon.instrument import Instruments, Predictor, PredictorBuckets
from tests.instrument.conftest import Bench


@pytest.fixture
def digits(bench: Bench) -> Predictor:
    return bench.instruments.predictor(model="digits", version="1.2.0")


def test_a_prediction_is_counted_timed_and_its_confidence_kept(bench: Bench, digits: Predictor) -> None:
    with digits.call() as call:
        bench.clock.advance(0.02)
        call.confidence(0.97)
    labels = {"model": "digits", "model_version": "1.2.0"}
    assert bench.value(series.PREDICTIONS, outcome="ok", **labels) == 1
    assert bench.value(f"{series.PREDICTION_DURATION}_sum", **labels) == pytest.approx(0.02)
    assert bench.value(f"{series.PREDICTION_CONFIDENCE}_sum", **labels) == 0.97


def test_failures_are_outcomes_and_no_ok(bench: Bench, digits: Predictor) -> None:
    with pytest.raises(ZeroDivisionError), digits.call():
        raise ZeroDivisionError
    with digits.call() as call:
        call.fail("timeout")
    assert bench.value(series.PREDICTIONS, outcome="ZeroDivisionError") == 1
    assert bench.value(series.PREDICTIONS, outcome="timeout") == 1
    assert bench.value(series.PREDICTIONS, outcome="ok") == 0
    assert bench.value(f"{series.PREDICTION_DURATION}_count") == 2


@pytest.mark.parametrize(
    ("value", "total", "count"), [(1.0000001, 1.0, 1), (-0.1, 0.0, 1), (float("nan"), 0.0, 0)]
)
def test_a_confidence_out_of_range_never_raises(
    bench: Bench, digits: Predictor, value: float, total: float, count: int
) -> None:
    with digits.call() as call:
        call.confidence(value)
    assert bench.value(f"{series.PREDICTION_CONFIDENCE}_sum") == total
    assert bench.value(f"{series.PREDICTION_CONFIDENCE}_count") == count


def test_an_observed_function_gives_one_confidence_or_one_per_row(bench: Bench, digits: Predictor) -> None:
    @digits.observe(confidence=lambda result: result)
    def one() -> float:
        return 0.5

    @digits.observe(confidence=lambda result: result)
    def rows() -> list[float]:
        return [0.25, 0.75]

    assert (one(), rows()) == (0.5, [0.25, 0.75])
    assert bench.value(series.PREDICTIONS, outcome="ok") == 2
    assert bench.value(f"{series.PREDICTION_CONFIDENCE}_count") == 3


def test_bucket_fields_are_named_as_the_contract_s_distributions() -> None:
    assert set(PredictorBuckets.__dataclass_fields__) == set(CONTRACTS["airis"].distributions)


def test_labels_are_counted_when_they_come(bench: Bench, digits: Predictor) -> None:
    digits.labelled()
    assert bench.value(series.LABELLED_PREDICTIONS) == 0
    digits.labelled(right=3, wrong=1)
    digits.labelled(wrong=-1)
    for _ in range(3000):
        digits.labelled(right=1)
    labels = {"model": "digits", "model_version": "1.2.0"}
    assert bench.value(series.LABELLED_PREDICTIONS, correct="true", **labels) == 3003
    assert bench.value(series.LABELLED_PREDICTIONS, correct="false", **labels) == 1
    assert bench.value(series.PREDICTIONS, **labels) == 0


def test_nobody_is_told_of_labels_that_never_came(bench: Bench, digits: Predictor) -> None:
    with digits.call():
        pass
    assert not [
        sample
        for metric in bench.registry.collect()
        for sample in metric.samples
        if sample.name == series.LABELLED_PREDICTIONS
    ]


def test_a_disabled_predictor_takes_labels_and_keeps_none() -> None:
    Instruments(registry=CollectorRegistry(), enabled=False).predictor(model="digits").labelled(right=1)
