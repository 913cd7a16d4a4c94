"""What is learnt of a row depends on that row alone, whichever rows it is learnt with."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from airis_mon.analyzer.blocks import Work, blocks, stacked
from airis_mon.analyzer.forecasting.horizons import ahead, coverages
from airis_mon.analyzer.methods.cells import DAY, HOUR
from airis_mon.analyzer.methods.seasonal import Settings, learn

STEP = 300
COUNT = 150


def rows(days: int = 3) -> NDArray[np.float64]:
    """Rows of all kinds: with and without a season, gaps, one value, none, late ones."""
    chance = np.random.default_rng(7)
    at = np.arange(days * DAY // STEP)
    made = chance.normal(0, 1, (COUNT, len(at))) + chance.uniform(5, 50, (COUNT, 1))
    made[::3] += 4 * np.sin(2 * np.pi * at / (DAY // STEP))
    made[chance.random(made.shape) < 0.02] = np.nan
    made[5] = np.nan
    made[6] = 3.0
    made[7, :-30] = np.nan
    made[8, : len(at) // 2] = np.nan
    made[9, 100:200] = np.nan
    return made


def bits(found: object) -> list[bytes]:
    """Everything that a value holds, field by field."""
    if is_dataclass(found):
        return [one for each in fields(found) for one in bits(getattr(found, each.name))]
    return [found.tobytes()] if isinstance(found, np.ndarray) else [repr(found).encode()]


@pytest.mark.parametrize("ratio", [False, True])
def test_rows_are_learnt_from_alone_as_together_to_the_bit(ratio: bool) -> None:
    values = rows() / (60 if ratio else 1)
    settings = Settings(STEP, ratio=ratio)
    whole = learn(values, settings)
    assert bits(whole) == bits(stacked([learn(values[some], settings) for some in blocks(COUNT)]))
    for chosen in (np.array([0]), np.array([9]), np.array([1, 3, 5, 6, 7, 8, 9, 149])):
        assert bits(whole.take(chosen)) == bits(learn(values[chosen], settings))


@pytest.mark.parametrize("horizon", [HOUR, DAY])
def test_rows_are_foreseen_alone_as_together_to_the_bit(horizon: int) -> None:
    values = rows()
    whole = ahead(values, STEP, (horizon,), 0.95)[horizon]
    held = coverages(values, STEP, (horizon,), 0.95)[horizon]
    parts = [ahead(values[some], STEP, (horizon,), 0.95)[horizon] for some in blocks(COUNT)]
    together = replace(stacked(parts), distances=whole.distances)
    assert bits(whole) == bits(together)
    for chosen in ([0], [9], [1], [0, 1, 5, 6, 7, 8, 9, 148]):
        alone = ahead(values[chosen], STEP, (horizon,), 0.95)[horizon]
        for edge, mine in zip(vars(whole.outlook).values(), vars(alone.outlook).values(), strict=True):
            assert edge[chosen].tobytes() == mine.tobytes()
        assert whole.mase[chosen].tobytes() == alone.mase.tobytes()
        assert whole.demoted[chosen].tobytes() == alone.demoted.tobytes()
        assert held[chosen].tobytes() == coverages(values[chosen], STEP, (horizon,), 0.95)[horizon].tobytes()


def test_work_that_failed_is_gone_on_with_where_it_was() -> None:
    trouble = [True, False, True]
    done: list[int] = []

    def part(some: slice) -> int:
        if len(done) == 1 and trouble.pop():
            raise MemoryError
        first: int = some.start
        done.append(first)
        return first

    def whole(parts: list[int]) -> list[int]:
        if trouble.pop():
            raise MemoryError
        return parts

    work = Work(130, part, whole)
    work.advance()
    with pytest.raises(MemoryError):
        work.advance()
    assert not work.ended
    with pytest.raises(MemoryError):
        work.result()
    assert work.ended
    # Nothing is left to compute, and that is no error.
    work.advance()
    trouble.append(False)
    assert work.result() == done == [0, 64, 128]
