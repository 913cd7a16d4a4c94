from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from airis_mon.remote_write import Asked, Delivery, HttpWriter, Metadata, Sample
from tests.remote_write.receiver import Reply, Request, receiver


def sample(value: float = 1.0, at: int = 1000, **labels: str) -> Sample:
    return Sample({"__name__": "yhat", **labels}, at, value)


def writer(url: str, version: Asked = "auto", budget: float = 5.0) -> HttpWriter:
    metadata = {"yhat": Metadata("gauge", "What was expected.", "seconds")}
    return HttpWriter(
        Delivery(url, version=version, metadata=metadata),
        budget=budget,
        sleep=lambda seconds: True,
        chance=random.Random(1),
    )


def old(status: int, **reply: object) -> Callable[[Request], Reply]:
    """A receiver of 1.0, by what it answers to a message of 2.0."""

    def answer(request: Request) -> Reply:
        return Reply() if request.version == "0.1.0" else Reply(status, text="what is this", **reply)  # type: ignore[arg-type]

    return answer


@pytest.mark.parametrize("asked", ["auto", "2.0"])
def test_a_receiver_of_2_0_is_spoken_to_in_2_0(asked: Asked) -> None:
    with receiver(lambda request: Reply()) as there:
        talk = writer(there.url, asked)
        first, second = talk.write([sample()]), talk.write([sample(at=2000)])
    assert (first.sent, first.notes, second.sent, second.notes) == (1, (), 1, ())
    assert [request.version for request in there.requests] == ["2.0.0", "2.0.0"]
    (series,) = there.requests[0].series
    assert series.labels == (("__name__", "yhat"),)
    assert series.values() == [(1000, 1.0)]
    assert series.metadata == (2, "What was expected.", "seconds")


def test_who_asks_for_1_0_never_sends_2_0() -> None:
    with receiver(old(500)) as there:
        assert writer(there.url, "1.0").write([sample()]).sent == 1
    assert [request.version for request in there.requests] == ["0.1.0"]


@pytest.mark.parametrize("asked", ["auto", "2.0"])
@pytest.mark.parametrize(("status", "mute"), [(415, False), (204, True), (200, True)])
def test_1_0_is_fallen_back_to_said_once_and_remembered(asked: Asked, status: int, mute: bool) -> None:
    with receiver(old(status, mute=mute)) as there:
        talk = writer(there.url, asked)
        first, second = talk.write([sample()]), talk.write([sample(at=2000)])
    assert (first.sent, first.dropped, second.sent, second.dropped) == (1, 0, 1, 0)
    assert [request.version for request in there.requests] == ["2.0.0", "0.1.0", "0.1.0"]
    (note,) = first.notes
    assert "remote write 1.0 is used from here on" in note
    assert ("did not say what it wrote" in note) == mute
    assert second.notes == ()


def test_a_receiver_that_answers_400_to_2_0_may_be_one_of_1_0() -> None:
    with receiver(old(400)) as there:
        talk = writer(there.url)
        first, second = talk.write([sample()]), talk.write([sample(at=2000)])
    assert (first.sent, second.sent) == (1, 1)
    assert [request.version for request in there.requests] == ["2.0.0", "0.1.0", "0.1.0"]
    assert "what is this" in first.notes[0]


def test_400_to_both_versions_is_the_samples_fault_and_settles_nothing() -> None:
    with receiver(lambda request: Reply(400, text="out of order")) as there:
        talk = writer(there.url)
        for at in (1000, 2000):
            result = talk.write([sample(at=at)])
            assert (result.sent, result.dropped, result.notes) == (0, 1, ())
    assert [request.version for request in there.requests] == ["2.0.0", "0.1.0"] * 2


def test_an_established_receiver_of_2_0_that_refuses_is_not_asked_in_1_0() -> None:
    answers = iter([Reply(), Reply(400, text="out of order", written=0)])
    with receiver(lambda request: next(answers)) as there:
        talk = writer(there.url)
        assert talk.write([sample()]).sent == 1
        assert talk.write([sample(at=500), sample(at=600)]).dropped == 2
    assert [request.version for request in there.requests] == ["2.0.0", "2.0.0"]


def test_of_a_partial_write_what_was_written_counts_and_nothing_is_sent_again() -> None:
    with receiver(lambda request: Reply(400, text="1 out of order", written=2)) as there:
        result = writer(there.url).write([sample(pod=pod) for pod in "abc"])
    assert (result.sent, result.dropped) == (2, 1)
    assert len(there.requests) == 1
    assert "1 of 3 samples" in result.errors[0]
    assert "1 out of order" in result.errors[0]


@pytest.mark.parametrize("status", [400, 409, 413, 401, 404])
def test_2_0_to_the_letter_sends_nothing_again_that_was_answered_4xx(status: int) -> None:
    with receiver(lambda request: Reply(status, text="no")) as there:
        result = writer(there.url, "2.0").write([sample(pod=pod) for pod in "abcd"])
    assert (result.sent, result.dropped) == (0, 4)
    assert len(there.requests) == 1


def test_a_receiver_that_was_downgraded_is_followed() -> None:
    answers = iter([Reply(), Reply(415), Reply()])
    with receiver(lambda request: next(answers)) as there:
        talk = writer(there.url)
        assert talk.write([sample()]).notes == ()
        assert talk.write([sample(at=2000)]).notes != ()
    assert [request.version for request in there.requests] == ["2.0.0", "2.0.0", "0.1.0"]


def test_a_busy_receiver_says_nothing_of_its_version() -> None:
    answers = iter([Reply(503), Reply(429), Reply()])
    with receiver(lambda request: next(answers)) as there:
        talk = HttpWriter(there.url, sleep=lambda seconds: None)
        assert talk.write([sample()]).sent == 1
    assert {request.version for request in there.requests} == {"2.0.0"}


def test_headers_of_ones_own_are_sent_and_the_protocols_are_refused() -> None:
    with receiver(lambda request: Reply()) as there:
        HttpWriter(Delivery(there.url, headers={"X-Scope-OrgID": "chat"})).write([sample()])
    assert there.requests[0].headers["X-Scope-OrgID"] == "chat"
    for name in ("Content-Type", "content-encoding", "User-Agent", "X-Prometheus-Remote-Write-Version"):
        with pytest.raises(ValueError, match="leave it out"):
            Delivery(there.url, headers={name: "mine"})
