"""Nothing is learnt from the time at which a model was worked on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from airis_mon.analyzer import maintenance
from airis_mon.analyzer.compile import artefacts
from airis_mon.analyzer.config import decode
from airis_mon.analyzer.cycle import Cycle
from airis_mon.analyzer.methods.cells import DAY, HOUR
from airis_mon.analyzer.methods.exclusion import touched
from airis_mon.remote_write.fake import MemoryWriter
from airis_mon.spec import Bundle, Maintenance, Recurrence, Window
from tests.analyzer.test_compile import CHAT
from tests.analyzer.test_cycle import AT, POD, QUERY, SCHEDULE, found, querier, season
from tests.recurrences import MOMENTS, RECURRENCES

BEGIN = datetime(2026, 12, 1, 21, tzinfo=UTC).timestamp()
ONCE = Maintenance("reindex", "why", once=Window(BEGIN, BEGIN + 5400))
TIMES = st.one_of(
    RECURRENCES,
    st.tuples(MOMENTS, st.integers(1, 86400)).map(lambda two: Window(two[0], two[0] + two[1])),
)


@given(TIMES)
def test_what_is_written_is_read_back(one: maintenance.Times) -> None:
    text = yaml.safe_dump(maintenance.written(one))
    assert maintenance.read(yaml.safe_load(text)) == one


@settings(deadline=None)
@given(st.lists(RECURRENCES, min_size=1, max_size=3), MOMENTS, st.sampled_from((60, 300, 3600)))
def test_points_are_left_out_at_the_times_that_the_document_says(
    some: list[Recurrence], moment: float, step: int
) -> None:
    grid = np.arange(int(moment), int(moment) + 200 * step, step, dtype=np.int64)
    planned = Maintenance("any", "why", recurring=tuple(some))
    assert touched(some, grid, 0).tolist() == [planned.holds(at) for at in grid.tolist()]


@settings(deadline=None)
@given(st.integers(-7200, 7200), st.integers(1, 7200), st.integers(0, 3600), st.sampled_from((60, 300)))
def test_a_value_that_looks_back_on_a_window_is_left_out(
    begin: int, length: int, lookback: int, step: int
) -> None:
    grid = np.arange(1_800_000_000, 1_800_000_000 + 7200, step, dtype=np.int64)
    window = Window(float(grid[0] + begin), float(grid[0] + begin + length))
    left_out = touched([window], grid, lookback)
    for at, flag in zip(grid.tolist(), left_out.tolist(), strict=True):
        if window.begin <= at and at - lookback < window.end:
            assert flag
        elif at < window.begin or at - lookback - 2 * step >= window.end:
            assert not flag


def test_every_query_of_the_monitor_is_told() -> None:
    weekly = Maintenance("weekly", "why", recurring=(Recurrence(times=((120, 240),), weekdays=(6,)),))
    monitor = replace(CHAT, maintenance=(ONCE, weekly, replace(weekly, name="again")))
    (artefact,) = artefacts(Bundle((monitor,)))
    for query in decode(artefact.text, artefact.path).queries:
        assert query.maintenance == (ONCE.once, *weekly.recurring)
        assert query.window in (300, 600)
    assert "maintenance" not in artefacts(Bundle((CHAT,)))[0].text


def test_what_happened_meanwhile_widens_no_band() -> None:
    once = Window(AT - DAY - 3 * HOUR, AT - DAY + HOUR)

    def course(at: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.where((once.begin <= at) & (at < once.end), 500.0, season(at))

    wild = querier(latency={POD: course})
    calm, told, untold = MemoryWriter(), MemoryWriter(), MemoryWriter()
    Cycle(querier(), calm, SCHEDULE).run([QUERY])
    Cycle(wild, told, SCHEDULE).run([replace(QUERY, maintenance=(once,))])
    Cycle(wild, untold, SCHEDULE).run([QUERY])

    def width(writer: MemoryWriter) -> float:
        (upper,), (lower,) = (found(writer, name, horizon="0s") for name in ("yhat_upper", "yhat_lower"))
        return upper.value - lower.value

    assert width(told) < 2 * width(calm)
    assert width(untold) > 2 * width(told)


def test_a_past_that_is_all_maintenance_is_no_past() -> None:
    always = Window(AT - 30 * DAY, AT)
    writer = MemoryWriter()
    outcome = Cycle(querier(), writer, SCHEDULE).run([replace(QUERY, maintenance=(always,))])
    assert outcome.complete
    assert outcome.scored == 0
    assert found(writer, "y")
