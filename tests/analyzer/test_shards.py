"""Shares of all series: each in one, and together what one analyzer writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.cycle import Cycle, Schedule
from airis_mon.analyzer.methods.cells import DAY, HOUR
from airis_mon.analyzer.query import Frame, HttpQuerier, Labels, Shard
from airis_mon.analyzer.query.shards import place
from airis_mon.analyzer.service import main
from airis_mon.remote_write import Sample
from airis_mon.remote_write.fake import MemoryWriter

AT = 1_700_006_400 + HOUR
SCHEDULE = Schedule(interval=60, step=300, fit_interval=600)
LABELS = st.dictionaries(st.text(min_size=1, max_size=6), st.text(max_size=8), max_size=4)


@given(LABELS, st.integers(1, 9))
def test_each_series_is_in_one_shard(labels: dict[str, str], count: int) -> None:
    pairs: Labels = tuple(sorted(labels.items()))
    assert sum(Shard(index, count).owns(pairs) for index in range(count)) == 1


def test_a_series_is_where_it_always_was() -> None:
    # Whoever changes these moves series between analyzers that run different versions.
    assert place(()) == 0xE4A6A0577479B2B4
    assert place((("__name__", "up"), ("job", "serving"))) == 0xD4B07B7D5B773BD1
    assert place((("pod", "ä"),)) == 0xDACFFFD3112A7F15


def test_labels_are_told_apart_from_each_other() -> None:
    alike: Sequence[Labels] = (
        (("a", "bc"),), (("ab", "c"),), (("a", ""), ("bc", "")), (("a", "b"), ("c", "")),
    )  # fmt: skip
    assert len({place(labels) for labels in alike}) == len(alike)


def test_shards_are_about_equally_large() -> None:
    counts = [0] * 5
    for number in range(5000):
        counts[place((("instance", f"10.0.0.{number}:9090"), ("job", "serving"))) % 5] += 1
    assert min(counts) > 900


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


class Then:
    """A real Prometheus that is asked about another time than now."""

    def __init__(self, url: str, shard: Shard) -> None:
        self._inner = HttpQuerier(url, shard=shard)
        self.time = 0

    def now(self) -> float:
        return float(self.time)

    def range(self, expr: str, start: int, end: int, step: int) -> Frame:
        return self._inner.range(expr, start, end, step)

    def instant(self, expr: str, at: int) -> Frame:
        return self._inner.instant(expr, at)

    def close(self) -> None:
        self._inner.close()


def expression(count: int, shift: int) -> str:
    """Series with a season of a day, each of its own size, some of which have only begun."""
    parts = []
    for number in range(count):
        course = f"10 + {number + 1} * sin(vector(time() / 13750.98)) + sin(vector(time() * {number + 7}))"
        begun = AT - (2 * DAY if number % 4 else (number + 1) * HOUR)
        there = f"({course}) and (vector(time()) > {begun})"
        parts.append(f'label_replace({there}, "pod", "p{shift + number}", "", "")')
    return " or ".join(parts)


QUERIES = [
    Query("chat", "llama", "ttft", expression(9, 0), history=DAY, horizons=(HOUR, 6 * HOUR), by=("pod",)),
    Query("chat", "llama", "errors", expression(3, 5), history=DAY, by=("pod",)),
]


def written(url: str, shard: Shard, times: Sequence[int]) -> list[Sample]:
    there, writer = Then(url, shard), MemoryWriter()
    cycle = Cycle(there, writer, SCHEDULE, concurrency=2)
    for time in times:
        there.time = time
        assert cycle.run(QUERIES).complete
    there.close()
    return writer.samples


def values(samples: Sequence[Sample]) -> dict[tuple[Any, int], list[str]]:
    found: dict[tuple[Any, int], list[str]] = {}
    for one in samples:
        key = tuple(sorted(one.labels.items())), one.timestamp_ms
        found.setdefault(key, []).append(one.value.hex())
    return found


def test_shards_write_together_what_one_analyzer_writes(prometheus_server: Callable[..., Any]) -> None:
    url = prometheus_server().url
    times = (AT + 60, AT + 120, AT + 660)
    alone = values(written(url, Shard(), times))
    assert {len(each) for each in alone.values()} == {1}
    shares = [values(written(url, Shard(index, 3), times)) for index in range(3)]
    assert all(shares)
    together = {key: each for share in shares for key, each in share.items()}
    assert sum(map(len, shares)) == len(together)
    assert {key: (each, alone[key]) for key, each in together.items() if each != alone[key]} == {}
    assert together.keys() == alone.keys()

    # One more shard while they run: whoever takes a series over writes the same bits.
    more = [sample for index in range(4) for sample in written(url, Shard(index, 4), times[1:])]
    assert values(more) == {key: each for key, each in alone.items() if key[1] >= times[1] * 1000}


def test_the_limit_of_series_is_for_those_of_the_shard(prometheus_server: Callable[..., Any]) -> None:
    url, expr = prometheus_server().url, expression(9, 0)
    counts = []
    for index in range(3):
        querier = HttpQuerier(url, shard=Shard(index, 3), series_max=6)
        counts.append(len(querier.instant(expr, AT).labels))
        querier.close()
    assert sum(counts) == 9
