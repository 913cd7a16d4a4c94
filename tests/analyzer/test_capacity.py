"""How many replicas by when: worlds whose truth is known, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from airis_mon.analyzer.capacity import CapacityError, Past, Target, plan, strength
from airis_mon.analyzer.capacity.demand import demand
from airis_mon.analyzer.methods.cells import DAY

STEP = 300
BEGIN = 20_000 * DAY
CARRIES = 50.0
"""Load at which a replica is used to 80 %."""
Floats = NDArray[np.float64]


def world(
    seed: int = 0,
    *,
    days: int = 28,
    load: float = 150.0,
    growth: float = 0.05,
    replicas: float = 4.0,
    noise: float = 0.1,
    latency: bool = False,
) -> Past:
    """A service with quiet nights and weekends that grows from week to week."""
    rng = np.random.default_rng(seed)
    at = np.arange(days * DAY // STEP) * STEP / DAY
    shape = (0.55 + 0.45 * np.sin(2 * np.pi * (at - 0.3))) * np.where(np.floor(at) % 7 >= 5, 0.7, 1.0)
    comes = load * shape * (1 + growth) ** (at / 7) * np.exp(rng.normal(0, 0.05, len(at)))
    share = comes / replicas / CARRIES
    used = 0.3 + 0.7 * share**6 if latency else 0.05 + 0.75 * share
    used = used * np.exp(rng.normal(0, noise, len(at)))
    return Past((BEGIN + at * DAY).astype(np.int64), comes, np.full(len(at), replicas), used)


def test_what_a_replica_carries_is_learnt_from_hours_of_different_load() -> None:
    found = [plan(world(seed), 30, Target()).per_replica for seed in range(5)]
    assert [one.load for one in found] == pytest.approx([CARRIES] * 5, rel=0.06)
    assert all(one.correlation > 0.9 for one in found)


def test_a_day_is_named_from_which_the_present_replicas_are_too_few() -> None:
    # 4 replicas carry 200, which 148 and 5 % more from week to week exceed in the seventh week.
    made = plan(world(load=148.0), 42, Target())
    assert made.replicas == 4
    assert made.short is not None
    assert made.short_upper is not None
    truth = 7 * np.log(4 * CARRIES / 148.0) / np.log(1.05) - 28
    assert (made.short.begins - BEGIN) / DAY - 28 == pytest.approx(truth, abs=7)
    assert made.short_upper.begins <= made.short.begins
    assert made.days[0].begins == BEGIN + 28 * DAY
    assert len(made.days) == 42
    assert all(day.needed_upper >= day.needed for day in made.days)
    assert max(day.needed for day in made.days) == 5


def test_without_growth_the_present_replicas_go_on_being_enough() -> None:
    made = plan(world(load=110.0, growth=0.0), 30, Target())
    assert (made.short, made.short_upper) == (None, None)
    assert abs(made.growth.per_week) < 0.02


def test_replicas_to_spare_come_on_top() -> None:
    past = world()
    without, with_two = (plan(past, 14, Target(spare=spare)) for spare in (0, 2))
    assert [day.needed + 2 for day in without.days] == [day.needed for day in with_two.days]


def test_what_a_load_test_says_is_taken_as_it_is() -> None:
    past = replace(world(), utilisation=None)
    made = plan(past, 7, Target(per_replica=30.0))
    assert made.per_replica.load == 30.0
    assert [day.needed for day in made.days] == [int(np.ceil(day.load / 30.0)) for day in made.days]


def test_growth_is_told_apart_from_weekends_and_noise() -> None:
    for growth in (-0.05, 0.02, 0.1):
        found = [plan(world(seed, growth=growth), 7, Target()).growth.per_week for seed in range(3)]
        assert np.mean(found) == pytest.approx(growth, abs=0.015)


@pytest.mark.parametrize("growth", [0.0, 0.05, -0.05])
@pytest.mark.parametrize("past", [28, 56])
def test_the_upper_edge_holds_as_many_days_as_it_says(growth: float, past: int) -> None:
    rng = np.random.default_rng(7)
    held = []
    for _ in range(100):
        days = np.arange(past + 30)
        off = np.zeros(len(days))
        for n in range(1, len(days)):
            off[n] = 0.3 * off[n - 1] + rng.normal(0, 0.05)
        busy = 100 * np.where(days % 7 >= 5, 0.7, 1.0) * np.exp(growth * days / 7 + off)
        held.append(np.mean(busy[past:] <= demand(busy[:past], 30, 0.95).upper))
    assert 0.9 <= np.mean(held) <= 0.99


def test_a_target_beyond_what_was_seen_is_said_to_be() -> None:
    made = plan(world(load=60.0), 14, Target())
    assert made.per_replica.extrapolated
    assert made.per_replica.load == pytest.approx(CARRIES, rel=0.1)
    assert "beyond what was seen" in " ".join(made.notes)


def test_a_latency_far_from_its_limit_says_what_a_replica_carries_at_least() -> None:
    made = plan(world(load=100.0, latency=True), 14, Target(1.0, straight=False))
    assert made.per_replica.at_least
    assert made.per_replica.load == pytest.approx(made.per_replica.seen_load, rel=0.05)
    assert "or more" in " ".join(made.notes)


def test_a_latency_that_has_reached_its_limit_says_where() -> None:
    made = plan(world(load=220.0, latency=True), 14, Target(1.0, straight=False))
    assert not made.per_replica.at_least
    assert made.per_replica.load == pytest.approx(CARRIES, rel=0.05)


def test_a_version_that_takes_more_is_learnt_from_alone() -> None:
    before, after = world(days=14), world(1, days=14, growth=0.0)
    assert before.utilisation is not None
    assert after.utilisation is not None
    past = Past(
        np.concatenate([before.timestamps, after.timestamps + 14 * DAY]),
        np.concatenate([before.load, after.load]),
        np.concatenate([before.replicas, after.replicas]),
        np.concatenate([before.utilisation, 1.6 * after.utilisation]),
    )
    made = plan(past, 14, Target())
    assert "something changed" in " ".join(made.notes)
    # 1.6 (0.05 + 0.75 x) = 0.8
    assert made.per_replica.load == pytest.approx(CARRIES * (0.5 - 0.05) / 0.75, rel=0.08)


def test_the_load_that_utilisation_follows_is_the_stronger_one() -> None:
    past = world()
    other = replace(past, load=np.roll(past.load, DAY // STEP // 4))
    assert strength(past) > 0.9 > strength(other)


def test_gaps_and_a_day_that_is_not_over_do_not_count_as_quiet() -> None:
    past = world()
    gone = past.load.copy()
    gone[10 * DAY // STEP : 10 * DAY // STEP + 100] = np.nan
    cut = slice(None, -8 * 3600 // STEP)
    holed = Past(
        past.timestamps[cut],
        gone[cut],
        past.replicas[cut],
        past.utilisation[cut],  # type: ignore[index]
    )
    made, whole = plan(holed, 14, Target()), plan(past, 15, Target())
    assert made.known_days == 26
    assert made.days[0].begins == whole.days[0].begins - DAY
    assert made.days[5].load == pytest.approx(whole.days[4].load, rel=0.1)


def test_two_runs_give_one_plan() -> None:
    assert plan(world(), 14, Target()) == plan(world(), 14, Target())


def _autoscaled(past: Past) -> Past:
    return replace(past, replicas=past.load / 30.0)


def _unrelated(past: Past) -> Past:
    return replace(past, utilisation=np.random.default_rng(0).uniform(0.2, 0.9, len(past.load)))


def _silent(past: Past) -> Past:
    return replace(past, load=np.where(past.timestamps > BEGIN + 20 * DAY, np.nan, past.load))


@pytest.mark.parametrize(
    ("spoilt", "days", "words"),
    [
        (lambda past: world(days=9), 7, "known on 9 whole days, and 14 are needed"),
        (lambda past: past, 90, "90 days ahead is too far for a past of 28"),
        (_autoscaled, 30, "never varied"),
        (_unrelated, 30, "does not follow load per replica"),
        (lambda past: replace(past, load=past.load * 0), 30, "no load in all that time"),
        (lambda past: replace(past, replicas=past.load * 0), 30, "no replica was ever counted"),
        (_silent, 30, "not known for the last 7 days"),
        (lambda past: replace(past, utilisation=past.load * np.nan), 30, "known in 0 hours"),
    ],
)
def test_a_past_that_says_nothing_is_refused_with_the_reason(spoilt, days, words) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(CapacityError, match=words):
        plan(spoilt(world()), days, Target())
