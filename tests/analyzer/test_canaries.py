"""The analyzer compares the versions that documents name, whoever runs it and whenever it was started."""

from __future__ import annotations

import itertools
import logging
import struct
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from airis_mon.analyzer.canaries import Canaries
from airis_mon.analyzer.comparison import Span, compare, samples
from airis_mon.analyzer.compile import PATH, artefacts
from airis_mon.analyzer.config import Configuration, decode
from airis_mon.analyzer.cycle import Cycle
from airis_mon.analyzer.metrics import Metrics
from airis_mon.analyzer.query import Frame, Labels, QueryError
from airis_mon.analyzer.query.fake import Course, MemoryQuerier
from airis_mon.analyzer.rounds import Rounds
from airis_mon.analyzer.schedule import Schedule
from airis_mon.analyzer.shards import Shard
from airis_mon.analyzer.versions import SINCE, Rollout, rollout
from airis_mon.remote_write.fake import MemoryWriter
from airis_mon.spec import Bundle, Canary, Errors, Latency, Model, Monitor, Objective, Source, SpecError
from tests.analyzer.test_workers import Start, config, prometheus, start
from tests.waiting import until

__all__ = ["start"]

END = 1_700_006_400
MONITOR = Monitor(
    name="digits",
    model=Model("digits"),
    source=Source("airis", {"job": "digits", "version": "1"}, scrape_interval=30.0),
    objectives=(
        Objective("availability", 0.98, 30 * 86400.0, Errors()),
        Objective("fast", 0.9, 30 * 86400.0, Latency("request_duration", 1.0)),
    ),
    canary=Canary({"version": "1"}, {"version": "2"}, margin=0.01, alpha=0.01),
)
FOUND = rollout(MONITOR, {})
assert FOUND is not None
ROLLOUT: Rollout = FOUND


def counter(each: float, since: int = 0, seed: int = 0) -> Course:
    """Return a counter that rises by about `each` a minute, alike for whoever reads it."""

    def course(at: NDArray[np.int64]) -> NDArray[np.float64]:
        minutes = (at - (END - 2 * SINCE)) // 60
        steps = np.random.default_rng(seed).poisson(each, 3 * SINCE // 60)
        return np.where(at >= since, np.cumsum(steps)[minutes], np.nan)

    return course


class Server(MemoryQuerier):
    """Two versions, of which the second fails eight times as often since six hours."""

    def __init__(self, candidate: bool = True) -> None:
        courses: dict[str, dict[Labels, Course]] = {}
        for measure in ROLLOUT.measures:
            for number, side in enumerate(ROLLOUT.sides):
                since = (0, END - 6 * 3600)[number]
                labels = (("job", "digits"), ("version", str(number + 1)))
                share = (0.01, 0.08)[number] if measure.part == "failing" else 0.95
                there = candidate or not number
                for kind, each in ((measure.operations, 60.0), (measure.counters, 60.0 * share)):
                    telling = ("outcome", "le")[measure.part == "good"]
                    more = ((telling, "x"),) if kind is measure.counters else ()
                    row = {tuple(sorted((*labels, *more))): counter(each, since, number)}
                    courses[kind[0].chosen(side, ("version",))] = row if there else {}
        super().__init__(courses, END)
        for name in list(courses):
            for asked in (f"count({name})", f"count by (version) ({name})"):
                self.expressions[asked] = {}
        self.broken = ""

    def range(self, expr: str, start: int, end: int, step: int) -> Frame:
        if self.broken and self.broken in expr:
            raise QueryError("503: busy")
        return super().range(expr, start, end, step)

    def instant(self, expr: str, at: int) -> Frame:
        return (
            super().instant(expr, at)
            if expr in self.expressions
            else Frame((), np.array([at]), np.empty((0, 1)))
        )


def bits(writer: MemoryWriter) -> dict[tuple[object, ...], bytes]:
    return {
        (one.timestamp_ms, *sorted(one.labels.items())): np.float64(one.value).tobytes()
        for one in writer.samples
    }


def test_a_document_comes_back_from_the_configuration_as_it_was() -> None:
    (artefact,) = artefacts(Bundle((MONITOR,)))
    (back,) = decode(artefact.text, PATH).rollouts
    assert back == replace(ROLLOUT, measures=tuple(replace(one, about="") for one in ROLLOUT.measures))
    assert [one.name for one in back.measures] == ["availability", "fast"]
    assert {one.margin.value for one in back.measures} == {0.01}


def test_an_engine_of_rules_and_a_document_without_versions_compare_nothing() -> None:
    for other in (
        replace(MONITOR, engine="rules"),
        replace(MONITOR, canary=None),
        replace(MONITOR, objectives=()),
    ):
        (artefact,) = artefacts(Bundle((other,)))
        assert decode(artefact.text, PATH).rollouts == ()
        assert "canaries" not in artefact.text


def test_what_is_written_is_what_the_counters_say() -> None:
    server, writer = Server(), MemoryWriter()
    look = Canaries(server, writer).look([ROLLOUT], END + 17)
    span = Span(END - SINCE, END, 60)
    expected = compare(Server(), ROLLOUT.measures, ROLLOUT.sides, span, alpha=0.01)
    assert look.found == ((ROLLOUT, expected),)
    assert writer.samples == samples("digits", "digits", ROLLOUT.sides, expected)
    assert [one.verdict for one in expected.results if one.measure.name == "availability"] == ["worse"]
    assert {one.timestamp_ms for one in writer.samples} == {END * 1000}


def test_whoever_is_started_later_writes_the_same_bits_and_each_asks_for_what_is_new() -> None:
    early, late = MemoryWriter(), MemoryWriter()
    source = Server()
    canaries = Canaries(source, early)
    last = END + 660  # at multiples of six hours all is read again
    for at in range(END + 60, last + 1, 60):
        source.ranges.clear()
        canaries.look([ROLLOUT], at)
    assert {end - start for _, start, end, _ in source.ranges} <= {600, 660}
    Canaries(Server(), late).look([ROLLOUT], last)
    assert bits(late).items() <= bits(early).items()
    assert len(bits(early)) == 11 * len(bits(late))


def test_a_step_is_looked_at_once() -> None:
    writer = MemoryWriter()
    canaries = Canaries(Server(), writer)
    assert canaries.look([ROLLOUT], END).found
    assert not canaries.look([ROLLOUT], END + 59).found
    assert not canaries.look([ROLLOUT], END - 60).found
    assert canaries.look([ROLLOUT], END + 60).found


def test_a_server_that_fails_is_told_of_and_asked_again() -> None:
    server, writer = Server(), MemoryWriter()
    other = replace(ROLLOUT, monitor="other", measures=ROLLOUT.measures[1:])
    server.broken = "airis_predictions_total"
    canaries = Canaries(server, writer)
    look = canaries.look([ROLLOUT, other], END)
    assert [(one.monitor, text) for one, text in look.failures] == [("digits", "503: busy")]
    assert {one.labels["monitor"] for one in writer.samples} == {"other"}
    server.broken = ""
    again = canaries.look([ROLLOUT, other], END + 30)
    assert [one.monitor for one, _ in again.found] == ["digits"]


def test_what_there_is_no_time_for_comes_first_in_the_next_look() -> None:
    several = [replace(ROLLOUT, monitor=name) for name in ("a", "b", "c")]
    seconds = itertools.count(0, 4)
    canaries = Canaries(Server(), MemoryWriter(), patience=5, clock=lambda: float(next(seconds)))
    look = canaries.look(several, END)
    assert [one.monitor for one, _ in look.found] == ["a"]
    told = "not compared: 8 s are over, and the next look begins with it"
    assert (look.failures[0][1], look.limited) == (told, ("comparing", "comparing"))
    look = canaries.look(several, END + 60)
    assert [one.monitor for one, _ in look.found] == ["b"]


def test_a_candidate_that_is_not_there_yet_is_undecided() -> None:
    writer = MemoryWriter()
    look = Canaries(Server(candidate=False), writer).look([ROLLOUT], END)
    assert [text[:40] for _, text in look.waiting] == ["the candidate: no series of airis_predic"]
    assert not look.failures
    standing = {one.labels["verdict"] for one in writer.samples if one.value == 1}
    assert standing == {"undecided"}


class _Once(threading.Event):
    """Ends what waits for the next round."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return True


def test_rounds_compare_after_each_cycle_and_count_what_they_write() -> None:
    server, writer, registry = Server(), MemoryWriter(), CollectorRegistry()
    server.broken = "duration"
    other = replace(ROLLOUT, monitor="other", measures=ROLLOUT.measures[:1])
    rounds = Rounds(
        Cycle(server, writer, Schedule()),
        Schedule(),
        Configuration((), (ROLLOUT, other)),
        Metrics(registry),
        logging.getLogger("test"),
        Canaries(server, writer),
    )
    rounds.run(_Once())
    assert {one.labels["monitor"] for one in writer.samples} == {"other"}
    written = registry.get_sample_value("airis_analyzer_samples_written_total")
    assert written == len(writer.samples) > 0
    failed = {"monitor": "digits", "for": "canary"}
    assert registry.get_sample_value("airis_analyzer_query_errors_total", failed) == 1


def test_each_is_compared_in_one_share() -> None:
    several = [replace(ROLLOUT, monitor=f"m{n}") for n in range(20)]
    shares = [Shard(index, 3).share(Configuration((), tuple(several))).rollouts for index in range(3)]
    assert sorted(one.monitor for share in shares for one in share) == sorted(one.monitor for one in several)
    assert all(shares)


def test_of_several_workers_one_compares(start: Start, tmp_path: Path) -> None:
    plain = yaml.safe_dump({"canaries": yaml.safe_load(artefacts(Bundle((MONITOR,)))[0].text)["canaries"]})
    with prometheus() as there:
        (tmp_path / "analyzer.yaml").write_text(config("one", more=plain))
        service = start(there.url, "--workers=2")
        until(lambda: [key for key in there.written if ("__name__", "airis_canary_verdict") in key])
        until(lambda: service.ready)
        service.end()
    # The same series on both sides: nothing is known, and that is said once for each objective.
    verdicts = {
        key: bits for key, bits in there.written.items() if ("__name__", "airis_canary_verdict") in key
    }
    assert len(verdicts) == 8
    standing = {dict(key[1:])["verdict"] for key, bits in verdicts.items() if bits == {struct.pack("<d", 1)}}
    assert standing == {"undecided"}


HEAD = (
    "queries: []\ncanaries:\n  - {monitor: m, model: x, baseline: v=1, candidate: v=2, measures: [{name: a, "
)
HEAD += "part: good"
TAIL = ", margin: 0.1, operations: [x_total], counters: ['x_total{code!=\"500\"}']}]"


def test_what_somebody_wrote_by_hand_is_read() -> None:
    (found,) = decode(f"{HEAD}{TAIL}}}", "a.yaml").rollouts
    assert (found.alpha, found.step, found.sides[1].text) == (0.05, 60, 'v="2"')
    (measure,) = found.measures
    assert measure.counters[0].matchers == (("code", 'code!="500"'),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("queries: []\ncanaries: 3", "the one key `queries`"),
        ("canaries: []", "the one key `queries`"),
        (
            "queries: []\ncanaries: [3]",
            "a canary is a mapping of baseline, candidate, measures, model, monitor",
        ),
        (f"{HEAD}{TAIL}, stepp: 3}}", "did you mean `step`?"),
        (f"{HEAD}{TAIL}, step: 0}}", "`step` is a number from 1 to 3600"),
        (f"{HEAD}{TAIL}, alpha: 2}}", "`alpha` is a number"),
        (f"{HEAD}{TAIL.replace('margin', 'margins')}}}", "did you mean `margin`?"),
        (f"{HEAD.replace('part: good', 'part: sum')}{TAIL}}}", "`part`: write one of failing, good, above"),
        (f"{HEAD}{TAIL.replace('[x_total]', '[sum(x)]')}}}", "`sum(x)` is no selector"),
        (f"{HEAD}{TAIL.replace('[x_total]', '[]')}}}", "`operations` is a list of 1 to 20"),
        (f"{HEAD.replace('v=2', 'v')}{TAIL}}}", "`v` are no label matchers"),
        (f"{HEAD.replace('monitor: m', 'monitor: 3')}{TAIL}}}", "`monitor` is a text"),
        (f"{HEAD.replace('model: x, ', '')}{TAIL}}}", "`model` is missing in a canary"),
    ],
)
def test_what_cannot_be_read_is_told_at_its_place(text: str, words: str) -> None:
    with pytest.raises(SpecError) as refused:
        decode(text, "a.yaml")
    assert words in str(refused.value)
    assert "a.yaml:" in str(refused.value)
