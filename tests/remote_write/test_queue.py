"""The queue of the writer: nothing queued is lost, and no series gets two values for one time."""

from __future__ import annotations

import json
import random
import signal
import socket
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import requests

from airis_mon.journal import Bounds, JournalLockedError, Queue
from airis_mon.journal.fake import FaultyFiles
from airis_mon.remote_write import Backoff, DeadLetters, Delivery, QueuedWriter, Refusal, Sample
from tests import waiting
from tests.remote_write.receiver import Receiver, Reply, Request, receiver

PODS = "abc"
PROCESS = (sys.executable, "-m", "tests.remote_write.process")


class Time:
    """Seconds that the test makes pass."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def samples(at: int, value: float = 0.0, pods: str = PODS) -> list[Sample]:
    return [Sample({"__name__": "yhat", "pod": pod}, at * 1000, value + at) for pod in pods]


@contextmanager
def opened(
    url: str, folder: Path, time: Time | None = None, bounds: Bounds | None = None, **more: Any
) -> Iterator[QueuedWriter]:
    clock = time or Time()
    delivery = Delivery(url, session=more.pop("session", None))
    queue = Queue(folder, bounds or Bounds(), more.pop("files", None), now=clock)
    writer = QueuedWriter(
        delivery,
        queue,
        backoff=Backoff(first=10.0, longest=10.0),
        clock=clock,
        now=clock,
        chance=random.Random(1),
        **more,
    )
    try:
        writer.open()
        yield writer
    finally:
        queue.close()
        delivery.close()


def arrived(there: Receiver) -> dict[Any, set[float]]:
    """Values by series and time, of all requests, whatever was answered to them."""
    found: dict[Any, set[float]] = defaultdict(set)
    for request in there.requests:
        for series in request.series:
            for at, value in series.values():
                found[series.labels, at].add(value)
    return found


def test_what_the_receiver_takes_is_not_kept(tmp_path: Path) -> None:
    with receiver(lambda request: Reply()) as there, opened(there.url, tmp_path) as writer:
        for at in range(1, 4):
            result = writer.write(samples(at))
            assert (result.sent, result.dropped, result.queued) == (3, 0, 0)
        assert writer.backlog().samples == 0
    assert len(there.requests) == 3


def test_an_outage_is_waited_out_in_order_and_without_insisting(tmp_path: Path) -> None:
    up = False
    time = Time()
    with (
        receiver(lambda request: Reply(204 if up else 503)) as there,
        opened(there.url, tmp_path, time) as writer,
    ):
        for at in range(1, 5):
            result = writer.write(samples(at))
            assert (result.sent, result.dropped, result.queued) == (0, 0, 3)
            assert ["wait in the queue" in note for note in result.notes] == [True][: at == 1]
            time.seconds += 1
        assert len(there.requests) == 1, "it backs off"
        backlog = writer.backlog()
        assert (backlog.samples, backlog.seconds) == (12, 4.0)
        time.seconds += 20
        up = True
        result = writer.write(samples(5))
        assert (result.sent, result.queued) == (15, 0)
    for pod in PODS:
        times = [
            at
            for request in there.requests[1:]
            for series in request.series
            if ("pod", pod) in series.labels
            for at, _ in series.values()
        ]
        assert times == [1000, 2000, 3000, 4000, 5000]


def test_retry_after_is_kept_to_between_writes(tmp_path: Path) -> None:
    answers = iter([Reply(429, {"Retry-After": "100"}), Reply(), Reply()])
    time = Time()
    with receiver(lambda request: next(answers)) as there, opened(there.url, tmp_path, time) as writer:
        writer.write(samples(1))
        time.seconds += 99
        assert writer.write(samples(2)).sent == 0
        time.seconds += 2
        assert writer.write([]).sent == 6


def test_what_is_queued_survives_a_restart(tmp_path: Path) -> None:
    with receiver(lambda request: Reply(503)) as there, opened(there.url, tmp_path) as writer:
        writer.write(samples(1))
        writer.write(samples(2))
    with receiver(lambda request: Reply()) as there, opened(there.url, tmp_path) as writer:
        result = writer.write(samples(3))
        assert (result.sent, result.queued) == (9, 0)
        assert "6 samples of before the start are queued" in result.notes[0]
    assert arrived(there) == {
        ((("__name__", "yhat"), ("pod", pod)), at * 1000): {float(at)} for pod in PODS for at in (1, 2, 3)
    }


@pytest.mark.parametrize("status", [204, 503])
def test_a_second_value_after_a_restart_is_left_out(tmp_path: Path, status: int) -> None:
    with receiver(lambda request: Reply(status)) as there, opened(there.url, tmp_path) as writer:
        writer.write(samples(1))
        writer.write(samples(2, pods="ab"))
    with receiver(lambda request: Reply()) as again, opened(again.url, tmp_path) as writer:
        notes = writer.write(samples(2, value=50.0)).notes
        assert "2 samples had been queued before the start" in " ".join(notes)
        writer.write(samples(3, value=50.0))
    both = arrived(there)
    for key, values in arrived(again).items():
        both[key] |= values
    read = {(dict(labels)["pod"], at // 1000): values for (labels, at), values in both.items()}
    assert read == {
        **{(pod, 1): {1.0} for pod in "abc"},
        **{(pod, 2): {2.0} for pod in "ab"},
        ("c", 2): {52.0},
        **{(pod, 3): {53.0} for pod in "abc"},
    }


def test_a_refused_sample_is_lost_alone_and_does_not_hold_up_the_queue(tmp_path: Path) -> None:
    def answer(request: Request) -> Reply:
        bad = any(value < 0 for series in request.series for _, value in series.values())
        return Reply(400, text="out of order") if bad else Reply()

    letters = DeadLetters(tmp_path / "dead.jsonl")
    with receiver(answer) as there, opened(there.url, tmp_path / "queue", refused=letters) as writer:
        result = writer.write([*samples(1), Sample({"__name__": "yhat", "pod": "d"}, 1000, -1.0)])
        assert (result.sent, result.dropped, result.queued) == (3, 1, 0)
        assert writer.write(samples(2)).sent == 3
    (line,) = map(json.loads, (tmp_path / "dead.jsonl").read_text().splitlines())
    assert line["labels"]["pod"] == "d"


def test_a_part_that_was_taken_is_not_sent_again(tmp_path: Path) -> None:
    busy = True

    def answer(request: Request) -> Reply:
        values = [value for series in request.series for _, value in series.values()]
        if request.version == "2.0.0":
            return Reply(415)
        if len(values) > 1:
            return Reply(400)
        return Reply(503 if busy and values == [3.0] else 204)

    time = Time()
    with receiver(answer) as there, opened(there.url, tmp_path, time) as writer:
        rows = [
            Sample({"__name__": "yhat", "pod": pod}, 1000, value)
            for pod, value in zip("abcd", (1.0, 2.0, 3.0, 4.0), strict=True)
        ]
        assert writer.write(rows).sent == 2
        time.seconds += 60
        busy = False
        assert writer.write([]).sent == 2
    single = [request.series[0].values() for request in there.requests if request.samples == 1]
    assert single == [[(1000, value)] for value in (1.0, 2.0, 3.0, 3.0, 4.0)]


def test_the_oldest_goes_where_the_queue_is_full_or_too_old(tmp_path: Path) -> None:
    lost: list[Refusal] = []
    time = Time()
    bounds = Bounds(bytes=600, seconds=50.0)
    with (
        receiver(lambda request: Reply(503)) as there,
        opened(there.url, tmp_path, time, bounds, refused=lost.extend) as writer,
    ):
        dropped = sum(writer.write(samples(at)).dropped for at in range(1, 8))
        assert dropped == len(lost) > 0
        assert [refusal.timestamp_ms for refusal in lost] == sorted(refusal.timestamp_ms for refusal in lost)
        assert lost[0].timestamp_ms == 1000
        assert "the queue is full" in lost[0].reason
        assert writer.backlog().samples == 21 - dropped
        time.seconds += 51
        assert writer.write([]).dropped == 21 - dropped
        assert "longer than the queue may keep it" in lost[-1].reason
        assert writer.backlog().samples == 0


def test_what_is_held_is_queued_and_sent_when_it_is_released(tmp_path: Path) -> None:
    time = Time()
    with (
        receiver(lambda _: Reply(204)) as there,
        opened(there.url, tmp_path, time, Bounds(seconds=50), held=True) as writer,
    ):
        assert (writer.write(samples(1)).queued, there.requests) == (3, [])
        time.seconds += 51
        assert writer.write(samples(2)).dropped == 3  # too old by now, held or not
        writer.release()
        assert writer.write(samples(3)).sent == 6
    assert {at for _, at in arrived(there)} == {2000, 3000}


def test_what_is_answered_500_for_ever_does_not_hold_up_the_queue(tmp_path: Path) -> None:
    """Prometheus 2.42 with an out-of-order window answers 500 to samples that are older than it."""
    up = False

    def answer(request: Request) -> Reply:
        times = [at for series in request.series for at, _ in series.values()]
        return Reply(500 if not up or min(times) < 3000 else 204, text="too old sample")

    lost: list[Refusal] = []
    time = Time()
    with receiver(answer) as there, opened(there.url, tmp_path, time, refused=lost.extend) as writer:
        for at in range(1, 6):
            assert writer.write(samples(at)).dropped == 0
            assert not writer.stuck
            time.seconds += 60
        time.seconds += 300
        assert writer.write([]).dropped == 0, "where nothing is taken, nothing is at fault"
        assert writer.stuck
        up = True
        time.seconds += 60
        result = writer.write([])
        assert (result.sent, result.dropped) == (9, 6)
        assert "newer samples are taken" in " ".join(result.notes)
        assert writer.backlog().samples == 0
        assert not writer.stuck
    assert {refusal.timestamp_ms for refusal in lost} == {1000, 2000}
    assert "too old sample" in lost[0].reason
    assert all(len(values) == 1 for values in arrived(there).values())


def test_a_sample_that_is_answered_500_for_ever_is_lost_alone(tmp_path: Path) -> None:
    def answer(request: Request) -> Reply:
        bad = any(
            ("pod", "b") in series.labels and series.values()[0][0] == 1000 for series in request.series
        )
        return Reply(500 if bad else 204)

    lost: list[Refusal] = []
    time = Time()
    with receiver(answer) as there, opened(there.url, tmp_path, time, refused=lost.extend) as writer:
        sent = 0
        for at in (1, 2):
            sent += writer.write(samples(at)).sent
            time.seconds += 400
        assert sent == 5
        assert writer.backlog().samples == 0
    assert [(dict(refusal.labels)["pod"], refusal.timestamp_ms) for refusal in lost] == [("b", 1000)]


def test_what_the_disk_damaged_is_counted_and_the_rest_arrives(tmp_path: Path) -> None:
    with receiver(lambda request: Reply(503)) as there, opened(there.url, tmp_path) as writer:
        for at in range(1, 4):
            writer.write(samples(at))
    (segment,) = sorted(tmp_path.glob("*.segment"))
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    with receiver(lambda request: Reply()) as there, opened(there.url, tmp_path) as writer:
        result = writer.write([])
        assert result.sent == 6
        assert "1 places of the queue are damaged" in " ".join(result.notes)
        assert writer.backlog().damaged == 1


def test_a_disk_without_room_is_written_past_while_nothing_waits(tmp_path: Path) -> None:
    files = FaultyFiles(free=10)
    statuses = iter([204, 503])
    with (
        receiver(lambda request: Reply(next(statuses))) as there,
        opened(there.url, tmp_path, files=files) as writer,
    ):
        assert writer.write(samples(1)).sent == 3
        result = writer.write(samples(2))
    assert (result.sent, result.dropped, result.queued) == (0, 3, 0)
    assert "10 bytes are free" in result.errors[0]


def test_two_writers_do_not_share_a_queue(tmp_path: Path) -> None:
    with (
        opened("http://127.0.0.1:1/", tmp_path),
        pytest.raises(JournalLockedError),
        opened("http://127.0.0.1:1/", tmp_path),
    ):
        pass


def test_the_thread_delivers_between_writes(tmp_path: Path) -> None:
    statuses = iter([503])
    with receiver(lambda request: Reply(next(statuses, 204))) as there:
        writer = QueuedWriter(Delivery(there.url), Queue(tmp_path), backoff=Backoff(0.01, 0.01))
        writer.open()
        writer.start()
        first = writer.write(samples(1))
        waiting.until(lambda: writer.backlog().samples == 0)
        writer.close()
    assert first.sent in (0, 3)
    assert len(there.requests) == 2


def test_the_end_does_not_wait_for_a_receiver_that_hangs(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        writer = QueuedWriter(Delivery(url, timeout=30.0), Queue(tmp_path), budget=30.0)
        writer.open()
        writer.start()
        writing = threading.Thread(target=writer.write, args=(samples(1),), daemon=True)
        writing.start()
        connection, _ = silent.accept()
        began = monotonic()
        writer.close()
        assert monotonic() - began < 10
        connection.close()
        silent.close()
        writing.join(30)


class Killed(BaseException):
    """The end of a process, at one of the things that it does."""


class Life:
    """One process, as files and a session that end it at its nth deed."""

    def __init__(self, last: int) -> None:
        self.deeds = 0
        self.last = last
        self.files = FaultyFiles(self._file)
        self.session = requests.Session()
        post = self.session.post

        def posted(*args: Any, **kwargs: Any) -> requests.Response:
            self._deed()
            answer = post(*args, **kwargs)
            self._deed()
            return answer

        self.session.post = posted  # type: ignore[method-assign]

    def _file(self, operation: str, path: Path) -> int:
        self._deed()
        return 0

    def _deed(self) -> None:
        self.deeds += 1
        if self.deeds == self.last:
            raise Killed


@pytest.mark.parametrize("power_cut", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_killed_at_any_of_its_deeds_nothing_queued_is_lost_or_sent_with_two_values(
    tmp_path: Path, power_cut: bool
) -> None:
    last, done = 0, False
    while not done:
        last += 1
        folder = tmp_path / str(last)
        busy = iter([204, 503, 503])
        acknowledged: set[int] = set()
        with receiver(lambda request, busy=busy: Reply(next(busy, 204))) as there:  # type: ignore[misc]
            life, time = Life(last), Time()
            try:
                with opened(
                    there.url, folder, time, Bounds(segment_bytes=400), files=life.files, session=life.session
                ) as writer:
                    for at in range(1, 6):
                        writer.write(samples(at))
                        acknowledged.add(at)
                        time.seconds += 60
                done = True
            except Killed:
                pass
            if power_cut:
                life.files.crash(lambda unsynced: unsynced // 2)
            with opened(there.url, folder, time) as writer:
                for at in range(max(acknowledged, default=1), 7):
                    writer.write(samples(at, value=100.0))
                    time.seconds += 60
                assert writer.backlog().samples == 0
            found = arrived(there)
        assert all(len(values) == 1 for values in found.values()), f"killed at deed {last}"
        assert {at // 1000 for _, at in found} == set(range(1, 7)), f"killed at deed {last}"
        for (_, at), values in found.items():
            if at // 1000 in acknowledged:
                assert values == {at / 1000}, f"killed at deed {last}"
    assert last > 20


def test_kill_9_of_a_real_process_loses_nothing_that_was_queued(tmp_path: Path) -> None:
    chance = random.Random(7)
    acknowledged: list[int] = []
    with receiver(lambda request: Reply(503 if chance.random() < 0.3 else 204)) as there:
        for life in range(3):
            first = str(max(acknowledged, default=1))
            process = subprocess.Popen(
                [*PROCESS, there.url, str(tmp_path), first, str(life)], stdout=subprocess.PIPE, text=True
            )
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(chance.randint(1, 25))]
            process.send_signal(signal.SIGKILL)
            lines += process.stdout.read().splitlines()
            acknowledged += [int(line) for line in lines]
            process.wait()
            process.stdout.close()
        writer = QueuedWriter(Delivery(there.url), Queue(tmp_path), backoff=Backoff(0.01, 0.01))
        writer.open()
        writer.start()
        waiting.until(lambda: writer.backlog().samples == 0)
        writer.close()
        found = arrived(there)
    assert all(len(values) == 1 for values in found.values())
    assert set(acknowledged) <= {at // 1000 for _, at in found}
    assert len({labels for labels, _ in found}) == 20
