"""The messages of remote write, built here rather than generated: no protoc, no file to keep in step.

Field numbers and types are those of the specifications, 1.0 and 2.0; nothing that we neither send nor read is
here. Of native histograms that they are there is enough.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from airis_mon.remote_write.sample import Series

_Field = descriptor_pb2.FieldDescriptorProto
_Fields = tuple[tuple[str, int, str], ...]
"""Name, number, and type: a scalar's, or a message's; `*` behind it for many."""
_VERSION_1: dict[str, _Fields] = {
    "Label": (("name", 1, "string"), ("value", 2, "string")),
    "Sample": (("value", 1, "double"), ("timestamp", 2, "int64")),
    "Histogram": (),
    "TimeSeries": (("labels", 1, "Label*"), ("samples", 2, "Sample*"), ("histograms", 4, "Histogram*")),
    "WriteRequest": (("timeseries", 1, "TimeSeries*"),),
}
_VERSION_2: dict[str, _Fields] = {
    "Sample": (("value", 1, "double"), ("timestamp", 2, "int64"), ("start_timestamp", 3, "int64")),
    "Histogram": (),
    "Exemplar": (("labels_refs", 1, "uint32*"), ("value", 2, "double"), ("timestamp", 3, "int64")),
    "Metadata": (("type", 1, "int32"), ("help_ref", 3, "uint32"), ("unit_ref", 4, "uint32")),
    "TimeSeries": (
        ("labels_refs", 1, "uint32*"),
        ("samples", 2, "Sample*"),
        ("histograms", 3, "Histogram*"),
        ("exemplars", 4, "Exemplar*"),
        ("metadata", 5, "Metadata"),
    ),
    "Request": (("symbols", 4, "string*"), ("timeseries", 5, "TimeSeries*")),
}
_SCALARS = {
    "double": _Field.TYPE_DOUBLE,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "string": _Field.TYPE_STRING,
    "uint32": _Field.TYPE_UINT32,
}


@cache
def write_request() -> Any:
    """Return the class of 1.0's `prometheus.WriteRequest`."""
    return _message_class("prometheus", _VERSION_1, "WriteRequest")


@cache
def request_2() -> Any:
    """Return the class of 2.0's `io.prometheus.write.v2.Request`."""
    return _message_class("io.prometheus.write.v2", _VERSION_2, "Request")


def _message_class(package: str, messages: dict[str, _Fields], wanted: str) -> Any:
    """Return a message class, in a pool of its own: it clashes with nobody's `prometheus`."""
    file = descriptor_pb2.FileDescriptorProto(name="remote.proto", package=package, syntax="proto3")
    for message, fields in messages.items():
        described = file.message_type.add(name=message)
        for name, number, kind in fields:
            of = kind.removesuffix("*")
            field = described.field.add(name=name, number=number, type=_SCALARS.get(of, _Field.TYPE_MESSAGE))
            field.label = _Field.LABEL_REPEATED if kind.endswith("*") else _Field.LABEL_OPTIONAL
            if of not in _SCALARS:
                field.type_name = f".{package}.{of}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{wanted}"))


def encoded(series: Sequence[Series]) -> bytes:
    """Return the series as a serialised WriteRequest, not yet compressed.

    Written by hand, to the bytes of the message class and in a third of its time: a fleet writes a hundred
    thousand samples each minute, whose labels are few pairs in many series.
    """
    parts = []
    for one in series:
        content = [_label(name, value) for name, value in one.labels]
        content += [_field(_SAMPLES, _number(number) + _stamp(at)) for at, number in one.samples]
        parts.append(_field(_TIMESERIES, b"".join(content)))
    return b"".join(parts)


# Tags: number of the field << 3 | kind on the wire.
_TIMESERIES, _LABELS, _NAME, _TEXT = b"\x0a", b"\x0a", b"\x0a", b"\x12"
_SAMPLES, _VALUE, _TIMESTAMP = b"\x12", b"\x09", b"\x10"
_ZERO = bytes(8)
_DOUBLE = struct.Struct("<d")


@lru_cache(65_536)
def _label(name: str, value: str) -> bytes:
    texts = (_field(tag, text.encode()) if text else b"" for tag, text in ((_NAME, name), (_TEXT, value)))
    return _field(_LABELS, b"".join(texts))


@lru_cache(1024)
def _stamp(at: int) -> bytes:
    return _TIMESTAMP + _varint(at % 2**64) if at else b""


def _number(number: float) -> bytes:
    packed = _DOUBLE.pack(number)
    # What is zero is left out; a negative zero is none.
    return b"" if packed == _ZERO else _VALUE + packed


def _field(tag: bytes, content: bytes) -> bytes:
    return tag + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
