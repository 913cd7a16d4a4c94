"""Bytes into items: JSON or NDJSON, each bad item told by its index and field.

The whole body is decoded at once. Only where that fails is it taken apart, item by item, to save the good
ones and to name the bad ones; this second way is slow, and bounded by the items that a body may hold.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterator, Sized
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec

from airis_mon.sidecar.items import MALFORMED, SCHEMA, ItemError

T = TypeVar("T")

JSON = "application/json"
NDJSON = "application/x-ndjson"
MSGPACK = "application/msgpack"
"""One object or an array of them; timestamps are texts or msgpack's own."""

_PLACE = re.compile(r"(?P<what>.*?)(?: - at (?P<key>`key` in )?`\$\.?(?P<field>.*?)`)?", re.DOTALL)
_ENTRY = re.compile(r" - at `\$\.(?P<field>[a-z_]+)\[\.\.\.\]`$")
_FIELD = re.compile(r"Object (?:missing required|contains unknown) field `(?P<field>.*)`", re.DOTALL)
_LONGEST = 200
_SPACE = re.compile(r"[ \t\r\n]*")


class BodyError(ValueError):
    """A body that is no sequence of items at all; nothing of it counts."""


class TooManyItemsError(ValueError):
    """A body of more items than are taken at once; nothing of it counts."""


class Budget:
    """How much of a body may be converted."""

    def __init__(self, limit: int, of: str) -> None:
        self._limit = limit
        self._left = limit
        self._of = of

    def spend(self, messages: Sized) -> None:
        """Count messages; TooManyItemsError where there are more than the limit in all."""
        self._left -= len(messages)
        if self._left < 0:
            raise TooManyItemsError(
                f"more than {self._limit} {self._of} in one request; send smaller batches"
            )


@dataclass
class Decoded(Generic[T]):
    """A body taken apart; an index is that of the item in the body, from 0."""

    items: list[tuple[int, T]] = field(default_factory=list)
    errors: list[tuple[int, ItemError]] = field(default_factory=list)


class Decoding(Generic[T]):
    """Decodes bodies of one kind of item."""

    def __init__(self, item_type: type[T], limit: int) -> None:
        self._limit = limit
        self._item = msgspec.json.Decoder(item_type)
        self._types = {field.encode_name: field.type for field in msgspec.structs.fields(item_type)}  # type: ignore[arg-type]
        self._items = msgspec.json.Decoder(list[item_type])  # type: ignore[valid-type]
        self._item_type = item_type
        self._packed = msgspec.msgpack.Decoder(list[item_type])  # type: ignore[valid-type]
        self._untyped = msgspec.msgpack.Decoder()
        # Only the ends of items are looked for: numbers, however long, are not worth their conversion. It
        # reads NaN and Infinity, which Python's encoder writes: one must not cost a sender the whole batch.
        self._scanner = json.JSONDecoder(parse_int=len, parse_float=len)

    def decode(self, body: bytes, media: str) -> Decoded[T]:
        """Return the items of a body of media type JSON or NDJSON, good and bad.

        BodyError where it is malformed as a whole, TooManyItemsError where it holds more than the limit.
        """
        if media == MSGPACK:
            return self._msgpack(body)
        try:
            items = self._whole(body, media)
        except (ValueError, RecursionError):
            return self._apart(body, media)
        if len(items) > self._limit:
            raise self._too_many()
        return Decoded(list(enumerate(items)))

    def _whole(self, body: bytes, media: str) -> list[T]:
        if media == NDJSON:
            return self._item.decode_lines(body)
        if body.lstrip()[:1] == b"[":
            return self._items.decode(body)
        return [self._item.decode(body)]

    def _msgpack(self, body: bytes) -> Decoded[T]:
        try:
            items = self._packed.decode(body)
        except (ValueError, RecursionError):
            return self._msgpack_apart(body)
        if len(items) > self._limit:
            raise self._too_many()
        return Decoded(list(enumerate(items)))

    def _msgpack_apart(self, body: bytes) -> Decoded[T]:
        try:
            value = self._untyped.decode(body)
        except RecursionError:
            raise BodyError("msgpack is nested too deep") from None
        except (ValueError, TypeError, OverflowError) as error:
            raise BodyError(f"msgpack is malformed: {error}") from None
        parts = value if isinstance(value, list) else [value]
        if len(parts) > self._limit:
            raise self._too_many()
        decoded: Decoded[T] = Decoded()
        for index, part in enumerate(parts):
            try:
                decoded.items.append((index, msgspec.convert(part, self._item_type)))
            except msgspec.ValidationError as error:
                decoded.errors.append((index, _schema_error(_printable(str(error)))))
        return decoded

    def _apart(self, body: bytes, media: str) -> Decoded[T]:
        decoded: Decoded[T] = Decoded()
        parts = _lines(body) if media == NDJSON else self._parts(body)
        for index, part in enumerate(parts):
            if index == self._limit:
                raise self._too_many()
            try:
                decoded.items.append((index, self._one(part)))
            except ItemError as error:
                decoded.errors.append((index, error))
        return decoded

    def _parts(self, body: bytes) -> Iterator[bytes]:
        """Yield the items of a JSON array, or the one value that the body is; BodyError for neither."""
        # Bytes that are no UTF-8 survive the way there and back, so that they are their own item's error.
        text = body.decode("utf-8", "surrogateescape")
        position = _skip(text, 0)
        if text[position : position + 1] != "[":
            end = self._end(text, position)
            if _skip(text, end) != len(text):
                raise BodyError(f"JSON is malformed: more text after its end (character {end})")
            yield body
            return
        position = _skip(text, position + 1)
        while text[position : position + 1] != "]":
            end = self._end(text, position)
            yield text[position:end].encode("utf-8", "surrogateescape")
            position = _skip(text, end)
            if text[position : position + 1] == ",":
                position = _skip(text, position + 1)
                if text[position : position + 1] == "]":
                    raise BodyError(f"JSON is malformed: expecting value (character {position})")
            elif text[position : position + 1] != "]":
                raise BodyError(f"JSON is malformed: `,` or `]` is wanted (character {position})")
        if _skip(text, position + 1) != len(text):
            raise BodyError(f"JSON is malformed: more text after its end (character {position + 1})")

    def _end(self, text: str, position: int) -> int:
        try:
            _, end = self._scanner.raw_decode(text, position)
        except json.JSONDecodeError as error:
            said = error.msg[:1].lower() + error.msg[1:]
            raise BodyError(f"JSON is malformed: {said} (character {error.pos})") from None
        except RecursionError:
            raise BodyError("JSON is nested too deep") from None
        return end

    def _one(self, part: bytes) -> T:
        try:
            return self._item.decode(part)
        except msgspec.ValidationError as error:
            raise self._entry_error(part, str(error)) or _schema_error(str(error)) from None
        except RecursionError:
            raise ItemError("", "JSON is nested too deep", MALFORMED) from None
        except ValueError as error:
            raise _malformed(part, error) from None

    def _entry_error(self, part: bytes, said: str) -> ItemError | None:
        """Return the error of one entry of an object, such as `tags.region`; None where it is another's.

        msgspec tells the object and not the entry, so its entries are looked at one by one.
        """
        place = _ENTRY.search(said)
        if place is None:
            return None
        name = place["field"]
        try:
            entries = json.loads(part.decode(), parse_int=len)[name].items()
        except (ValueError, RecursionError, KeyError, AttributeError):
            return None
        for key, value in entries:
            try:
                msgspec.convert({key: value}, self._types[name])
            except msgspec.ValidationError as error:
                what = str(error).partition(" - at ")[0]
                hint = "; a text belongs there, in quotes" if what.startswith("Expected `str`, got") else ""
                return ItemError(_short(_printable(f"{name}.{key}")), f"{what}{hint}", SCHEMA)
        return None

    def _too_many(self) -> TooManyItemsError:
        return TooManyItemsError(f"more than {self._limit} items in one request; send smaller batches")


def _lines(body: bytes) -> Iterator[bytes]:
    return (line for line in io.BytesIO(body) if line.strip())


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match is not None else position


def _schema_error(said: str) -> ItemError:
    """Return msgspec's words as field and message: "Expected `float`, got `str` - at `$.value`"."""
    place = _PLACE.fullmatch(said)
    what, path = (place["what"], place["field"] or "") if place is not None else (said, "")
    named = _FIELD.fullmatch(what)
    if named is not None:
        path = f"{path}.{named['field']}".lstrip(".")
    key = " for a key" if place is not None and place["key"] else ""
    return ItemError(_short(path.replace("[...]", "")), _short(f"{what}{key}"), SCHEMA)


def _malformed(part: bytes, error: ValueError) -> ItemError:
    """Return the error of a part that is no JSON, with the field where it is a number that JSON has not."""
    if isinstance(error, UnicodeDecodeError):
        return ItemError("", f"invalid UTF-8: {error.reason}", MALFORMED)
    text = str(error)
    said = text if text.startswith("JSON") else f"JSON is malformed: {text[:1].lower()}{text[1:]}"
    try:
        value = json.loads(part.decode(), parse_int=len)
    except (ValueError, RecursionError):
        return ItemError("", said, MALFORMED)
    for name, content in value.items() if isinstance(value, dict) else ():
        if isinstance(content, float) and not math.isfinite(content):
            return ItemError(
                _short(_printable(name)), "NaN and Infinity are no JSON numbers; send a finite one", MALFORMED
            )
    return ItemError("", said, MALFORMED)


def _short(text: str) -> str:
    """Return what fits into an answer of a text that a sender wrote."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
