from __future__ import annotations

import random
from collections.abc import Mapping

import pytest

from airis_mon.remote_write import Asked, Backoff, Delivery, HttpWriter, Limits, Sample
from tests.remote_write.receiver import Reply, Request, receiver


class Clock:
    """Seconds that pass only in waits."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds


def sample(value: float = 1.0, at: int = 1000, name: str = "yhat", **labels: str) -> Sample:
    return Sample({"__name__": name, **labels}, at, value)


def writer(
    url: str, clock: Clock, *, budget: float = 30.0, max_samples: int = 2000, version: Asked = "1.0"
) -> HttpWriter:
    return HttpWriter(
        Delivery(url, version=version, limits=Limits(samples=max_samples)),
        budget=budget,
        backoff=Backoff(first=1.0, longest=8.0),
        clock=clock,
        now=lambda: 1_700_000_000.0,
        sleep=clock.sleep,
        chance=random.Random(1),
    )


def test_headers_are_those_of_remote_write_1_0() -> None:
    with receiver(lambda request: Reply()) as there:
        result = writer(there.url, Clock()).write([sample()])
    (request,) = there.requests
    assert (result.sent, result.dropped, result.errors) == (1, 0, ())
    assert request.headers["Content-Encoding"] == "snappy"
    assert request.headers["Content-Type"] == "application/x-protobuf"
    assert request.headers["X-Prometheus-Remote-Write-Version"] == "0.1.0"
    assert request.headers["User-Agent"].startswith("airis-mon/")


def test_batches_hold_no_more_samples_than_allowed_and_keep_time_order() -> None:
    samples = [sample(float(at), at, pod=pod) for at in range(7, 0, -1) for pod in "ab"]
    with receiver(lambda request: Reply()) as there:
        result = writer(there.url, Clock(), max_samples=4).write(samples)
    assert result.sent == 14
    sizes = [sum(len(one.samples) for one in request.series) for request in there.requests]
    assert sizes == [4, 4, 4, 2]
    for pod in "ab":
        arrived = [
            at
            for request in there.requests
            for one in request.series
            if ("pod", pod) in one.labels
            for at, _ in one.values()
        ]
        assert arrived == list(range(1, 8))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_receiver_is_asked_again_with_growing_waits(status: int) -> None:
    clock = Clock()
    answers = iter([Reply(status)] * 3 + [Reply()])
    with receiver(lambda request: next(answers)) as there:
        result = writer(there.url, clock).write([sample()])
    assert (result.sent, result.dropped) == (1, 0)
    assert len(clock.waits) == 3
    assert all(0.5 * 2**n <= wait <= 2**n for n, wait in enumerate(clock.waits))


@pytest.mark.parametrize("asked", ["7", "Tue, 14 Nov 2023 22:13:27 GMT"])
def test_retry_after_is_waited_for(asked: str) -> None:
    clock = Clock()
    answers = iter([Reply(503, {"Retry-After": asked}), Reply()])
    with receiver(lambda request: next(answers)) as there:
        assert writer(there.url, clock).write([sample()]).sent == 1
    assert clock.waits == [7.0]


def test_retry_after_beyond_the_budget_gives_up_at_once() -> None:
    clock = Clock()
    with receiver(lambda request: Reply(503, {"Retry-After": "3600"}, "overloaded")) as there:
        result = writer(there.url, clock, budget=30.0).write([sample()])
    assert (result.sent, result.dropped, clock.waits) == (0, 1, [])
    assert "overloaded" in result.errors[0]


def test_the_budget_ends_the_retries() -> None:
    clock = Clock()
    with receiver(lambda request: Reply(500, text="disk full")) as there:
        result = writer(there.url, clock, budget=10.0).write([sample()])
    assert (result.sent, result.dropped) == (0, 1)
    assert clock.seconds <= 10.0
    assert 2 <= len(there.requests) <= 20
    assert "500: disk full" in result.errors[0]


def test_a_stopped_writer_waits_no_longer() -> None:
    with receiver(lambda request: Reply(503)) as there:
        result = HttpWriter(there.url, sleep=lambda seconds: True).write([sample()])
    assert result.dropped == 1
    assert len(there.requests) == 1


def test_a_broken_connection_is_asked_again_and_named_without_credentials() -> None:
    clock = Clock()
    with receiver(lambda request: Reply()) as there:
        url = there.url
    result = writer(url.replace("//", "//user:hunter2@"), clock, budget=5.0).write([sample()])
    assert (result.sent, result.dropped) == (0, 1)
    assert len(clock.waits) >= 2
    assert "refused" in result.errors[0]
    assert "hunter2" not in result.errors[0]


@pytest.mark.parametrize("status", [301, 401, 404, 415])
def test_other_answers_are_final(status: int) -> None:
    clock = Clock()
    with receiver(lambda request: Reply(status, {"Location": "/elsewhere"}, "no")) as there:
        result = writer(there.url, clock).write([sample(pod="a"), sample(pod="b")])
    assert (result.sent, result.dropped, clock.waits) == (0, 2, [])
    assert len(there.requests) == 1
    assert f"{status}: no" in result.errors[0]


def refuse_bad(request: Request) -> Reply:
    bad = any(value == -1.0 for one in request.series for _, value in one.values())
    return Reply(400, text="out of order sample\nmore") if bad else Reply()


def test_one_refused_sample_does_not_lose_its_batch() -> None:
    samples = [sample(float(n), pod=f"p{n:03}") for n in range(300)]
    samples += [sample(-1.0, 2000, pod="p007"), sample(5.0, 3000, pod="p007")]
    with receiver(refuse_bad) as there:
        result = writer(there.url, Clock()).write(samples)
    assert (result.sent, result.dropped) == (301, 1)
    assert len(there.requests) < 30
    (error,) = result.errors
    assert "p007" in error
    assert "400: out of order sample" in error
    arrived = {(one.labels, at) for r in there.requests if refuse_bad(r).status == 204 for one in r.series
               for at, _ in one.samples}  # fmt: skip
    assert len(arrived) == 301


def test_halves_arrive_in_time_order() -> None:
    samples = [sample(-1.0 if at == 5 else 1.0, at) for at in range(1, 9)]
    with receiver(refuse_bad) as there:
        assert writer(there.url, Clock()).write(samples).dropped == 1
    taken = [at for r in there.requests if refuse_bad(r).status == 204 for at, _ in r.series[0].values()]
    assert taken == [1, 2, 3, 4, 6, 7, 8]


@pytest.mark.parametrize(
    ("labels", "value", "why"),
    [
        ({"pod": "a"}, 1.0, "__name__"),
        ({"__name__": "a-b"}, 1.0, "a-b"),
        ({"__name__": "up", "a-b": "c"}, 1.0, "label 'a-b'"),
        ({"__name__": "up", "pod": ""}, 1.0, "empty"),
        ({"__name__": "up", "pod": "\ud800"}, 1.0, "UTF-8"),
        ({"__name__": "up", "pod": "x" * 70_000}, 1.0, "longer"),
        ({"__name__": "up", **{f"l{n}": "x" for n in range(300)}}, 1.0, "labels"),
        ({"__name__": "up", "": "a"}, 1.0, "label ''"),
    ],
)
def test_unfit_samples_never_leave(labels: Mapping[str, str], value: float, why: str) -> None:
    with receiver(lambda request: Reply()) as there:
        result = writer(there.url, Clock()).write([sample(), Sample(labels, 1000, value)])
    assert (result.sent, result.dropped) == (1, 1)
    assert why in result.errors[0]
    assert len(there.requests[0].series) == 1


def test_two_values_for_one_time_keep_the_first() -> None:
    with receiver(lambda request: Reply()) as there:
        result = writer(there.url, Clock()).write([sample(1.0), sample(1.0), sample(2.0)])
    assert (result.sent, result.dropped) == (1, 1)
    assert there.requests[0].series[0].values() == [(1000, 1.0)]


def test_nothing_to_send_asks_nobody() -> None:
    with receiver(lambda request: Reply()) as there:
        assert writer(there.url, Clock()).write([]).sent == 0
    assert there.requests == []
