"""What is sent and read on the wire, held against protobuf's own reading of it."""

from __future__ import annotations

import contextlib
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given, settings
from hypothesis import strategies as st

from airis_mon.remote_read import Query, RawSeries, write_body
from airis_mon.remote_read.message import answered, request
from airis_mon.remote_write import write_request

Field = descriptor_pb2.FieldDescriptorProto


def read_request() -> Any:
    """The class of `prometheus.ReadRequest`, as prompb/remote.proto has it."""
    file = descriptor_pb2.FileDescriptorProto(name="read.proto", package="read", syntax="proto3")
    messages: dict[str, list[tuple[str, int, Any]]] = {
        "Matcher": [
            ("type", 1, Field.TYPE_INT32),
            ("name", 2, Field.TYPE_STRING),
            ("value", 3, Field.TYPE_STRING),
        ],
        "Query": [("start", 1, Field.TYPE_INT64), ("end", 2, Field.TYPE_INT64), ("matchers", 3, "Matcher")],
        "ReadRequest": [("queries", 1, "Query")],
    }
    for name, fields in messages.items():
        described = file.message_type.add(name=name)
        for field, number, kind in fields:
            if isinstance(kind, str):
                described.field.add(
                    name=field, number=number, type=Field.TYPE_MESSAGE, type_name=f".read.{kind}",
                    label=Field.LABEL_REPEATED,
                )  # fmt: skip
            else:
                described.field.add(name=field, number=number, type=kind, label=Field.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("read.ReadRequest"))


words = st.text(max_size=20)  # of which no message below grows beyond 16 KiB
matchers = st.tuples(words, st.sampled_from(["=", "!=", "=~", "!~"]), words)
times = st.integers(-(2**63), 2**63 - 1)
queries = st.builds(Query, st.lists(matchers, max_size=4).map(tuple), times, times)


@settings(deadline=None)
@given(st.lists(queries, max_size=4))
def test_a_request_is_read_as_it_was_meant(given: list[Query]) -> None:
    parsed = read_request().FromString(request(given))
    assert [
        (query.start, query.end, [(m.name, m.type, m.value) for m in query.matchers])
        for query in parsed.queries
    ] == [
        (
            query.start_ms,
            query.end_ms,
            [(n, ["=", "!=", "=~", "!~"].index(o), v) for n, o, v in query.matchers],
        )
        for query in given
    ]


series = st.lists(
    st.tuples(
        st.dictionaries(words, words, max_size=3).map(lambda labels: sorted(labels.items())),
        st.lists(st.tuples(st.floats(allow_nan=False), times), max_size=4),
    ),
    max_size=4,
)


def _written(given: list[Any]) -> Any:
    message = write_request()()
    for labels, samples in given:
        one = message.timeseries.add()
        for name, value in labels:
            one.labels.add(name=name, value=value)
        for value, at in samples:
            one.samples.add(value=value, timestamp=at)
    return message


@settings(deadline=None)
@given(series)
def test_an_answer_is_handed_on_as_it_came(given: list[Any]) -> None:
    written = _written(given)
    content = written.SerializeToString()
    # A ReadResponse is one more frame around the same series.
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])
    (found,) = answered(b"\x0a" + length + content)
    assert write_request().FromString(write_body(found)) == written
    labels = [_written([(pairs, [])]).timeseries[0].SerializeToString() for pairs, _ in given]
    assert [one.key for one in found] == labels
    assert [one.first_ms for one in found] == [samples[0][1] if samples else None for _, samples in given]


def test_the_first_time_of_a_native_histogram_is_known() -> None:
    # Histograms are field 4 of a series, and their time is a number in field 15.
    histogram = b"\x09" + bytes(8) + b"\x78\xe8\x07"
    assert RawSeries(b"\x0a\x00" + b"\x22" + bytes([len(histogram)]) + histogram).first_ms == 1000


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_answer_are_refused_and_never_a_crash(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        for result in answered(content):
            for one in result:
                assert isinstance(one, RawSeries)
                assert one.content.startswith(one.key)
