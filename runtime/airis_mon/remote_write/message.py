"""`prometheus.WriteRequest`, built here rather than generated: no protoc, no generated file to keep in step.

Field numbers and types are those of the remote-write 1.0 specification; nothing that we do not send is here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from airis_mon.remote_write.sample import Series

_Field = descriptor_pb2.FieldDescriptorProto
_FIELDS = {
    "Label": (("name", 1, _Field.TYPE_STRING, None), ("value", 2, _Field.TYPE_STRING, None)),
    "Sample": (("value", 1, _Field.TYPE_DOUBLE, None), ("timestamp", 2, _Field.TYPE_INT64, None)),
    "TimeSeries": (
        ("labels", 1, _Field.TYPE_MESSAGE, "Label"),
        ("samples", 2, _Field.TYPE_MESSAGE, "Sample"),
    ),
    "WriteRequest": (("timeseries", 1, _Field.TYPE_MESSAGE, "TimeSeries"),),
}


@cache
def _write_request() -> Any:
    """Return the message class, in a pool of its own: it clashes with nobody's `prometheus`."""
    file = descriptor_pb2.FileDescriptorProto(name="remote.proto", package="prometheus", syntax="proto3")
    for message, fields in _FIELDS.items():
        described = file.message_type.add(name=message)
        for name, number, kind, of in fields:
            field = described.field.add(name=name, number=number, type=kind)
            field.label = _Field.LABEL_REPEATED if of else _Field.LABEL_OPTIONAL
            if of:
                field.type_name = f".prometheus.{of}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("prometheus.WriteRequest"))


def encoded(series: Sequence[Series]) -> bytes:
    """Return the series as a serialised WriteRequest, not yet compressed."""
    request = _write_request()()
    for one in series:
        timeseries = request.timeseries.add()
        for name, value in one.labels:
            timeseries.labels.add(name=name, value=value)
        for timestamp, number in one.samples:
            timeseries.samples.add(value=number, timestamp=timestamp)
    return bytes(request.SerializeToString())
