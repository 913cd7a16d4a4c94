"""Several processes on one machine: together they are what one would be, whichever of them dies."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from airis_mon.analyzer.config import Configuration, Query, decode
from airis_mon.analyzer.engine import Settings
from airis_mon.analyzer.query import Labels
from airis_mon.analyzer.query.fake import Course
from airis_mon.analyzer.schedule import Schedule
from airis_mon.analyzer.shards import COUNT_MAX, Shard
from airis_mon.analyzer.workers.exposition import Together
from airis_mon.analyzer.workers.presence import Presence
from airis_mon.analyzer.workers.supervisor import Pauses, Supervisor
from airis_mon.analyzer.writing import Destination
from airis_mon.web import render
from tests.analyzer.stub import Prometheus, season, serving
from tests.remote_write.receiver import Reply, Request, receiver
from tests.waiting import until

NOW = 1_700_006_400 + 1262
SIGNALS = ("one", "two", "three", "four", "five")
START = "import sys; from airis_mon.analyzer.service import main; sys.exit(main(sys.argv[1:]))"


def config(*signals: str, more: str = "") -> str:
    lines = [
        f"  - {{monitor: chat, model: llama, for: {name}, expr: latency, history: 1d, by: [pod]}}\n"
        for name in signals
    ]
    return "queries:\n" + "".join(lines) + more


class Service:
    """One analyzer with workers, as a person starts it."""

    def __init__(self, folder: Path, url: str, *flags: str) -> None:
        self.config = folder / "analyzer.yaml"
        if not self.config.exists():
            self.config.write_text(config(*SIGNALS))
        # A log of its own: workers of one that was killed still write to theirs for a moment.
        self.log = folder / f"log-{len(list(folder.glob('log-*')))}"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, "run", f"--config.file={self.config}", "--step=5m",
                 f"--prometheus.url={url}", "--web.listen-address=127.0.0.1:0", *flags],
                stderr=log,
            )  # fmt: skip
        try:
            self.url = "http://" + until(lambda: self.logged("listening"))[0]["address"]
        except BaseException:
            self.kill()
            raise

    def logged(self, message: str) -> list[Any]:
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.endswith("}")]
        return [line for line in lines if line["msg"] == message]

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(self.url + path, headers=headers, timeout=10)

    def metric(self, name: str, **labels: str) -> list[float]:
        families = text_string_to_metric_families(self.get("/metrics").text)
        return [
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]

    @property
    def ready(self) -> bool:
        return self.get("/-/ready").status_code == 200

    def pid(self, worker: int) -> int:
        """Return the process of a worker, as the log tells of it."""
        found = [line["pid"] for line in self.logged("worker started") if line["worker"] == worker]
        return int(found[-1]) if found else 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


Start = Callable[..., Service]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    services: list[Service] = []

    def begin(url: str, *flags: str) -> Service:
        services.append(Service(tmp_path, url, *flags))
        return services[-1]

    yield begin
    for service in services:
        service.kill()


@contextmanager
def prometheus(time: float = NOW) -> Iterator[Prometheus]:
    courses: dict[Labels, Course] = {
        (("__name__", "latency"), ("pod", f"p{number}")): season for number in range(3)
    }
    with serving(Prometheus(courses, time)) as there:
        yield there


def test_workers_write_what_one_process_writes_and_are_seen_as_one(start: Start, tmp_path: Path) -> None:
    state = f"--storage.path={tmp_path / 'state'}"
    with prometheus() as alone:
        service = start(alone.url)
        until(lambda: service.ready)
        service.end()
    with prometheus() as there:
        service = start(there.url, "--workers=2", state)
        assert service.get("/-/healthy").status_code == 200
        until(lambda: service.ready)
        assert there.written == alone.written
        assert {len(values) for values in there.written.values()} == {1}

        text = service.get("/metrics").text
        assert text.count("# TYPE airis_analyzer_cycles_total counter") == 1
        assert sorted(service.metric("airis_analyzer_config_queries")) == sorted(
            float(len(Shard(index, 2).of(_queries()))) for index in range(2)
        )
        assert service.metric("airis_analyzer_worker_up") == [1, 1]
        assert len(service.metric("process_resident_memory_bytes")) == 3
        page = service.get("/metrics", Accept="application/openmetrics-text").text
        parsed = list(openmetrics(page))  # type: ignore[no-untyped-call]
        assert any(family.name == "airis_analyzer_cycles" for family in parsed)
        filtered = service.get("/metrics?name[]=airis_analyzer_worker_up").text
        assert {line.partition("{")[0] for line in filtered.splitlines() if line[0] != "#"} == {
            "airis_analyzer_worker_up"
        }
        assert all("worker" in line for line in service.logged("cycle"))
        service.end()
        assert not any(alive(service.pid(worker)) for worker in range(2))
        # All of it was kept in one folder, and is found by however many there are.
        assert len([*(tmp_path / "state").glob("*.learnt.npz")]) == len(SIGNALS)
        there.time += 180
        service = start(there.url, "--workers=3", state, "--interval=1m")
        until(lambda: service.ready)
        assert sum(service.metric("airis_analyzer_state_total", result="used")) == len(SIGNALS)
        until(lambda: 2 in service.metric("airis_analyzer_evaluations_missed_total"))
        assert {*service.metric("airis_analyzer_evaluations_missed_total")} <= {0, 2}
        until(lambda: service.logged("evaluations missed"))
        assert {line["while"] for line in service.logged("evaluations missed")} == {"no process ran"}


def _queries() -> tuple[Query, ...]:
    return decode(config(*SIGNALS), "analyzer.yaml").queries


def test_a_worker_that_dies_is_started_anew_and_a_bad_reload_changes_none(start: Start) -> None:
    with prometheus() as there:
        service = start(there.url, "--workers=2", "--interval=1s")
        until(lambda: service.ready)
        first = service.pid(1)
        os.kill(first, signal.SIGKILL)
        until(lambda: service.pid(1) not in (0, first))
        assert service.metric("airis_analyzer_worker_restarts_total", worker="1") == [1]
        assert service.metric("airis_analyzer_worker_restarts_total", worker="0") == [0]
        (told,) = service.logged("worker is gone, and is started anew")
        assert (told["worker"], told["reason"]) == (1, "it was ended by SIGKILL")
        until(lambda: service.ready)

        def judged() -> float:
            return sum(service.metric("airis_analyzer_config_queries"))

        service.config.write_text("queries: [{monitor: m}]")
        answer = requests.post(service.url + "/-/reload", timeout=10)
        assert answer.status_code == 500
        assert f"{service.config}:1:" in answer.text
        assert judged() == len(SIGNALS)
        assert service.metric("airis_analyzer_config_reloads_total", result="failed") == [1]
        service.config.write_text(config("one", "six"))
        assert requests.post(service.url + "/-/reload", timeout=30).status_code == 200
        until(lambda: judged() == 2)
        service.config.write_text(config("one"))
        service.process.send_signal(signal.SIGHUP)
        until(lambda: judged() == 1)
        assert service.metric("airis_analyzer_config_last_reload_successful") == [1]
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(20) == 0
    assert {len(values) for values in there.written.values()} == {1}


def test_workers_end_with_the_process_that_started_them(start: Start) -> None:
    with prometheus() as there:
        service = start(there.url, "--workers=2")
        until(lambda: service.ready)
        pids = [service.pid(worker) for worker in range(2)]
        assert all(map(alive, pids))
        service.kill()
        until(lambda: not any(map(alive, pids)))


@pytest.mark.slow
def test_a_worker_that_does_not_answer_holds_up_nothing(start: Start) -> None:
    with prometheus() as there:
        service = start(there.url, "--workers=2")
        until(lambda: service.ready)
        stopped = service.pid(0)
        os.kill(stopped, signal.SIGSTOP)
        until(lambda: service.metric("airis_analyzer_worker_up") == [0, 1])
        # Its last words would be lies by now.
        assert service.metric("airis_analyzer_config_queries", worker="0") == []
        assert len(service.metric("airis_analyzer_config_queries", worker="1")) == 1
        assert not service.ready
        # What it does not take, another one in its place begins with.
        assert requests.post(service.url + "/-/reload", timeout=30).status_code == 200
        assert service.logged("worker does not answer, and is started anew")
        until(lambda: service.ready)
        assert service.pid(0) != stopped
        os.kill(service.pid(0), signal.SIGSTOP)
        service.end()


def test_a_worker_that_hangs_while_it_begins_is_killed_and_started_anew(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    presence = Presence(CollectorRegistry())
    # Nobody answers there: it has nothing to do but to tell of itself.
    settings = Settings("http://127.0.0.1:9", Destination("http://127.0.0.1:9"), Schedule(), None, 600, 1)

    async def supervised() -> list[int]:
        supervisor = Supervisor(
            settings, [Shard()], presence, logging.getLogger("begins"), begins=3.0, pauses=Pauses(0.01)
        )
        failed: list[Exception] = []
        supervisor.start(Configuration(), failed.append)
        (first,) = await _pids(caplog, 1)
        os.kill(first, signal.SIGSTOP)
        pids = await _pids(caplog, 2)
        assert not alive(first)
        await supervisor.stop()
        assert not failed
        return pids

    first, _, *_ = asyncio.run(supervised())
    told = [record for record in caplog.records if record.msg == "worker does not begin, and is killed"]
    assert told[0].__dict__["pid"] == first


async def _pids(caplog: pytest.LogCaptureFixture, count: int) -> list[int]:
    """Return the processes of workers that were started, once there are so many."""

    def started() -> list[int]:
        found = [record.__dict__["pid"] for record in caplog.records if record.msg == "worker started"]
        return found if len(found) >= count else []

    return await asyncio.to_thread(until, started)


def test_what_workers_queued_is_sent_first_whatever_their_number_is_then(
    start: Start, tmp_path: Path
) -> None:
    queue = tmp_path / "queue"
    arrived: dict[object, list[int]] = defaultdict(list)
    values: dict[tuple[object, int], set[float]] = defaultdict(set)
    takes = float("inf")

    def answer(request: Request) -> Reply:
        found = [(one.labels, at, value) for one in request.series for at, value in one.values()]
        if min(at for _, at, _ in found) < takes:
            return Reply(503)
        for labels, at, value in found:
            arrived[labels].append(at)
            values[labels, at].add(value)
        return Reply(204)

    with ExitStack() as stack:
        there = stack.enter_context(prometheus())
        target = stack.enter_context(receiver(answer))
        flags = (f"--remote-write.url={target.url}", f"--remote-write.queue-path={queue}", "--interval=1s")
        queued = 0.0
        for workers in ("3", "1"):
            service = start(there.url, *flags, f"--workers={workers}")
            until(lambda: service.ready)  # noqa: B023
            there.time += 1
            before = sum(service.metric("airis_analyzer_queue_samples"))
            until(lambda: sum(service.metric("airis_analyzer_queue_samples")) > before)  # noqa: B023
            service.kill()
            there.time += 1
            queued += before
        assert queued > 0
        assert not arrived
        takes = there.time * 1000
        service = start(there.url, *flags, "--workers=2")
        until(lambda: len(service.metric("airis_analyzer_queue_samples")) == 2)
        until(lambda: 0 not in service.metric("airis_analyzer_queue_samples"))
        until(lambda: service.ready)
        # What is new would be taken. It waits for what is older.
        assert not arrived
        takes = 0
        until(lambda: not any(queue.glob("worker-*-of-3")) and not any(queue.glob("*.segment")))
        there.time += 1
        until(lambda: service.metric("airis_analyzer_queue_samples") == [0, 0])
        until(lambda: any(line["written"] for line in service.logged("queues of earlier workers")))
        until(lambda: sum(service.metric("airis_analyzer_samples_written_total")) >= queued)
        service.end()
        # Each of those that were started judged two times at least, and all of them have arrived.
        assert all(len(set(times)) >= 4 for times in arrived.values())
        assert {dict(labels)["for"] for labels in arrived} == set(SIGNALS)  # type: ignore[call-overload]
        # No series got an older value behind a newer one, nor two values for one time.
        assert all(times == sorted(times) for times in arrived.values())
        assert all(len(found) == 1 for found in values.values())


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing_that_it_had_queued(start: Start, tmp_path: Path) -> None:
    values: dict[tuple[object, int], set[float]] = defaultdict(set)
    up = False

    def answer(request: Request) -> Reply:
        for one in request.series if up else ():
            for at, value in one.values():
                values[one.labels, at].add(value)
        return Reply(204 if up else 503)

    with prometheus() as there, receiver(answer) as target:
        queue = f"--remote-write.queue-path={tmp_path / 'queue'}"
        service = start(there.url, "--workers=2", "--interval=1s", queue, f"--remote-write.url={target.url}")
        until(lambda: service.ready)
        there.time += 1
        until(lambda: min(service.metric("airis_analyzer_queue_samples")) > 20)
        queued = service.metric("airis_analyzer_queue_samples")
        for worker in range(2):
            os.kill(service.pid(worker), signal.SIGKILL)
        until(lambda: len(service.logged("worker started")) == 4)
        until(lambda: service.ready)
        # Without a --storage.path they judge the same second again, and may have queued it again by now.
        kept = service.metric("airis_analyzer_queue_samples")
        assert all(now >= before for now, before in zip(kept, queued, strict=True))
        there.time += 1
        up = True
        until(lambda: service.metric("airis_analyzer_queue_samples") == [0, 0])
        until(lambda: len({at for _, at in list(values)}) == 3)
        service.end()
    assert all(len(found) == 1 for found in values.values())


def test_a_queue_that_another_process_has_ends_the_start(start: Start, tmp_path: Path) -> None:
    queue = f"--remote-write.queue-path={tmp_path / 'queue'}"
    with prometheus() as there:
        service = start(there.url, "--workers=2", queue)
        until(lambda: service.ready)
        for workers in ("2", "1"):
            second = subprocess.run(
                [sys.executable, "-c", START, "run", f"--config.file={service.config}", queue,
                 f"--prometheus.url={there.url}", "--web.listen-address=127.0.0.1:0", f"--workers={workers}"],
                stderr=subprocess.PIPE, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert second.returncode == 1
            assert "is written to by another process" in second.stderr
        service.end()


@given(st.integers(1, 9), st.integers(1, 9), st.text(min_size=1, max_size=3))
def test_workers_divide_the_share_of_their_machine(count: int, workers: int, name: str) -> None:
    query = Query(name, "llama", "ttft", "up")
    for index in range(count):
        machine = Shard(index, count)
        found = [shard for shard in machine.split(workers) if shard.of([query])]
        assert len(found) == len(machine.of([query]))
    assert Shard(0, count).split(1) == (Shard(0, count),)


def test_more_parts_than_there_can_be_are_refused_with_how_many_there_may_be() -> None:
    with pytest.raises(ValueError, match=r"8 workers in each of 200 shards; write at most 5"):
        Shard(0, 200).split(8)
    assert len(Shard(199, 200).split(5)) == COUNT_MAX // 200


def test_a_worker_that_keeps_dying_is_left_alone_for_longer_and_longer() -> None:
    pauses, found = Pauses(first=1.0, longest=8.0), []
    pause = 0.0
    for _ in range(6):
        pause = pauses.after(pause, lived=0.1)
        found.append(pause)
    assert found == [1, 2, 4, 8, 8, 8]
    assert pauses.after(8.0, lived=9.0) == 1


def test_a_family_of_several_processes_stands_on_the_page_once() -> None:
    own, one, two = (CollectorRegistry() for _ in range(3))
    for registry, count in ((own, 1), (one, 2), (two, 3)):
        Counter("work_total", "Work.", ["kind"], registry=registry).labels("a").inc(count)
    Histogram("lag_seconds", "Lag.", buckets=(1.0,), registry=two).observe(0.5)
    registry = CollectorRegistry(support_collectors_without_names=True)
    registry.register(Together(own, lambda: {0: tuple(one.collect()), 1: tuple(two.collect())}))
    assert render(registry, "")[0].decode().splitlines() == [
        "# HELP work_total Work.",
        "# TYPE work_total counter",
        'work_total{kind="a"} 1.0',
        'work_total{kind="a",worker="0"} 2.0',
        'work_total{kind="a",worker="1"} 3.0',
        "# HELP lag_seconds Lag.",
        "# TYPE lag_seconds histogram",
        'lag_seconds_bucket{le="1.0",worker="1"} 1.0',
        'lag_seconds_bucket{le="+Inf",worker="1"} 1.0',
        'lag_seconds_count{worker="1"} 1.0',
        'lag_seconds_sum{worker="1"} 0.5',
    ]
