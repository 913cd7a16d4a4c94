"""Which replica is unlike its peers, while what all of them do at once is nobody's fault.

No public set has labelled replicas: these are made, with load and bursts that all share.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from airis_mon.analyzer.methods.cells import Cells
from airis_mon.analyzer.methods.peers import FEWEST, company, learn_peers, middle
from airis_mon.analyzer.methods.seasonal import Settings, learn, recent_steps

STEP = 300
PER_DAY = 288
SETTINGS = Settings(STEP)
CELLS = Cells.of(STEP)
RECENT = recent_steps(CELLS)
Floats = NDArray[np.float64]


def replicas(count: int, days: int = 15, seed: int = 0) -> Floats:
    """Return (count, steps): a share each of one load, with bursts that hit all at once."""
    chance = np.random.default_rng(seed)
    steps = days * PER_DAY
    load = 1 + 0.5 * np.sin(2 * np.pi * np.arange(steps) / PER_DAY)
    for begin in chance.integers(0, steps, days):
        load[begin : begin + int(chance.integers(3, 30))] += chance.uniform(0.2, 1.5)
    share = chance.uniform(0.8, 1.2, (count, 1))
    return np.asarray(50 * share * load * (1 + chance.normal(0, 0.02, (count, steps))))


def scores(values: Floats, newest: Floats, **more: str) -> Floats:
    """Return the scores of `newest`, of what all of `values` teach."""
    past, recent = values[:, :-12], values[:, -RECENT:]
    known = learn_peers(past, middle(past), SETTINGS)
    return company(known, recent, CELLS).scores(newest, **more)  # type: ignore[arg-type]


def test_a_replica_that_leaves_its_peers_is_named_though_it_stays_within_its_own_past() -> None:
    values = replicas(8)
    past, newest = values[:, :-1], values[:, -1].copy()
    assert (scores(past, newest) < 1).all()
    newest[3] *= 1.5
    found = scores(past, newest)
    assert found[3] >= 1
    assert (np.delete(found, 3) < 1).all()
    alone = learn(past, SETTINGS).at(past[:, -RECENT:])
    assert alone.scores(newest, STEP)[3] < 1  # bursts of the past were larger


def test_what_all_do_at_once_is_no_departure_of_one() -> None:
    values = replicas(8)
    assert (scores(values[:, :-1], values[:, -1] * 3) < 1).all()


def test_while_all_scatter_nobody_is_singled_out() -> None:
    values = replicas(8)
    turned = values[:, -1] * np.array([0.1, 2.5, 0.4, 1.8, 0.2, 3.0, 0.6, 1.2])
    assert (scores(values[:, :-1], turned) < 1).all()


@pytest.mark.parametrize("count", [1, FEWEST - 1])
def test_fewer_than_four_have_no_peers(count: int) -> None:
    values = replicas(count)
    assert (scores(values[:, :-1], values[:, -1] * np.linspace(1, 9, count)) == 0).all()


def test_those_that_are_gone_are_no_peers() -> None:
    values = replicas(6)
    newest = values[:, -1].copy()
    newest[3:] = np.nan
    newest[0] *= 9
    assert (scores(values[:, :-1], newest) == 0).all()


def test_the_direction_that_is_watched_is_the_one_that_counts() -> None:
    values = replicas(8)
    newest = values[:, -1].copy()
    newest[2] *= 0.4
    assert scores(values[:, :-1], newest, direction="down")[2] >= 1
    assert scores(values[:, :-1], newest, direction="up")[2] == 0


def test_replicas_that_are_equal_to_the_digit_are_not_told_of_rounding() -> None:
    values = np.repeat(replicas(1), 5, axis=0)
    newest = values[:, -1].copy()
    newest[1] *= 1 + 1e-9
    assert (scores(values[:, :-1], newest) < 1).all()


def test_clean_replicas_page_less_than_once_in_a_month_each() -> None:
    values = replicas(8, days=22, seed=4)
    pages = 0
    for end in range(15 * PER_DAY, 22 * PER_DAY, 72):
        past = values[:, end - 14 * PER_DAY : end]
        known = learn_peers(past, middle(past), SETTINGS)
        for at in range(end, end + 72, 2):
            near = company(known, values[:, at - RECENT : at], CELLS)
            pages += int((near.scores(values[:, at]) >= 1).sum())
    assert pages <= 2
