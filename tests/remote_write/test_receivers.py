"""Receivers that are not run here, by what their documentation and sources say that they answer.

Mimir: https://grafana.com/docs/mimir/latest/manage/mimir-runbooks/ (err-mimir-...), and its distributor's
push.go. Thanos receive: `pkg/receive/handler.go`. Each answer leads to one of three decisions: ask again
later, drop (and find the sample at fault), or speak another version.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from airis_mon.remote_write import Asked
from tests.remote_write.receiver import Reply, Request
from tests.remote_write.specified import NOW, Sender, sample

MIMIR = "the sample has been rejected because {} (err-mimir-{}). The affected sample is from series yhat"


@dataclass(frozen=True)
class Case:
    """What a receiver answers to a request with a sample of pod b."""

    status: int
    text: str
    dropped: int
    waits: int
    headers: tuple[tuple[str, str], ...] = ()


def mimir(status: int, why: str, code: str, headers: tuple[tuple[str, str], ...] = ()) -> Case:
    later = status == 429 or status >= 500
    return Case(status, MIMIR.format(why, code), 0 if later else 1, 1 if later else 0, headers)


CASES = {
    "mimir: out of order": mimir(400, "a more recent one has been ingested", "sample-out-of-order"),
    "mimir: too old": mimir(400, "its timestamp is too old", "sample-timestamp-too-old"),
    "mimir: a second value": mimir(400, "another value has been ingested", "sample-duplicate-timestamp"),
    "mimir: in the future": mimir(400, "its timestamp is too far in the future", "too-far-in-future"),
    "mimir: many labels": mimir(400, "it has too many labels", "max-label-names-per-series"),
    "mimir: a long label": mimir(400, "a label value is too long", "label-value-too-long"),
    "mimir: many series": mimir(400, "of the per-user series limit", "max-series-per-user"),
    "mimir: too much": mimir(
        429, "the tenant exceeded its rate", "tenant-max-ingestion-rate", (("Retry-After", "4"),)
    ),
    "mimir: too often": mimir(429, "the tenant exceeded its rate", "tenant-max-request-rate"),
    "mimir: an instance limit": mimir(500, "of its limit", "ingester-max-inflight-push-requests"),
    "mimir: an ingester restarts": Case(503, "at least 2 live replicas required, could only find 1", 0, 1),
    "thanos: out of order, or a second value": Case(409, "store locally for endpoint: conflict", 1, 0),
    "thanos: not ready": Case(503, "target not available", 0, 1),
    "thanos: too many series": Case(429, "tenant is above active series limit", 0, 1),
    "thanos: bad labels": Case(400, "label set contains a label with empty name or value", 1, 0),
    "thanos: too large": Case(413, "write request too large", 1, 0),
    "a proxy: too large": Case(413, "<html><h1>413 Request Entity Too Large</h1></html>", 1, 0),
    "a proxy: nobody behind it": Case(502, "Bad Gateway", 0, 1),
    "a proxy: too slow": Case(504, "Gateway Timeout", 0, 1),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_answer_leads_to_its_decision(case: Case) -> None:
    told: list[int] = []

    def answer(request: Request) -> Reply:
        at_fault = any(("pod", "b") in series.labels for series in request.series)
        if at_fault and (case.dropped or not told):
            told.append(case.status)
            return Reply(case.status, dict(case.headers), case.text)
        return Reply()

    sender = Sender("1.0")
    _, result = sender.send([sample(pod=pod) for pod in "abc"], answer=answer)
    assert (result.sent, result.dropped, len(sender.waits)) == (3 - case.dropped, case.dropped, case.waits)
    if case.headers:
        assert sender.waits == [4.0]
    if case.dropped:
        assert case.text in result.errors[0]


@pytest.mark.parametrize("asked", ["auto", "2.0"])
def test_mimir_keeps_what_is_good_of_a_2_0_request(asked: Asked) -> None:
    text = MIMIR.format("it is old", "sample-out-of-order")
    there, result = Sender(asked).send(
        [sample(pod=pod) for pod in "abc"], answer=lambda request: Reply(400, text=text, written=2)
    )
    assert (result.sent, result.dropped, len(there.requests)) == (2, 1, 1)


def test_mimir_that_keeps_the_rest_of_a_1_0_request_takes_it_twice() -> None:
    """It answers 400 and has kept what was good; the halves hold the same values, which it takes again."""
    kept: set[tuple[str, float]] = set()

    def answer(request: Request) -> Reply:
        pods = {dict(series.labels)["pod"]: series.values()[0][1] for series in request.series}
        kept.update((pod, value) for pod, value in pods.items() if pod != "b")
        return Reply(400, text="err-mimir-sample-out-of-order") if "b" in pods else Reply()

    _, result = Sender("1.0").send([sample(ord(pod), pod=pod) for pod in "abc"], answer=answer)
    assert (result.sent, result.dropped) == (2, 1)
    assert kept == {("a", 97.0), ("c", 99.0)}


@pytest.mark.parametrize("status", [415, 400])
def test_a_thanos_of_before_2_0_is_written_to_in_1_0(status: int) -> None:
    def answer(request: Request) -> Reply:
        exact = request.headers["Content-Type"] == "application/x-protobuf"
        return Reply(200) if exact else Reply(status, text="unsupported remote write protobuf message")

    _, result = Sender("auto").send([sample()], [sample(at=NOW + 1)], answer=answer)
    assert (result.sent, len(result.notes)) == (2, 1)


def test_a_batch_that_is_at_fault_throughout_is_not_taken_apart() -> None:
    there, result = Sender("1.0").send(
        [sample(pod=str(n)) for n in range(2000)], answer=lambda request: Reply(400, text="too old")
    )
    assert (result.sent, result.dropped) == (0, 2000)
    assert len(there.requests) < 300
