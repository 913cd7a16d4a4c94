"""What senders send: the two schemas, and the error of one item.

An unknown field is an error: a misspelt `tags` would otherwise lose every label without a word. Where a key
is given twice the last one counts, as in every JSON decoder that senders use.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

Moment = Annotated[datetime, Meta(tz=True)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Short = Annotated[str, Meta(max_length=64)]
Text = Annotated[str, Meta(max_length=1024)]
Tags = Annotated[dict[Name, Text], Meta(max_length=32)]
Seconds = Annotated[float, Meta(ge=0, le=1e9)]
Tokens = Annotated[int, Meta(ge=0, le=2**53)]
Share = Annotated[float, Meta(ge=0, le=1)]
Extra = Annotated[dict[Name, Any], Meta(max_length=64)]


class Metric(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One value of one metric."""

    timestamp: Moment
    """RFC 3339 with a zone."""
    source: Name
    """Who measured; the label `source`."""
    metric_type: Short
    """Decides the Prometheus type; see the charter of this package."""
    metric_name: Name
    value: float
    """In `unit`; finite. For a counter an increment."""
    unit: Short = ""
    tags: Tags = {}
    """Labels."""
    metadata: Extra = {}
    """About this one value; no label, as it may differ with each."""


class OperationItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ended operation of a model, as `airis_mon.instrument` sends it; what is not known is left out."""

    timestamp: Moment
    """Of its end; RFC 3339 with a zone."""
    source: Name
    """Who called the model; the label `source`."""
    operation: Short = "chat"
    """OpenTelemetry's word, such as `chat`; `predict` for a model that is no language model."""
    provider: Text = ""
    """OpenTelemetry's word, such as `openai`; wanted but for `predict`."""
    model: Name
    version: Text = ""
    """Of a model that is no language model."""
    response_model: Text = ""
    """The model that answered."""
    duration: Seconds
    time_to_first_chunk: Seconds | None = None
    time_per_output_chunk: Seconds | None = None
    """The mean between two chunks."""
    input_tokens: Tokens | None = None
    output_tokens: Tokens | None = None
    cache_read_tokens: Tokens | None = None
    cache_write_tokens: Tokens | None = None
    reasoning_tokens: Tokens | None = None
    error_type: Short = ""
    """A short word out of a small set; empty for success."""
    confidence: Annotated[list[Share], Meta(max_length=1024)] = []
    """Of a model that is no language model: one, or one per row."""
    trace_id: Annotated[str, Meta(pattern="^([0-9a-f]{32})?$")] = ""
    """Becomes an exemplar of the duration."""


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that happened."""

    timestamp: Moment
    event_type: Name
    severity: Short
    source: Name
    id: Annotated[str, Meta(max_length=200)] = ""
    message: Annotated[str, Meta(max_length=8192)] = ""
    attributes: Extra = {}
    trace_id: Annotated[str, Meta(max_length=200)] = ""


class ItemError(ValueError):
    """Why one item is refused."""

    def __init__(self, field: str, message: str, reason: str) -> None:
        self.field = field
        """The field at fault, empty for the item as a whole."""
        self.message = message
        """What is wrong and what to send instead."""
        self.reason = reason
        """One of REASONS, for the counter."""
        super().__init__(message)


MALFORMED = "malformed"
SCHEMA = "schema"
TIMESTAMP = "timestamp"
NAME = "name"
UNIT = "unit"
TYPE = "type"
TAGS = "tags"
VALUE = "value"
CONFLICT = "conflict"
LIMIT = "limit"
REASONS = (MALFORMED, SCHEMA, TIMESTAMP, NAME, UNIT, TYPE, TAGS, VALUE, CONFLICT, LIMIT)
