"""Times that come again, and moments to ask about, as Hypothesis makes them up."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from airis_mon.spec import Recurrence

MINUTES = st.integers(0, 1439)
TIMES = st.tuples(MINUTES, MINUTES).map(lambda two: (min(two), max(two) + 1))
RECURRENCES = st.builds(
    Recurrence,
    times=st.lists(TIMES, max_size=2).map(tuple),
    weekdays=st.sets(st.integers(0, 6), max_size=4).map(lambda days: tuple(sorted(days))),
    days_of_month=st.lists(
        st.one_of(
            st.tuples(st.integers(1, 31), st.integers(0, 30)).map(lambda two: (two[0], min(31, sum(two)))),
            st.tuples(st.integers(-31, -1), st.integers(0, 30)).map(lambda two: (two[0], min(-1, sum(two)))),
        ),
        max_size=2,
    ).map(tuple),
    months=st.sets(st.integers(1, 12), max_size=6).map(lambda months: tuple(sorted(months))),
).filter(lambda one: one != Recurrence())
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2056, 1, 1)).map(
    lambda moment: moment.replace(second=0, microsecond=0, tzinfo=UTC).timestamp()
)
