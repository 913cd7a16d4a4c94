from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy
import pytest
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.model_selection import cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from airis_mon.exporters import series
from airis_mon.instrument import Instruments
from airis_mon.instrument.estimators import observe_estimator
from tests.instrument.conftest import Bench

X, Y = load_iris(return_X_y=True)
CONFIDENCE = f"{series.PREDICTION_CONFIDENCE}_count"


def observed(bench: Bench, estimator: Any, **options: Any) -> Any:
    return observe_estimator(estimator, bench.instruments.predictor(model="iris", version="1"), **options)


@pytest.fixture
def fitted() -> Any:
    return LogisticRegression(max_iter=300).fit(X, Y)


def test_a_batch_is_one_prediction_and_each_row_has_its_confidence(bench: Bench, fitted: Any) -> None:
    model = observed(bench, fitted)
    assert numpy.array_equal(model.predict_proba(X), fitted.predict_proba(X))
    assert bench.value(series.PREDICTIONS, outcome="ok", model="iris", model_version="1") == 1
    assert bench.value(f"{series.PREDICTION_DURATION}_count") == 1
    assert bench.value(CONFIDENCE) == 150
    assert bench.value(f"{series.PREDICTION_CONFIDENCE}_sum") == pytest.approx(
        fitted.predict_proba(X).max(axis=1).sum()
    )


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(max_iter=300),
        RandomForestClassifier(5, n_jobs=2),
        RidgeClassifier(),
        make_pipeline(StandardScaler(), RidgeClassifier()),
        LinearRegression(),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_it_is_in_all_things_the_estimator_and_predicts_once(estimator: Any, bench: Bench) -> None:
    estimator.fit(X, Y)
    model = observed(bench, estimator)

    assert isinstance(model, type(estimator))
    assert repr(model) == repr(estimator)
    assert model.get_params(deep=False) == estimator.get_params(deep=False)
    assert is_classifier(model) == is_classifier(estimator)
    assert hasattr(model, "predict_proba") == hasattr(estimator, "predict_proba")
    assert numpy.array_equal(model.predict(X), estimator.predict(X))
    assert bench.value(series.PREDICTIONS, outcome="ok") == bench.value(series.PREDICTIONS) == 1


def test_a_forest_s_predict_tells_the_confidence_of_the_probabilities_that_it_asked_for(bench: Bench) -> None:
    observed(bench, RandomForestClassifier(5).fit(X, Y)).predict(X)
    assert bench.value(series.PREDICTIONS) == 1
    assert bench.value(CONFIDENCE) == 150


@pytest.mark.parametrize(("rows", "kept"), [(0, 0), (1, 1), (50, 50), (40, 38), (1000, 150)])
def test_of_a_large_batch_an_even_selection_of_rows_has_its_confidence_kept(
    rows: int, kept: int, bench: Bench, fitted: Any
) -> None:
    observed(bench, fitted, rows=rows).predict_proba(X)
    assert (bench.value(CONFIDENCE) or 0) == kept


def test_an_exception_passes_and_is_an_outcome(bench: Bench) -> None:
    model = observed(bench, LogisticRegression())
    with pytest.raises(NotFittedError):
        model.predict(X)
    assert bench.value(series.PREDICTIONS, outcome="NotFittedError") == 1


def test_what_training_and_scoring_predict_is_no_prediction(bench: Bench) -> None:
    model = observed(bench, MLPClassifier((4,), early_stopping=True, max_iter=400, random_state=1))
    assert model.fit(X, Y) is model
    model.score(X, Y)
    assert bench.value(series.PREDICTIONS) == 0
    model.predict(X)
    assert bench.value(series.PREDICTIONS) == 1


def test_copies_and_clones_and_what_is_pickled_are_the_plain_estimator(bench: Bench, fitted: Any) -> None:
    model = observed(bench, fitted)
    dumps = [pickle.dumps(model, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    assert not [dump for dump in dumps if b"airis_mon" in dump]
    for other in (copy.copy(model), copy.deepcopy(model), *map(pickle.loads, dumps)):
        assert type(other) is LogisticRegression
        assert numpy.array_equal(other.predict(X), fitted.predict(X))
    assert type(clone(model)) is LogisticRegression
    assert not hasattr(clone(model), "coef_")
    cross_val_score(model, X, Y, cv=2)
    assert bench.value(series.PREDICTIONS) == 0
    observed(bench, model).predict(X)
    assert bench.value(series.PREDICTIONS) == 1


def test_the_estimator_itself_is_left_alone(bench: Bench, fitted: Any) -> None:
    before = dict(vars(fitted))
    observed(bench, fitted)
    fitted.predict(X)
    assert vars(fitted) == before
    assert type(fitted) is LogisticRegression
    assert bench.value(series.PREDICTIONS) == 0


def test_threads_that_predict_at_once_are_told_apart(bench: Bench) -> None:
    model = observed(bench, RandomForestClassifier(2).fit(X, Y))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: model.predict(X[:5]), range(40)))
    assert bench.value(series.PREDICTIONS) == 40
    assert bench.value(CONFIDENCE) == 200


def test_probabilities_of_another_shape_have_no_confidence(bench: Bench) -> None:
    both = numpy.stack([Y, Y], axis=1)
    observed(bench, MultiOutputClassifier(LogisticRegression(max_iter=300)).fit(X, both)).predict_proba(X)
    assert bench.value(series.PREDICTIONS, outcome="ok") == 1
    assert (bench.value(CONFIDENCE) or 0) == 0


class Odd:
    """Answers with what looks like probabilities and is none."""

    ndim = 2

    def predict_proba(self, rows: object) -> Odd:
        return self

    def __len__(self) -> int:
        return 1


def test_an_odd_answer_is_logged_once_and_comes_through(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    model = observed(bench, Odd())
    assert [model.predict_proba([]) is model for _ in range(3)] == [True] * 3
    assert len(caplog.records) == 1
    assert bench.value(series.PREDICTIONS, outcome="ok") == 3


class Slotted:
    __slots__ = ("weight",)

    def predict(self, rows: object) -> int:
        return 1


def test_what_cannot_be_observed_is_refused_with_what_to_do(bench: Bench) -> None:
    with pytest.raises(TypeError, match=r"type dict has neither .*decorate"):
        observed(bench, {})
    with pytest.raises(TypeError, match=r"type Slotted cannot be observed .*wrap its method"):
        observed(bench, Slotted())
    with pytest.raises(ValueError, match="rows=-1: write 0"):
        observed(bench, LogisticRegression(), rows=-1)


def test_a_disabled_instrument_gives_the_estimator_itself_back(bench: Bench, fitted: Any) -> None:
    predictor = Instruments(registry=bench.registry, enabled=False).predictor(model="iris")
    assert observe_estimator(fitted, predictor) is fitted
