"""Forecasters of statsmodels beside our own: what they say, what they know, and what there is time for."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry
from statsmodels.tsa.forecasting.stl import STLForecast
from statsmodels.tsa.forecasting.theta import ThetaModel
from statsmodels.tsa.holtwinters import ExponentialSmoothing
from statsmodels.tsa.statespace.sarimax import SARIMAX
from threadpoolctl import threadpool_info

from airis_mon.analyzer.config import Configuration, Query
from airis_mon.analyzer.cycle import Cycle
from airis_mon.analyzer.forecasting import statistical
from airis_mon.analyzer.forecasting.candidates import NONE, Candidates, Fate, Plan
from airis_mon.analyzer.forecasting.outlook import Attempts, outlook
from airis_mon.analyzer.forecasting.past import Past
from airis_mon.analyzer.forecasting.seasons import Seasons
from airis_mon.analyzer.forecasting.statistical import tried
from airis_mon.analyzer.methods.cells import DAY, HOUR
from airis_mon.analyzer.metrics import Metrics
from airis_mon.analyzer.query.fake import MemoryQuerier
from airis_mon.analyzer.rounds import Rounds
from airis_mon.analyzer.schedule import Schedule
from airis_mon.analyzer.storage import Storage
from airis_mon.remote_write import Sample, WriteResult
from airis_mon.remote_write.fake import MemoryWriter
from airis_mon.spec import CANDIDATES, Candidate

Floats = NDArray[np.float64]
ALL = Plan(CANDIDATES, 2)


def course(count: int, season: int = 12, seed: int = 0) -> Floats:
    """A season around a level that wanders and rises."""
    chance = np.random.default_rng(seed)
    at = np.arange(count)
    wave = 4 * np.sin(2 * np.pi * at / season) if season else 0.0
    return np.asarray(50 + 0.2 * at + wave + np.cumsum(chance.normal(0, 0.4, count)))


def past(values: Floats, season: int = 12, horizon: int = 8) -> Past:
    return Past(values[None], values[None], Seasons(season), np.arange(1, horizon + 1))


def theirs(values: Floats, name: Candidate, season: int, horizon: int) -> Floats:
    """What statsmodels' own forecast says."""
    if name == "arima":
        return np.asarray(SARIMAX(values, order=(1, 1, 1)).fit(disp=0).forecast(horizon))
    if name == "stl":
        arguments = {"order": (1, 1, 1)}
        found = STLForecast(values, SARIMAX, model_kwargs=arguments, period=season)
        return np.asarray(found.fit(fit_kwargs={"disp": 0}).forecast(horizon))
    if name == "theta":
        model = ThetaModel(values, period=season or None, deseasonalize=season > 0, method="additive")
        return np.asarray(model.fit().forecast(horizon))
    model = ExponentialSmoothing(
        values,
        trend="add",
        damped_trend=name == "ets_damped",
        seasonal="add" if season else None,
        seasonal_periods=season or None,
        initialization_method="heuristic",
    )
    return np.asarray(model.fit().forecast(horizon))


@pytest.mark.parametrize("name", CANDIDATES)
@pytest.mark.parametrize("season", [0, 12])
def test_what_a_candidate_says_is_what_statsmodels_says(name: Candidate, season: int) -> None:
    values = course(100, season)
    found, (fate,) = tried(past(values, season), values[None], name, 2)
    if name == "stl" and not season:
        assert fate is Fate.NO_SEASON
        assert np.isnan(found).all()
        return
    assert fate is Fate.TRIED
    np.testing.assert_allclose(found[0, -1], theirs(values, name, season, 8), rtol=0.02)


@pytest.mark.parametrize("name", CANDIDATES)
def test_no_trial_knows_what_came_after_its_start(name: Candidate) -> None:
    values = course(60)
    other = values.copy()
    other[50:] += 30
    starts = past(values).starts
    before, after = (tried(past(one), one[None], name, 2)[0][0] for one in (values, other))
    known = starts < 50
    np.testing.assert_array_equal(before[known], after[known])
    assert not np.allclose(before[~known], after[~known])


def test_a_trend_over_a_short_past_is_told_better() -> None:
    noise = np.random.default_rng(1).normal(0, 1.0, (3, 52))
    rows = 20 + 1.5 * np.arange(52) + noise
    known, truth = rows[:, :40], rows[:, 40:]
    plans = Plan(("ets_damped", "theta"), 2), NONE
    with_them, without = (outlook(known, HOUR, 12, 0.95, plan=plan).mean for plan in plans)
    assert np.abs(with_them - truth).mean() < 0.8 * np.abs(without - truth).mean()


def test_what_cannot_be_fitted_changes_nothing() -> None:
    # Constant before its trials begin, so that nothing can be learnt there; no season, no season to take out.
    values = np.concatenate([np.full(40, 5.0), course(20, 0)])
    attempts = Attempts.of(past(values, 0), plan=ALL)
    assert set(attempts.fates[0].tolist()) <= {Fate.CONSTANT, Fate.NO_SEASON}
    with_them, without = (outlook(values[None], HOUR, 8, 0.95, plan=plan) for plan in (ALL, NONE))
    np.testing.assert_array_equal(with_them.mean, without.mean)
    np.testing.assert_array_equal(with_them.upper, without.upper)


def test_a_past_too_short_to_fit_changes_nothing() -> None:
    values = course(20, 0)
    assert set(Attempts.of(past(values, 0), plan=ALL).fates[0].tolist()) <= {Fate.SHORT, Fate.NO_SEASON}
    with_them, without = (outlook(values[None], HOUR, 8, 0.95, plan=plan).mean for plan in (ALL, NONE))
    np.testing.assert_array_equal(with_them, without)


def test_a_series_is_forecast_alike_alone_and_among_others() -> None:
    rows = np.stack([course(60, 0, 1), np.concatenate([np.full(40, 5.0), course(20, 0)]), course(60, 0, 2)])
    plan = Plan(("ets_damped", "theta"), 2)
    together = outlook(rows, HOUR, 6, 0.95, plan=plan)
    for n, row in enumerate(rows):
        alone = outlook(row[None], HOUR, 6, 0.95, plan=plan)
        np.testing.assert_allclose(together.mean[n], alone.mean[0], rtol=1e-12)


@pytest.mark.parametrize(
    "values",
    [
        np.resize([-1e-290, 1e-290, 3e-290], 60),
        np.concatenate([np.zeros(30), np.full(30, 1e9)]),
        np.concatenate([np.linspace(0, 1, 59), [1e12]]),
        -np.exp(np.arange(60) / 2.0),
    ],
    ids=["tiny", "a step", "a spike", "exponential"],
)
def test_whatever_an_optimiser_trips_over_the_forecast_is_finite_and_in_order(values: Floats) -> None:
    found = outlook(values[None], HOUR, 6, 0.95, plan=Plan(CANDIDATES, 1))
    assert np.isfinite(found.mean).all()
    assert (found.lower <= found.mean).all()
    assert (found.mean <= found.upper).all()


@pytest.mark.parametrize("name", ["ets", "ets_damped", "arima", "theta"])
def test_what_cannot_be_fitted_is_told(name: Candidate) -> None:
    rows = np.stack([np.resize([-1e200, 1e200, 3e200], 60), course(60, 0)])
    found, fates = tried(Past(rows, rows, Seasons(), np.arange(1, 4)), rows, name, 1)
    assert fates == [Fate.FAILED, Fate.TRIED]
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()


def test_what_runs_away_stays_within_what_is_possible() -> None:
    values = np.exp(np.arange(60) / 4.0)
    found = outlook(values[None], HOUR, 48, 0.95, plan=Plan(("ets", "theta"), 1))
    assert np.isfinite(found.upper).all()
    assert (found.mean <= values.max() * 1.5).all()


def test_a_season_that_has_not_passed_twice_is_not_used() -> None:
    values = course(60, 30)
    found, _ = tried(past(values, 30), values[None], "ets", 1)
    plain, _ = tried(past(values, 0), values[None], "ets", 1)
    assert found.shape == plain.shape or np.isfinite(found).all()
    assert tried(past(values, 30), values[None], "stl", 1)[1] == [Fate.NO_SEASON]


def test_the_less_time_there_is_the_fewer_origins_and_at_last_the_fewer_candidates() -> None:
    plans = [Candidates(CANDIDATES, seconds).plan([100] * 10) for seconds in (30, 6, 3, 1, 0.001)]
    assert plans[0] == Plan(CANDIDATES, 4)
    tried_at = [len(plan.names) * plan.origins for plan in plans]
    assert tried_at == sorted(tried_at, reverse=True)
    assert plans[-1] == Plan((), 1, CANDIDATES)
    assert all((*plan.names, *plan.left_out) == CANDIDATES for plan in plans)
    assert [plan for plan in plans if plan.names and plan.left_out]


@given(
    st.lists(st.sampled_from(CANDIDATES), unique=True, max_size=5),
    st.floats(1, 30),
    st.lists(st.integers(1, 50_000), max_size=50),
)
def test_a_longer_past_and_more_series_never_get_more(
    names: list[Candidate], seconds: float, pasts: list[int]
) -> None:
    asked = Candidates(tuple(names), seconds)
    plan, more = asked.plan(pasts), asked.plan([*pasts, 1000])
    assert (*plan.names, *plan.left_out) == asked.names
    assert (len(more.names), more.origins) <= (len(plan.names), plan.origins) or more.names < plan.names


NOW = 1_700_000_000.0
QUERY = Query(
    "chat", "llama", "load", "load", history=DAY, horizons=(HOUR,), score=False, by=("pod",),
    candidates=((HOUR, Candidates(("theta", "stl", "ets"), 0.25)),),
)  # fmt: skip
SCHEDULE = Schedule(interval=60, step=300, fit_interval=600)


def rising(at: NDArray[np.int64]) -> Floats:
    # A function of time alone: whoever asks for a moment gets the same value.
    since = at - (NOW - 5 * HOUR)
    return np.where(since < 0, np.nan, 5 + since / HOUR + 0.3 * np.sin((at % 100_003) ** 2 * 1e-3))


def querier() -> MemoryQuerier:
    labels = (("__name__", "load"), ("pod", "a")), (("__name__", "load"), ("pod", "b"))
    return MemoryQuerier({"load": {labels[0]: rising, labels[1]: lambda at: 3 * rising(at)}}, NOW)


def test_what_became_of_candidates_is_told_once_and_published(caplog: pytest.LogCaptureFixture) -> None:
    registry = CollectorRegistry()
    source = querier()
    cycle = Cycle(source, MemoryWriter(), SCHEDULE)
    log = logging.getLogger("candidates")
    rounds = Rounds(cycle, SCHEDULE, Configuration((QUERY,)), Metrics(registry), log)
    for _ in range(2):
        rounds.run(_Once())  # type: ignore[arg-type]
        source.time += 60
    about = {"monitor": "chat", "for": "load", "horizon": "1h"}
    for candidate, result in (("theta", "tried"), ("stl", "no_season"), ("ets", "budget")):
        labels = {**about, "candidate": candidate, "result": result}
        assert registry.get_sample_value("airis_analyzer_candidate_series", labels) == 2.0
    (told,) = [record for record in caplog.records if record.message == "candidates left out"]
    assert "stl over 1h: left out, for no season passed twice, on 2 series" in told.__dict__["candidates"]


class _Once:
    """Lets one round happen."""

    def __init__(self) -> None:
        self._asked = 0

    def is_set(self) -> bool:
        self._asked += 1
        return self._asked > 1

    def wait(self, seconds: float) -> None:
        """Do not."""


def test_two_analyzers_write_the_same_with_candidates() -> None:
    writers = [MemoryWriter(), MemoryWriter()]
    for writer in writers:
        Cycle(querier(), writer, SCHEDULE).run([QUERY])
    without = MemoryWriter()
    Cycle(querier(), without, SCHEDULE).run([replace(QUERY, candidates=())])
    assert writers[0].samples == writers[1].samples
    assert [it.labels for it in writers[0].samples] == [it.labels for it in without.samples]
    assert writers[0].samples != without.samples


def test_others_are_written_before_candidates_are_tried() -> None:
    order: list[set[str]] = []

    class Watching(MemoryWriter):
        def write(self, samples: Iterable[Sample]) -> WriteResult:
            written = list(samples)
            order.append({dict(sample.labels)["for"] for sample in written})
            return super().write(written)

    plain = replace(QUERY, signal="plain", candidates=())
    Cycle(querier(), Watching(), SCHEDULE).run([QUERY, plain])
    assert order == [{"plain"}, {"load"}]


def test_a_restart_goes_on_from_what_was_foreseen_with_candidates_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = replace(QUERY, horizons=(6 * HOUR,), candidates=((6 * HOUR, Candidates(("theta",), 5.0)),))
    calls: list[str] = []
    theirs = statistical.tried

    def counted(past: Past, values: Floats, name: Candidate, count: int) -> tuple[Floats, list[Fate]]:
        calls.append(name)
        return theirs(past, values, name, count)

    monkeypatch.setattr(statistical, "tried", counted)

    def judged(folder: Path | None) -> MemoryWriter:
        writer = MemoryWriter()
        storage = None if folder is None else Storage(folder, lambda _result, _text: None)
        Cycle(source, writer, SCHEDULE, storage=storage).run([far])
        return writer

    source = querier()
    judged(tmp_path)
    assert calls
    source.time += 60
    calls.clear()
    again = judged(tmp_path)
    assert not calls
    assert again.samples == judged(None).samples
    assert any(dict(sample.labels).get("horizon") == "6h" for sample in again.samples)


def test_fits_take_one_thread_and_leave_the_others_as_they_were() -> None:
    before = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    seen: list[int] = []

    class Watched(np.ndarray):
        def mean(self, *arguments: object, **named: object) -> object:  # type: ignore[override]
            seen.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
            return super().mean(*arguments, **named)  # type: ignore[call-overload]

    values = course(60, 0)
    tried(past(values, 0), values[None].view(Watched), "theta", 1)
    assert set(seen) == {1}
    assert [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"] == before
