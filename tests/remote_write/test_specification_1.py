"""Each MUST, MUST NOT and SHOULD that the specification of remote write 1.0 lays on senders, by its words.

https://prometheus.io/docs/specs/prw/remote_write_spec/ (1.0, April 2023). What it lays on receivers is held
by the sidecar's tests. One sentence is not followed: "Senders who wish to send in a format >1.x MUST start by
sending an empty 1.x"; 2.0 replaces it by what the answer to a 2.0 request says, and forbids to conclude a
version from the headers that it relied on. `test_specification_2.py` has that. That a series which
goes on no more is ended is held by `tests/analyzer/test_endings.py`: only who writes knows when that is.
"""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest

from airis_mon.remote_write import STALE, Delivery, Limits, Metadata, Sample, is_stale
from tests.remote_write.receiver import Reply, Request
from tests.remote_write.specified import NOW, Sender, labelled, numbers, plain, sample, series_numbers
from tests.remote_write.wire import fields


@pytest.fixture
def sender() -> Sender:
    return Sender("1.0")


def test_must_encode_the_request_in_the_body_of_a_post(sender: Sender) -> None:
    """Remote write Senders MUST encode the Write Request in the body of a HTTP POST request and send it
    to the Receivers via HTTP at a provided URL path."""
    there, result = sender.send([sample()])  # the receiver knows POST alone
    (request,) = there.requests
    assert result.sent == 1
    assert request.path == "/api/v1/write"
    assert numbers(plain(request)) == {1}


def test_must_use_the_schema(sender: Sender) -> None:
    """The remote write request MUST be encoded using Google Protobuf 3, and MUST use the schema defined
    above. (Fields 2 and 3 of WriteRequest are reserved; TimeSeries has 1 and 2.)"""
    sender.metadata = {"yhat": Metadata("gauge", "help")}
    there, _ = sender.send([sample(pod="a"), sample(pod="b")])
    message = plain(there.requests[0])
    assert numbers(message) == {1}
    assert series_numbers(message, 1) == [{1, 2}, {1, 2}]


def test_timestamps_must_be_int64_milliseconds_and_values_float64(sender: Sender) -> None:
    """Timestamps MUST be int64 counted as milliseconds since the Unix epoch. Values MUST be float64."""
    values = {NOW: 0.1 + 0.2, NOW + 1: 5e-324, -(2**63): -1.7976931348623157e308, 2**63 - 1: float("inf")}
    there, _ = sender.send([sample(value, at) for at, value in values.items()])
    assert dict(there.requests[0].series[0].values()) == values


@pytest.mark.parametrize("at", [2**63, -(2**63) - 1])
def test_a_timestamp_that_is_no_int64_is_not_sent(sender: Sender, at: int) -> None:
    """Timestamps MUST be int64 counted as milliseconds since the Unix epoch."""
    there, result = sender.send([sample(at=at)])
    assert (there.requests, result.dropped) == ([], 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Encoding", "snappy"),
        ("Content-Type", "application/x-protobuf"),
        ("X-Prometheus-Remote-Write-Version", "0.1.0"),
    ],
)
def test_headers_must_be_sent(sender: Sender, name: str, value: str) -> None:
    """The following headers MUST be sent with the HTTP request. Senders MUST send the version number in a
    headers."""
    there, _ = sender.send([sample()])
    assert there.requests[0].headers[name] == value


def test_the_user_agent_must_name_the_sender_and_its_version(sender: Sender) -> None:
    """`User-Agent: <name & version of the sender>`"""
    there, _ = sender.send([sample()])
    name, _, version = there.requests[0].headers["User-Agent"].partition("/")
    assert name == "airis-mon"
    assert version


@pytest.mark.parametrize(
    "name", ["Content-Encoding", "content-type", "USER-AGENT", "X-Prometheus-Remote-Write-Version"]
)
def test_users_must_not_be_able_to_send_reserved_headers(name: str) -> None:
    """Clients MAY allow users to send custom HTTP headers; they MUST NOT allow users to configure them
    in such a way as to send reserved headers."""
    with pytest.raises(ValueError, match="leave it out"):
        Delivery("http://127.0.0.1:1/", headers={name: "mine"})


def test_the_body_must_be_compressed_with_snappys_block_format(sender: Sender) -> None:
    """The remote write request in the body of the HTTP POST MUST be compressed with Google's Snappy.
    The block format MUST be used - the framed format MUST NOT be used."""
    there, _ = sender.send([sample(pod=f"pod-{n}") for n in range(100)])
    (request,) = there.requests
    assert not request.body.startswith(b"\xff\x06\x00\x00sNaPpY")
    size, shift = 0, 0
    for byte in request.body:  # a block begins with the size of what it holds
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    assert size == len(plain(request)) > len(request.body)


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_must_ignore_the_response_body(sender: Sender, status: int) -> None:
    """Clients MUST ignore the response body."""
    body = "" if status == 204 else "error: everything was refused " * 100
    there, result = sender.send([sample()], answer=lambda request: Reply(status, text=body))
    assert (result.sent, result.dropped, result.errors, len(there.requests)) == (1, 0, (), 1)


def test_the_complete_set_of_labels_must_be_sent_with_each_sample(sender: Sender) -> None:
    """The complete set of labels MUST be sent with each sample."""
    labels = {f"label_{n}": f"value {n}" for n in range(30)}
    there, _ = sender.send([labelled(labels, NOW + n) for n in range(3)], [labelled(labels, NOW + 9)])
    for request in there.requests:
        for series in request.series:
            assert dict(series.labels) == {"__name__": "yhat", **labels}


def test_labels_should_contain_a_name(sender: Sender) -> None:
    """SHOULD contain a `__name__` label."""
    there, result = sender.send([Sample({"pod": "a"}, NOW, 1.0)])
    assert (there.requests, result.dropped) == ([], 1)


def test_label_names_must_be_sorted_and_not_repeated(sender: Sender) -> None:
    """MUST NOT contain repeated label names. MUST have label names sorted in lexicographical order."""
    there, _ = sender.send([sample(b="1", a="2", Z="3", _c="4", a1="5", B="6")])
    names = [name for name, _ in there.requests[0].series[0].labels]
    assert names == sorted(set(names))
    assert names[:3] == ["B", "Z", "__name__"]


@pytest.mark.parametrize("labels", [{"pod": ""}, {"": "a"}])
def test_must_not_contain_empty_label_names_or_values(sender: Sender, labels: dict[str, str]) -> None:
    """MUST NOT contain any empty label names or values."""
    there, result = sender.send([labelled(labels)])
    assert (there.requests, result.dropped) == ([], 1)


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a b", "ä", "a\n", "a.b"])
def test_metric_and_label_names_must_adhere(sender: Sender, name: str) -> None:
    """Metric names MUST adhere to the regex `[a-zA-Z_:]([a-zA-Z0-9_:])*`. Label names MUST adhere to
    the regex `[a-zA-Z_]([a-zA-Z0-9_])*`."""
    there, result = sender.send([Sample({"__name__": name}, NOW, 1.0)], [labelled({name: "a"})])
    assert (there.requests, result.dropped) == ([], 2)


def test_colons_belong_to_metric_names_alone(sender: Sender) -> None:
    """Metric names MUST adhere to the regex `[a-zA-Z_:]([a-zA-Z0-9_:])*`, label names to one without a
    colon."""
    there, result = sender.send([sample(name="job:yhat:rate5m"), labelled({"a:b": "c"})])
    assert (result.sent, result.dropped) == (1, 1)
    assert ("__name__", "job:yhat:rate5m") in there.requests[0].series[0].labels


@pytest.mark.parametrize("value", ["🚀", "测试", "مرحبا", 'a"b\\c\nd\t', "x" * 10_000, "\x7f", " "])
def test_label_values_may_be_any_utf_8(sender: Sender, value: str) -> None:
    """Label values MAY be any sequence of UTF-8 characters."""
    there, _ = sender.send([sample(pod=value)])
    assert ("pod", value) in there.requests[0].series[0].labels


def test_must_not_interpret_the_error_message_and_should_log_it_as_is(sender: Sender) -> None:
    """Senders MUST NOT try and interpret the error message, and SHOULD log it as is."""
    words = "429 Retry-After: 3; success 204\n\t<b>out of order</b>"
    there, result = sender.send([sample()], answer=lambda request: Reply(400, text=words))
    assert (len(there.requests), sender.waits) == (1, [])
    assert words in result.errors[0]


def test_must_send_samples_of_a_series_in_timestamp_order(sender: Sender) -> None:
    """Prometheus Remote Write compatible senders MUST send samples for any given series in timestamp
    order."""
    given = [sample(float(n), NOW + n * 7 % 50, pod=str(n % 3)) for n in range(50)]
    later = [sample(float(n), NOW + 100 + n, pod="0") for n in range(4)]
    there, _ = sender.send(given[::-1], later[::-1], limits=Limits(samples=7))
    for pod in "012":
        times = [
            at
            for request in there.requests
            for series in request.series
            if ("pod", pod) in series.labels
            for at, _ in series.values()
        ]
        assert times == sorted(times)


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 599])
def test_must_retry_on_5xx_with_a_backoff(sender: Sender, status: int) -> None:
    """Prometheus Remote Write compatible senders MUST retry write requests on HTTP 5xx responses and
    MUST use a backoff algorithm to prevent overwhelming the server."""
    answers = iter([Reply(status)] * 4)
    there, result = sender.send([sample()], answer=lambda request: next(answers, Reply()))
    assert (result.sent, result.dropped) == (1, 0)
    assert len({request.body for request in there.requests}) == 1
    assert len(there.requests) == 5
    assert all(later > earlier for earlier, later in pairwise(sender.waits))
    assert all(0.5 * 2**n <= wait <= 2**n for n, wait in enumerate(sender.waits))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 413, 415, 422, 451, 499])
def test_must_not_retry_on_4xx(sender: Sender, status: int) -> None:
    """They MUST NOT retry write requests on HTTP 2xx and 4xx responses other than 429."""
    there, result = sender.send(
        [sample(pod=pod) for pod in "abcd"], answer=lambda request: Reply(status, {"Retry-After": "1"})
    )
    assert (result.sent, result.dropped, sender.waits) == (0, 4, [])
    bodies = [request.body for request in there.requests]
    assert len(set(bodies)) == len(bodies), "a part of a request that was rolled back is another request"


def test_must_not_retry_on_2xx(sender: Sender) -> None:
    """They MUST NOT retry write requests on HTTP 2xx and 4xx responses other than 429."""
    there, _ = sender.send([sample()], answer=lambda request: Reply(200, {"Retry-After": "1"}))
    assert len(there.requests) == 1


def test_may_retry_on_429(sender: Sender) -> None:
    """They MAY retry on HTTP 429 responses."""
    answers = iter([Reply(429, {"Retry-After": "3"})])
    _, result = sender.send([sample()], answer=lambda request: next(answers, Reply()))
    assert (result.sent, sender.waits) == (1, [3.0])


def test_stale_markers_must_be_the_special_nan(sender: Sender) -> None:
    """Stale markers MUST be signalled by the special NaN value 0x7ff0000000000002."""
    there, _ = sender.send([sample(STALE)])
    ((_, raw),) = there.requests[0].series[0].samples
    assert struct.unpack("<Q", raw) == (0x7FF0000000000002,)


@pytest.mark.parametrize("value", [float("nan"), -float("nan"), float("inf") - float("inf"), 0.0, 1.0])
def test_the_special_nan_must_not_be_used_otherwise(sender: Sender, value: float) -> None:
    """This value MUST NOT be used otherwise."""
    there, result = sender.send([sample(value)])
    ((_, raw),) = there.requests[0].series[0].samples
    assert result.sent == 1
    assert not is_stale(struct.unpack("<d", raw)[0])


def test_must_preserve_the_order_of_each_series_across_requests(sender: Sender) -> None:
    """When senders do implement parallelisation they MUST preserve per-series sample ordering. (There
    is none: a request begins when the one before it was answered, retries included.)"""
    answers = iter([Reply(503), Reply(), Reply(500), Reply(500)])
    seen: list[int] = []

    def answer(request: Request) -> Reply:
        reply = next(answers, Reply())
        if reply.status == 204:
            seen.extend(at for at, _ in request.series[0].values())
        return reply

    sender.send([sample(at=NOW)], [sample(at=NOW + 1)], [sample(at=NOW + 2)], answer=answer)
    assert seen == [NOW, NOW + 1, NOW + 2]


def test_batches_should_hold_many_series(sender: Sender) -> None:
    """The remote write protocol contains opportunities for batching, e.g. sending multiple samples for
    different series in a single request."""
    there, _ = sender.send([sample(pod=f"{n}") for n in range(1500)])
    assert len(there.requests) == 1
    assert len([1 for number, _ in fields(plain(there.requests[0])) if number == 1]) == 1500


def test_nothing_to_send_is_no_request(sender: Sender) -> None:
    there, result = sender.send([])
    assert (there.requests, result.sent) == ([], 0)
