"""Each MUST, MUST NOT and SHOULD that the specification of remote write 2.0 lays on senders, by its words.

https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/ (2.0-rc.4). What it lays on receivers is held by
the sidecar's tests. Native histograms are not sent: nothing here measures any.
"""

from __future__ import annotations

import struct

import pytest

from airis_mon.remote_write import STALE, Asked, Delivery, Exemplar, Metadata, Sample, is_stale
from airis_mon.remote_write.metadata import KINDS, Kind
from tests.remote_write.receiver import Reply, Request
from tests.remote_write.specified import NOW, Answer, Sender, labelled, numbers, plain, sample, series_numbers
from tests.remote_write.wire import fields, symbols

MESSAGE = "application/x-protobuf;proto=io.prometheus.write.v2.Request"


@pytest.fixture(params=["auto", "2.0"])
def sender(request: pytest.FixtureRequest) -> Sender:
    version: Asked = request.param
    return Sender(version)


def test_must_send_a_compressed_message_in_the_body_of_a_post(sender: Sender) -> None:
    """Senders MUST send a serialized and compressed Protobuf Message in the body of an HTTP POST
    request and send it to the Receiver via HTTP at the provided URL path. Senders and Receivers MUST
    support the `io.prometheus.write.v2.Request`."""
    there, result = sender.send([sample()])
    (request,) = there.requests
    assert (result.sent, request.path) == (1, "/api/v1/write")
    assert numbers(plain(request)) == {4, 5}


def test_must_use_the_block_format(sender: Sender) -> None:
    """Snappy's block format MUST be used -- the framed format MUST NOT be used."""
    there, _ = sender.send([sample(pod=f"pod-{n}") for n in range(100)])
    (request,) = there.requests
    assert not request.body.startswith(b"\xff\x06\x00\x00sNaPpY")
    assert len(plain(request)) > len(request.body)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Encoding", "snappy"),
        ("Content-Type", MESSAGE),
        ("X-Prometheus-Remote-Write-Version", "2.0.0"),
    ],
)
def test_must_send_the_reserved_headers(sender: Sender, name: str, value: str) -> None:
    """Senders MUST send the following reserved headers. Senders MUST use the `snappy` value. Senders MUST use
    `application/x-protobuf` as the only media type. Senders SHOULD use the newest Remote-Write version."""
    there, _ = sender.send([sample()])
    assert there.requests[0].headers[name] == value


def test_must_include_a_user_agent(sender: Sender) -> None:
    """Senders MUST include a user agent header that SHOULD follow the RFC 9110 User-Agent header format."""
    there, _ = sender.send([sample()])
    assert there.requests[0].headers["User-Agent"].startswith("airis-mon/")


@pytest.mark.parametrize(
    "name", ["Content-Encoding", "content-type", "USER-AGENT", "X-Prometheus-Remote-Write-Version"]
)
def test_users_must_not_be_able_to_send_reserved_headers(name: str) -> None:
    """Senders MAY allow users to add custom HTTP headers; they MUST NOT allow users to configure them
    in such a way as to send reserved headers."""
    with pytest.raises(ValueError, match="leave it out"):
        Delivery("http://127.0.0.1:1/", headers={name: "mine"})


def test_must_use_0_1_0_when_talking_to_1_x_receivers(sender: Sender) -> None:
    """When talking to 1.x Receivers, Senders MUST use `X-Prometheus-Remote-Write-Version: 0.1.0` for backward
    compatibility, and SHOULD use `Content-Type: application/x-protobuf`."""
    there, result = sender.send([sample()], answer=of_1_0(415))
    assert result.sent == 1
    last = there.requests[-1].headers
    assert last["X-Prometheus-Remote-Write-Version"] == "0.1.0"
    assert last["Content-Type"] == "application/x-protobuf"


def of_1_0(status: int) -> Answer:
    def answer(request: Request) -> Reply:
        return Reply() if request.version == "0.1.0" else Reply(status, mute=True)

    return answer


@pytest.mark.parametrize("status", [200, 204])
def test_must_ignore_the_response_body(sender: Sender, status: int) -> None:
    """Senders MUST ignore the response body."""
    body = "error " * 5000 if status == 200 else ""
    _, result = sender.send([sample()], answer=lambda request: Reply(status, text=body))
    assert (result.sent, result.errors) == (1, ())


def test_must_not_interpret_the_error_message_and_should_log_it_as_is(sender: Sender) -> None:
    """Senders MUST NOT try and interpret the error message and SHOULD log it as is."""
    words = "429 Retry-After: 3; success 204\n\t<b>out of order</b>"
    there, result = sender.send([sample()], answer=lambda request: Reply(400, text=words, written=0))
    assert (len(there.requests), sender.waits) == (1, [])
    assert words in result.errors[0]


def test_a_large_error_message_is_bounded(sender: Sender) -> None:
    _, result = sender.send([sample()], answer=lambda request: Reply(400, text="e" * 100_000, written=0))
    assert 1000 < len(result.errors[0]) < 2000


def test_should_assume_415_for_2xx_without_written_headers(sender: Sender) -> None:
    """Senders SHOULD assume 415 HTTP Unsupported Media Type status code when sending the data using
    `io.prometheus.write.v2.Request` request and receiving 2xx HTTP status code, but none of the
    `X-Prometheus-Remote-Write-*-Written` response headers from the Receiver."""
    there, result = sender.send([sample()], [sample(at=NOW + 1)], answer=of_1_0(204))
    assert (result.sent, result.dropped) == (2, 0)
    assert [request.version for request in there.requests] == ["2.0.0", "0.1.0", "0.1.0"]


def test_must_not_assume_that_nothing_was_written_by_a_1_0_message_without_headers() -> None:
    """Senders MUST NOT assume the same when using the deprecated `prometheus.WriteRequest` Protobuf
    Message."""
    there, result = Sender("1.0").send([sample()], answer=lambda request: Reply(mute=True))
    assert (result.sent, len(there.requests)) == (1, 1)


def test_missing_written_headers_on_4xx_mean_that_nothing_was_written(sender: Sender) -> None:
    """Upon receiving a 2xx or a 4xx status code, Senders CAN assume that any missing
    `X-Prometheus-Remote-Write-*-Written` response header means no element from this category was written."""
    answers = iter([Reply(), Reply(404)])
    _, result = sender.send([sample()], [sample(at=NOW + 1)], answer=lambda request: next(answers))
    assert (result.sent, result.dropped) == (1, 1)


@pytest.mark.parametrize("version", ["0.1.0", "1.0.0", "2.0.0", "99"])
def test_must_not_assume_the_receivers_version_from_its_headers(sender: Sender, version: str) -> None:
    """Senders MUST NOT assume what Remote Write specification version the Receiver implements from the remote
    write response headers."""
    told = {"X-Prometheus-Remote-Write-Version": version}
    there, _ = sender.send([sample()], [sample(at=NOW + 1)], answer=lambda request: Reply(204, told))
    assert [request.version for request in there.requests] == ["2.0.0", "2.0.0"]


def test_should_send_samples_for_multiple_series_in_a_request(sender: Sender) -> None:
    """Senders SHOULD use Remote-Write to send samples for multiple series in a single request."""
    there, _ = sender.send([sample(pod=str(n)) for n in range(1500)])
    assert [len(request.series) for request in there.requests] == [1500]


def test_should_expect_400_from_1_x_receivers() -> None:
    """Senders SHOULD expect 400 HTTP Bad Request for the above reasons from 1.x Receivers, for backwards
    compatibility. (`auto`; who asks for 2.0 is held to the next sentence.)"""
    there, result = Sender("auto").send([sample()], answer=of_1_0(400))
    assert result.sent == 1
    assert [request.version for request in there.requests] == ["2.0.0", "0.1.0"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 413, 422, 499])
@pytest.mark.parametrize("mute", [True, False])
def test_must_not_retry_on_4xx(status: int, mute: bool) -> None:
    """Senders MUST NOT retry on a 4xx HTTP status codes (other than 429)."""
    sender = Sender("2.0")
    written = None if mute else 0
    there, result = sender.send(
        [sample(pod=pod) for pod in "abcd"], answer=lambda request: Reply(status, written=written)
    )
    assert (result.sent, result.dropped, sender.waits, len(there.requests)) == (0, 4, [], 1)


@pytest.mark.parametrize("asked", ["auto", "2.0"])
def test_partial_writes_are_not_retried(asked: Asked) -> None:
    """Receivers MAY write valid samples within a write request that also contains some invalid samples.
    Senders MUST NOT retry on a 4xx HTTP status codes."""
    there, result = Sender(asked).send(
        [sample(pod=pod) for pod in "abcd"], answer=lambda request: Reply(400, written=3)
    )
    assert (result.sent, result.dropped, len(there.requests)) == (3, 1, 1)


def test_may_retry_on_415_with_a_different_content_type_and_remembers_it(sender: Sender) -> None:
    """Senders MAY retry on the 415 HTTP status code with a different content type or encoding to see if the
    Receiver supports it."""
    there, result = sender.send([sample()], [sample(at=NOW + 1)], answer=of_1_0(415))
    assert result.sent == 2
    assert [request.version for request in there.requests] == ["2.0.0", "0.1.0", "0.1.0"]


def test_must_not_fall_back_on_success(sender: Sender) -> None:
    """2.x Senders also MAY automatically fall back to different content types, if the Receiver returns
    415."""
    there, _ = sender.send(*([sample(at=NOW + n)] for n in range(5)))
    assert {request.version for request in there.requests} == {"2.0.0"}


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_must_retry_on_5xx_with_a_backoff(sender: Sender, status: int) -> None:
    """Senders MUST retry write requests on 5xx HTTP. Senders MUST use a backoff algorithm to prevent
    overwhelming the server."""
    answers = iter([Reply(status)] * 4)
    there, result = sender.send([sample()], answer=lambda request: next(answers, Reply()))
    assert (result.sent, len({request.body for request in there.requests})) == (1, 1)
    assert all(0.5 * 2**n <= wait <= 2**n for n, wait in enumerate(sender.waits))
    assert len(sender.waits) == 4


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("asked", "wait"), [("7", 7.0), ("Tue, 14 Nov 2023 22:13:27 GMT", 7.0), ("soon", None)]
)
def test_may_handle_retry_after(sender: Sender, status: int, asked: str, wait: float | None) -> None:
    """Senders MAY retry on a 429 HTTP status code. Senders MAY handle the Retry-After response header to
    estimate the next retry time."""
    answers = iter([Reply(status, {"Retry-After": asked})])
    _, result = sender.send([sample()], answer=lambda request: next(answers, Reply()))
    assert result.sent == 1
    assert sender.waits == [wait] if wait is not None else 0 < sender.waits[0] <= 1.0


def test_timestamps_must_be_int64_milliseconds_and_values_float64(sender: Sender) -> None:
    """All timestamps MUST be int64 counted as milliseconds since the Unix epoch. Sample's values MUST be
    float64."""
    values = {
        NOW: 0.1 + 0.2, NOW + 1: 5e-324, 0: 0.0, -(2**63): -1.7976931348623157e308, 2**63 - 1: float("-inf"),
    }  # fmt: skip
    there, _ = sender.send([sample(value, at) for at, value in values.items()])
    assert dict(there.requests[0].series[0].values()) == values


def test_labels_refs_and_samples_must_be_provided(sender: Sender) -> None:
    """`labels_refs` MUST be provided. At least one element in `samples` or in `histograms` MUST be
    provided. A `TimeSeries` MUST NOT include both `samples` and `histograms`."""
    there, _ = sender.send([sample(pod="a"), sample(pod="b")])
    assert series_numbers(plain(there.requests[0]), 5) == [{1, 2, 5}, {1, 2, 5}]
    assert all(series.labels and series.samples for series in there.requests[0].series)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_metadata_should_be_provided(sender: Sender, kind: Kind) -> None:
    """`metadata` sub-fields SHOULD be provided."""
    sender.metadata = {"yhat": Metadata(kind, "What was expected.", "seconds")}
    there, _ = sender.send([sample()])
    assert there.requests[0].series[0].metadata == (KINDS.index(kind), "What was expected.", "seconds")


def test_exemplars_should_be_provided_with_value_and_timestamp(sender: Sender) -> None:
    """Exemplars SHOULD be provided if they exist for a series. Each exemplar MUST contain a value and a
    timestamp, and SHOULD use the `trace_id` label name."""
    exemplar = Exemplar((("span_id", "1"), ("trace_id", "ab")), 0.25, NOW - 5)
    there, _ = sender.send([Sample({"__name__": "a_bucket", "le": "1"}, NOW, 3.0, exemplar=exemplar)])
    assert there.requests[0].series[0].exemplars == ((exemplar.labels, 0.25, NOW - 5),)


def test_the_start_timestamp_should_be_provided_for_counters(sender: Sender) -> None:
    """Sample's or Histogram's `start_timestamp` SHOULD be provided for types that follow counter
    semantics."""
    counted = [
        Sample({"__name__": "a_total"}, NOW + n, float(n), start_ms=NOW - 9 + n // 2) for n in range(3)
    ]
    there, _ = sender.send([*counted, sample()])
    first, second = there.requests[0].series
    assert first.starts == (NOW - 9, NOW - 9, NOW - 8)
    assert second.starts == (0,)


def test_1_or_minus_1_must_stand_for_a_start_at_the_epoch(sender: Sender) -> None:
    """Given optionality, the 0 value MUST be treated by receivers as unset value. To represent the unlikely 0
    unix timestamp in milliseconds, "1" or "-1" value MUST be used. (`start_ms` is 0 where it is unknown.)"""
    counted = [
        Sample({"__name__": "a_total"}, NOW + n, 1.0, start_ms=start) for n, start in enumerate((1, -1, 0))
    ]
    there, _ = sender.send(counted)
    assert there.requests[0].series[0].starts == (1, -1, 0)
    first = next(
        raw for number, raw in fields(plain(there.requests[0])) if number == 5 and isinstance(raw, bytes)
    )
    assert series_numbers(first, 2) == [{1, 2, 3}, {1, 2, 3}, {1, 2}]


@pytest.mark.parametrize(
    ("exemplar", "reason"),
    [
        (Exemplar((("trace_id", ""),), 1.0, NOW), "exemplar: label 'trace_id' is empty"),
        (Exemplar((("trace_id", "\ud800"),), 1.0, NOW), "exemplar: label 'trace_id': its value is no text"),
        (Exemplar((("trace id", "a"),), 1.0, NOW), "exemplar: label 'trace id': a name has to match"),
        (Exemplar((("b", "1"), ("a", "2")), 1.0, NOW), "exemplar: its labels are not sorted by name"),
        (Exemplar((("a", "1"), ("a", "2")), 1.0, NOW), "exemplar: its labels are not sorted by name"),
        (Exemplar((), 1.0, 2**63), "exemplar: timestamp 9223372036854775808 ms does not fit 64 bits"),
    ],
)
def test_an_exemplar_that_no_message_can_hold_is_refused_with_its_sample(
    sender: Sender, exemplar: Exemplar, reason: str
) -> None:
    """Label names and values MUST be any sequence of UTF-8 characters; the underlying labels should be
    sorted lexicographically. (What else is written goes on its way.)"""
    there, result = sender.send([Sample({"__name__": "a_total"}, NOW, 1.0, exemplar=exemplar), sample()])
    assert (result.sent, result.dropped) == (1, 1)
    assert reason in result.errors[0]
    assert [dict(series.labels)["__name__"] for series in there.requests[0].series] == ["yhat"]


def test_the_symbols_must_be_deduplicated_and_begin_with_the_empty_string(sender: Sender) -> None:
    """The `symbols` table MUST be provided, and it MUST contain deduplicated strings used in series, exemplar
    labels, and metadata strings. The first element of the `symbols` table MUST be an empty string."""
    sender.metadata = {"yhat": Metadata("gauge", "yhat", "")}
    there, _ = sender.send([sample(pod=f"{n % 3}", a="b", b="a", n=str(n)) for n in range(10)])
    table = symbols(plain(there.requests[0]))
    assert table[0] == ""
    assert len(table) == len(set(table)) == len({"", "__name__", "yhat", "pod", "a", "b", "n", *"0123456789"})


def test_references_must_point_to_existing_symbols(sender: Sender) -> None:
    """References MUST point to the existing index in the `symbols` string array. (Decoding looks each
    one up.) labels_refs: this list's length is always a multiple of two."""
    there, _ = sender.send([sample(pod=str(n)) for n in range(300)])
    assert len({series.labels for series in there.requests[0].series}) == 300


def test_fields_1_to_3_are_reserved(sender: Sender) -> None:
    """reserved 1 to 3; of a TimeSeries, reserved 6. (Read as a 1.0 message, nothing is there.)"""
    there, _ = sender.send([sample()])
    assert not numbers(plain(there.requests[0])) & {1, 2, 3}
    assert all(6 not in found for found in series_numbers(plain(there.requests[0]), 5))


def test_the_complete_set_of_labels_must_be_sent_with_each_sample(sender: Sender) -> None:
    """The complete set of labels MUST be sent with each `Sample` or `Histogram` sample."""
    labels = {f"label_{n}": f"value {n}" for n in range(30)}
    there, _ = sender.send([labelled(labels)], [labelled(labels, NOW + 1)])
    for request in there.requests:
        assert dict(request.series[0].labels) == {"__name__": "yhat", **labels}


def test_label_names_must_be_sorted_and_not_repeated(sender: Sender) -> None:
    """SHOULD contain a `__name__` label. MUST NOT contain repeated label names. MUST have label names
    sorted in lexicographical order."""
    there, _ = sender.send([sample(b="1", a="2", Z="3", _c="4", a1="5", B="6")])
    names = [name for name, _ in there.requests[0].series[0].labels]
    assert names == sorted(set(names))
    assert "__name__" in names


@pytest.mark.parametrize("labels", [{"pod": ""}, {"": "a"}, {"pod": "\ud800"}])
def test_must_not_contain_empty_labels_nor_what_is_not_utf_8(sender: Sender, labels: dict[str, str]) -> None:
    """MUST NOT contain any empty label names or values. Metric names, label names, and label values
    MUST be any sequence of UTF-8 characters."""
    there, result = sender.send([labelled(labels)])
    assert (there.requests, result.dropped) == ([], 1)


@pytest.mark.parametrize("name", ["1a", "a-b", "a b", "ä"])
def test_names_should_adhere(sender: Sender, name: str) -> None:
    """Metric names SHOULD adhere to the regex `[a-zA-Z_:]([a-zA-Z0-9_:])*`. Label names SHOULD adhere to the
    regex `[a-zA-Z_]([a-zA-Z0-9_])*`."""
    there, result = sender.send([Sample({"__name__": name}, NOW, 1.0)], [labelled({name: "a"})])
    assert (there.requests, result.dropped) == ([], 2)


@pytest.mark.parametrize("value", ["🚀", "测试", "مرحبا", 'a"b\\c\nd\t', "x" * 10_000])
def test_label_values_must_be_any_utf_8(sender: Sender, value: str) -> None:
    """Metric names, label names, and label values MUST be any sequence of UTF-8 characters."""
    there, _ = sender.send([sample(pod=value)])
    assert ("pod", value) in there.requests[0].series[0].labels


def test_must_send_samples_of_a_series_in_timestamp_order(sender: Sender) -> None:
    """Senders MUST send `samples` (or `histograms`) for any given `TimeSeries` in timestamp order."""
    there, _ = sender.send([sample(float(n), NOW + n * 7 % 50) for n in range(50)][::-1])
    times = [at for at, _ in there.requests[0].series[0].values()]
    assert times == sorted(set(times))
    assert len(times) == 50


def test_stale_markers_must_be_the_special_nan_which_must_not_be_used_otherwise(sender: Sender) -> None:
    """Stale markers MUST be signalled by the special NaN value `0x7ff0000000000002`. This value MUST
    NOT be used otherwise."""
    there, _ = sender.send([sample(STALE, pod="a"), sample(float("nan"), pod="b")])
    first, second = there.requests[0].series
    assert struct.unpack("<Q", first.samples[0][1]) == (0x7FF0000000000002,)
    assert not is_stale(second.values()[0][1])


def test_a_2_0_message_read_by_its_field_numbers_has_nothing_else(sender: Sender) -> None:
    """Accidental wrong schema choices may result in non-deterministic behaviour."""
    there, _ = sender.send([sample()])
    message = plain(there.requests[0])
    assert [number for number, _ in fields(message)].count(5) == 1
