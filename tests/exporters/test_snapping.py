"""A latency between two boundaries moves to the one that the document asks for, and says so."""

from __future__ import annotations

import math
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airis_mon.exporters.contracts import problems, snapped
from airis_mon.spec import Latency, Model, Monitor, Objective, Source

Snap = Literal["down", "up", "nearest"]
BOUNDARIES = (0.1, 0.25, 0.5, 1.0)


def monitor(below: float, snap: Snap | None, boundaries: tuple[float, ...] = BOUNDARIES) -> Monitor:
    latency = Latency("time_to_first_token", below, snap)
    source = Source("vllm", {"job": "vllm"}, {"time_to_first_token": boundaries})
    return Monitor("m", Model("m"), source, (Objective("fast", 0.99, 30 * 86400.0, latency),))


def below(found: Monitor) -> float:
    latency = found.objectives[0].indicator
    assert isinstance(latency, Latency)
    return latency.below


@pytest.mark.parametrize(
    ("written", "snap", "effective"),
    [
        (0.3, "down", 0.25),
        (0.3, "up", 0.5),
        (0.3, "nearest", 0.25),
        (0.45, "nearest", 0.5),
        (0.375, "nearest", 0.25),  # equally far: the stricter one
        (7.0, "nearest", 1.0),
        (0.01, "nearest", 0.1),
        (0.5, "down", 0.5),
        (0.5, "up", 0.5),
    ],
)
def test_the_effective_boundary_is_the_one_on_that_side(written: float, snap: Snap, effective: float) -> None:
    found, told = snapped(monitor(written, snap))
    assert below(found) == effective
    assert problems(found) == []
    assert len(told) == (written != effective)
    assert found == monitor(effective, None)


def test_the_effective_value_is_told_with_what_it_means() -> None:
    _, (stricter,) = snapped(monitor(0.3, "down"))
    assert stricter.severity == "warning"
    assert stricter.message == "`time_to_first_token` is counted below 250ms: no bucket ends at 300ms"
    assert "stricter than what is written; `below: 250ms` says the same" in (stricter.hint or "")
    assert stricter.path == "spec.objectives[0].latency.below"
    _, (lenient,) = snapped(monitor(0.3, "up"))
    assert "more lenient" in (lenient.hint or "")


@pytest.mark.parametrize(("written", "snap"), [(7.0, "up"), (0.01, "down"), (0.3, None)])
def test_what_cannot_be_moved_is_refused_as_ever(written: float, snap: Snap | None) -> None:
    found, told = snapped(monitor(written, snap))
    assert (found, told) == (monitor(written, snap), [])
    assert "no bucket of `time_to_first_token` ends at" in problems(found)[0].message


@given(
    st.floats(0.001, 100),
    st.sampled_from(("down", "up", "nearest")),
    st.lists(st.floats(0.001, 100), min_size=1, max_size=8, unique=True).map(sorted).map(tuple),
)
def test_the_effective_boundary_is_always_one_that_is_there_and_none_is_between(
    written: float, snap: Snap, boundaries: tuple[float, ...]
) -> None:
    found, _ = snapped(monitor(written, snap, boundaries))
    effective = below(found)
    if problems(found):
        side = [one for one in boundaries if (one < written if snap == "down" else one > written)]
        assert snap != "nearest"
        assert side == []
        return
    assert any(math.isclose(effective, one) for one in boundaries)
    low, high = sorted((written, effective))
    assert [one for one in boundaries if low < one < high and not math.isclose(one, high)] == []
    if snap == "nearest":
        assert all(abs(effective - written) <= abs(one - written) * (1 + 1e-9) + 1e-12 for one in boundaries)
