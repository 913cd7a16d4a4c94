"""Attributes: keys with values of any shape, and what they come to."""

from __future__ import annotations

import base64
import binascii
import math
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from airis_mon.sidecar.items import TAGS, ItemError

LONGEST_NESTED = 65_536
"""Bytes of one array or map as JSON; labels hold far less, bodies of logs may come near."""
DEEPEST = 32
"""Levels of arrays and maps in each other."""


class AnyValue(msgspec.Struct, frozen=True, rename="camel"):
    """A value; one field is set, or none."""

    string_value: str | UnsetType = UNSET
    bool_value: bool | UnsetType = UNSET
    int_value: int | UnsetType = UNSET
    double_value: float | UnsetType = UNSET
    bytes_value: str | UnsetType = UNSET
    """As base64."""
    array_value: msgspec.Raw = msgspec.Raw()
    """`{"values": [...]}`, not read before it is asked for: nesting is where bodies hide their size."""
    kvlist_value: msgspec.Raw = msgspec.Raw()
    """`{"values": [{"key": ..., "value": ...}]}`."""


class KeyValue(msgspec.Struct, frozen=True):
    """One attribute."""

    key: str
    value: AnyValue = AnyValue()


Attributes = tuple[KeyValue, ...]


class _Array(msgspec.Struct):
    values: list[AnyValue] = []


class _Map(msgspec.Struct):
    values: list[KeyValue] = []


_ARRAY = msgspec.json.Decoder(_Array, strict=False)
_MAP = msgspec.json.Decoder(_Map, strict=False)


def plain(value: AnyValue, depth: int = 0) -> Any:
    """Return the value as JSON has it, None where there is none; ItemError where it cannot be had."""
    for simple in (value.string_value, value.bool_value, value.int_value, value.double_value):
        if simple is not UNSET:
            return simple
    if value.bytes_value is not UNSET:
        return _base64(value.bytes_value)
    raw = value.array_value or value.kvlist_value
    if not raw:
        return None
    if len(raw) > LONGEST_NESTED or depth == DEEPEST:
        raise ItemError(
            "attributes",
            f"a nested value has more than {LONGEST_NESTED} bytes or {DEEPEST} levels; send its parts as "
            f"attributes of their own",
            TAGS,
        )
    try:
        if value.array_value:
            return [plain(one, depth + 1) for one in _ARRAY.decode(raw).values]
        return {pair.key: plain(pair.value, depth + 1) for pair in _MAP.decode(raw).values}
    except (ValueError, RecursionError) as error:
        if isinstance(error, ItemError):
            raise
        raise ItemError("attributes", f"a nested value cannot be decoded: {error}", TAGS) from None


def text(value: AnyValue) -> str:
    """Return the value as a label has it; empty where there is none."""
    found = plain(value)
    if found is None:
        return ""
    if isinstance(found, str):
        return found
    if isinstance(found, float):
        return _number(found)
    return msgspec.json.encode(found).decode()


def _number(value: float) -> str:
    """Return a number as Go's %v would, nearly: whole ones without a fraction."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _base64(given: str) -> str:
    try:
        base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        raise ItemError("attributes", "`bytesValue` is no base64", TAGS) from None
    return given
