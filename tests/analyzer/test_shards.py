"""Shares of all queries: each in one, and together what one analyzer writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.cycle import Cycle
from airis_mon.analyzer.methods.cells import DAY, HOUR
from airis_mon.analyzer.query import Labels
from airis_mon.analyzer.query.fake import Course, MemoryQuerier
from airis_mon.analyzer.schedule import Schedule
from airis_mon.analyzer.service import main
from airis_mon.analyzer.shards import Shard, place
from airis_mon.remote_write import Sample
from airis_mon.remote_write.fake import MemoryWriter
from tests.analyzer.stub import season

AT = 1_700_006_400 + HOUR
SCHEDULE = Schedule(interval=60, step=300, fit_interval=600)
PLACE = 0x541EBAB3388A30E0
TEXT = st.text(min_size=1, max_size=6)
QUERIES_OF_ALL_KINDS = st.lists(
    st.builds(Query, TEXT, TEXT, TEXT, TEXT, by=st.lists(TEXT, max_size=2).map(tuple)), max_size=8
)


@given(QUERIES_OF_ALL_KINDS, st.integers(1, 9))
def test_each_query_is_in_one_shard(queries: list[Query], count: int) -> None:
    found = [query for index in range(count) for query in Shard(index, count).of(queries)]
    assert sorted(map(id, found)) == sorted(map(id, queries))


def test_a_query_is_where_it_always_was() -> None:
    # Whoever changes these moves queries between analyzers that run different versions.
    query = Query("chat", "llama", "ttft", "latency", by=("pod", "zone"))
    assert place(query) == PLACE
    assert place(replace(query, expr="other", by=("zone", "pod"), history=DAY)) == PLACE
    assert place(replace(query, by=())) != PLACE
    assert place(replace(query, monitor="chä")) != PLACE


NAMES = st.sampled_from("abcdefgh")
DEPENDENT = st.lists(st.tuples(NAMES, st.lists(NAMES, max_size=2)), max_size=8, unique_by=lambda one: one[0])
"""Signals, and the earlier ones that each reads; one that reads none reads what is scraped."""


def reading(signals: list[tuple[str, list[str]]]) -> list[Query]:
    return [
        Query("chat", "llama", name, " + ".join(f'y{{for="{r}"}}' for r in reads if r < name) or "up")
        for name, reads in signals
    ]


@given(DEPENDENT, st.integers(1, 9))
def test_what_reads_is_where_what_it_reads_is_written(
    signals: list[tuple[str, list[str]]], count: int
) -> None:
    queries = reading(signals)
    shares = [Shard(index, count).of(queries) for index in range(count)]
    assert sorted(query.signal for share in shares for query in share) == sorted(name for name, _ in signals)
    where = {query.signal: index for index, share in enumerate(shares) for query in share}
    for name, reads in signals:
        assert {where[read] for read in reads if read < name and read in where} <= {where[name]}


@given(DEPENDENT, st.permutations(range(9)), st.integers(2, 9))
def test_neither_order_nor_a_query_that_reads_nothing_of_others_moves_any(
    signals: list[tuple[str, list[str]]], order: list[int], count: int
) -> None:
    queries = reading(signals)
    alone = Query("other", "llama", "alone", "up")
    mixed = sorted([*queries, alone], key=lambda query: order["abcdefgh".find(query.signal) + 1])
    for index in range(count):
        found = set(Shard(index, count).of(mixed))
        assert found - {alone} == set(Shard(index, count).of(queries))
        assert (alone in found) == (place(alone) % count == index)


def test_queries_that_read_nothing_of_others_are_where_they_were_without_dependencies() -> None:
    queries = [Query(f"chat-{number}", "llama", "ttft", "latency") for number in range(100)]
    assert all(place(query) % 7 == index for index in range(7) for query in Shard(index, 7).of(queries))


def test_shards_are_about_equally_large() -> None:
    queries = [Query(f"chat-{number}", "llama", "ttft", "latency") for number in range(5000)]
    assert min(len(Shard(index, 5).of(queries)) for index in range(5)) > 900


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--shard.index=2", "--shard.count=2"], "shard 2 of 2: they are counted from 0; write 0 to 1"),
        (["--shard.index=0"], "--shard.index needs --shard.count, such as"),
        (["--shard.count=2"], "--shard.count needs --shard.index, such as"),
        (["--shard.index=-1", "--shard.count=2"], "is no whole number from 0"),
        (["--shard.index=0", "--shard.count=0"], "is no whole number from 1"),
        (["--shard.index=a", "--shard.count=2"], "is no whole number from 0"),
    ],
)
def test_what_is_no_shard_is_refused_with_what_to_write(
    flags: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["once", "--config.file=absent.yaml", "--prometheus.url=http://127.0.0.1:1", *flags]
    try:
        code = main(arguments)
    except SystemExit as end:
        code = int(str(end.code))
    assert code != 0
    assert words in capsys.readouterr().err


def course(number: int, pod: int) -> Course:
    return lambda times: np.asarray(
        season(times + 977 * number) * (1 + 0.1 * np.sin(times * (pod + 1))) + pod
    )


def querier(at: int) -> MemoryQuerier:
    courses: dict[str, dict[Labels, Course]] = {
        query.expr: {(("pod", f"p{pod}"),): course(number, pod) for pod in range(1 + number % 6)}
        for number, query in enumerate(QUERIES)
    }
    return MemoryQuerier(courses, float(at))


QUERIES = [
    Query(f"m{n}", "llama", "ttft", f"x{n}", history=2 * DAY, horizons=(HOUR, 6 * HOUR)[: n % 3])
    for n in range(12)
]


def written(shard: Shard, times: Sequence[int]) -> list[Sample]:
    source, writer = querier(0), MemoryWriter()
    cycle = Cycle(source, writer, SCHEDULE)
    for time in times:
        source.time = float(time)
        assert cycle.run(shard.of(QUERIES)).complete
    return writer.samples


def values(samples: Sequence[Sample]) -> dict[tuple[Any, int], list[str]]:
    found: dict[tuple[Any, int], list[str]] = {}
    for one in samples:
        key = tuple(sorted(one.labels.items())), one.timestamp_ms
        found.setdefault(key, []).append(one.value.hex())
    return found


def test_shards_write_together_what_one_analyzer_writes_though_their_number_changes() -> None:
    times = (AT + 60, AT + 120, AT + 660)
    alone = values(written(Shard(), times))
    assert {len(each) for each in alone.values()} == {1}
    shares = [written(Shard(index, 3), times) for index in range(3)]
    assert all(shares)
    assert values([sample for share in shares for sample in share]) == alone

    # One more while they run: whoever takes a query over writes the same bits.
    more = [sample for index in range(4) for sample in written(Shard(index, 4), times[1:])]
    assert values(more) == {key: each for key, each in alone.items() if key[1] >= times[1] * 1000}
