"""Shapes of mappings and lists: tables of fields, from which both decoding and JSON Schema follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from airis_mon.spec.nodes import Items, Node, Pairs, Scalar
from airis_mon.spec.problems import Location
from airis_mon.spec.reading import REFUSED, Reading, Refused, did_you_mean, nearest, quoted
from airis_mon.spec.scalars import Shape, Text


@dataclass(frozen=True)
class Field:
    """One key of a mapping."""

    key: str
    shape: Shape
    description: str
    """For a person who writes the document; shown by editors and by `kubectl explain`."""
    required: bool = False
    default: str | int | bool | None = None
    """What holds where the key is left out, spelled as in the document."""
    attribute: str = ""
    """Name in Python where it is not the key."""

    @property
    def name(self) -> str:
        """The keyword argument that takes the value."""
        return self.attribute or self.key


@dataclass(frozen=True)
class Record:
    """A mapping with known keys."""

    title: str
    fields: tuple[Field, ...]
    build: Callable[..., Any] = dict
    """Takes the values of the keys that are there, as keyword arguments."""
    exactly_one: tuple[str, ...] = ()
    at_least_one: tuple[str, ...] = ()
    hints: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Keys that do not exist but are likely to be tried: message and hint."""
    meant: Mapping[str, str] = field(default_factory=dict)
    """Those of them in whose place a known key has to stand; that one is then not said to be missing too."""
    private: bool = False
    """Whether an unknown key may hold a secret, so that no message repeats its value."""
    check: Callable[[Any, str, Reading], None] | None = None
    """Looks at what was built for what no single field shows."""
    separable: bool = False
    """Whether the other keys still say something where one of them cannot be read."""

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """Return what `build` makes of the keys, or REFUSED."""
        if not isinstance(node, Pairs):
            what = "a list" if isinstance(node, Items) else quoted(node.text) if node.text else "nothing"
            keys = ", ".join(known.key for known in self.fields)
            hint = f"its keys are {keys}" if keys else "write {}"
            where = reading.places.get(path, node.location)
            return reading.refuse(where, path, f"{what} stands where a mapping belongs", hint)
        if self.private:
            reading.secrets.extend(node.unread)
        before = reading.count
        fields = {known.key: known for known in self.fields}
        values: dict[str, Any] = {}
        meant: set[str] = set()
        for key, value in node.pairs:
            inner = f"{path}.{key.text[:60]}" if path else key.text[:60]
            if key.text not in fields:
                if self.private:
                    reading.secrets.append(value.location)
                meant.add(self._unknown(key, inner, reading))
                continue
            reading.place(inner, key, value)
            meant.add(key.text)
            known = fields[key.text]
            values[known.name] = known.shape.read(value, inner, reading)
        where = reading.places.get(path, node.location)
        self._missing(meant, where, path, reading)
        if reading.count > before or any(value is REFUSED for value in values.values()):
            return self._salvaged(values) if reading.salvaging else REFUSED
        built = self.build(**values)
        if self.check is not None:
            self.check(built, path, reading)
        return built

    def _salvaged(self, values: Mapping[str, Any]) -> Any:
        """Return what stands although something else in the mapping does not, or REFUSED."""
        sound = {name: value for name, value in values.items() if value is not REFUSED}
        whole = self.separable or len(sound) == len(values)
        required = all(known.name in sound for known in self.fields if known.required)
        chosen = not self.exactly_one or sum(key in sound for key in self.exactly_one) == 1
        return self.build(**sound) if whole and required and chosen else REFUSED

    def _unknown(self, key: Scalar, path: str, reading: Reading) -> str:
        """Note an unknown key and return the key that was likely meant."""
        names = [known.key for known in self.fields]
        if reading.full:
            reading.refuse(key, path, "")  # counted, not told: no time is spent on what was meant
            return ""
        where = key.location
        if self.private:
            shown = where.text[: where.column - 1 + len(key.text)]
            where = replace(where, text=f"{shown}: ***")
        if key.text in self.hints:
            reading.refuse(where, path, *self.hints[key.text])
            return self.meant.get(key.text, "")
        if key.type == "merge":
            reading.refuse(key, path, "merge keys are not supported", "repeat the keys, or write a Profile")
            return ""
        reading.refuse(where, path, f"unknown key {quoted(key.text)}", did_you_mean(key.text, names))
        return nearest(key.text, names) or ""

    def _missing(self, meant: set[str], where: Location, path: str, reading: Reading) -> None:
        for known in self.fields:
            if known.required and known.key not in meant:
                inner = f"{path}.{known.key}" if path else known.key
                hint = f"{known.key}: {known.description}"
                reading.refuse(where, inner, f"`{known.key}` is missing", hint)
        given = [key for key in self.exactly_one if key in meant]
        if len(given) > 1:
            inner = f"{path}.{given[-1]}"
            message = " and ".join(f"`{key}`" for key in given) + " exclude each other"
            reading.refuse(reading.places.get(inner, where), inner, message, "keep one of them")
        wanted = self.exactly_one or self.at_least_one
        if wanted and not meant.intersection(wanted):
            message = "neither " + " nor ".join(f"`{key}`" for key in wanted) + " is given"
            reading.refuse(where, path, message, "write one of them")

    def schema(self) -> dict[str, Any]:
        """Return an object that allows no other key."""
        properties: dict[str, Any] = {}
        for known in self.fields:
            described = {**known.shape.schema(), "description": known.description}
            if known.default is not None:
                described["default"] = known.default
            properties[known.key] = described
        schema: dict[str, Any] = {"title": self.title, "type": "object", "properties": properties}
        required = [known.key for known in self.fields if known.required]
        if required:
            schema["required"] = required
        if self.exactly_one:
            schema["oneOf"] = [{"required": [key]} for key in self.exactly_one]
        if self.at_least_one:
            schema["anyOf"] = [{"required": [key]} for key in self.at_least_one]
        schema["additionalProperties"] = False
        return schema


@dataclass(frozen=True)
class ListOf:
    """A list of one shape, read as a tuple."""

    item: Shape
    noun: str
    """What one item is, for messages."""
    fewest: int = 1
    most: int = 50
    unique: tuple[str, ...] = ()
    """Keys that together tell the items apart (`""` stands for the item itself)."""

    def read(self, node: Node, path: str, reading: Reading) -> tuple[Any, ...] | Refused:
        """Return the items, or REFUSED where any is refused."""
        where = reading.places.get(path, node.location)
        if not isinstance(node, Items):
            message = f"a list of {_plural(self.noun)} belongs here"
            return reading.refuse(where, path, message, "begin each with `- `")
        if not self.fewest <= len(node.items) <= self.most:
            return _miscounted(len(node.items), self.noun, self.most, where, path, reading)
        values = []
        seen: dict[tuple[str, ...], int] = {}
        for index, item in enumerate(node.items):
            inner = f"{path}[{index}]"
            reading.place(inner, None, item)
            values.append(self.item.read(item, inner, reading))
            self._once(item, index, path, seen, reading)
        return REFUSED if any(value is REFUSED for value in values) else tuple(values)

    def _once(
        self, item: Node, index: int, path: str, seen: dict[tuple[str, ...], int], reading: Reading
    ) -> None:
        if not self.unique:
            return
        marks = tuple(_written(item, key) for key in self.unique)
        first = seen.setdefault(marks, index)
        if first != index and marks[0]:
            key = self.unique[0]
            inner = f"{path}[{index}]" + (f".{key}" if key else "")
            line = reading.places[f"{path}[{first}]"].line
            where = reading.places.get(inner, item.location)
            message = f"there are two {_plural(self.noun)} {quoted(marks[0])}"
            reading.refuse(where, inner, message, f"the first is in line {line}; change one of them")

    def schema(self) -> dict[str, Any]:
        """Return an array."""
        schema: dict[str, Any] = {
            "type": "array",
            "items": self.item.schema(),
            "minItems": self.fewest,
            "maxItems": self.most,
        }
        if self.unique == ("",):
            return schema | {"uniqueItems": True, "x-kubernetes-list-type": "set"}
        if self.unique:
            keys = {"x-kubernetes-list-map-keys": list(self.unique)}
            return schema | {"x-kubernetes-list-type": "map"} | keys
        return schema


def _plural(noun: str) -> str:
    return f"{noun.removesuffix('y')}ies" if noun.endswith("y") else f"{noun}s"


def _miscounted(count: int, noun: str, most: int, where: Location, path: str, reading: Reading) -> Refused:
    if count == 0:
        article = "an" if noun[0] in "aeiou" else "a"
        return reading.refuse(where, path, f"there is no {noun} here", f"write {article} {noun}")
    return reading.refuse(where, path, f"{count} {_plural(noun)} are too many; {most} are allowed")


def _written(item: Node, key: str) -> str:
    if key and isinstance(item, Pairs):
        item = next((value for name, value in item.pairs if name.text == key), item)
    return item.text if isinstance(item, Scalar) else ""


@dataclass(frozen=True)
class MapOf:
    """A mapping with keys of the user's choice."""

    key: Text
    value: Shape
    noun: str
    fewest: int = 0
    most: int = 32

    def read(self, node: Node, path: str, reading: Reading) -> dict[str, Any] | Refused:
        """Return the mapping in the order it was written."""
        where = reading.places.get(path, node.location)
        if not isinstance(node, Pairs):
            message = f"a mapping of {_plural(self.noun)} belongs here"
            return reading.refuse(where, path, message, "write each as name: value")
        if not self.fewest <= len(node.pairs) <= self.most:
            return _miscounted(len(node.pairs), self.noun, self.most, where, path, reading)
        values: dict[str, Any] = {}
        sound = True
        for key, value in node.pairs:
            inner = f"{path}.{key.text[:60]}"
            name = self.key.read(replace(key, type="str"), inner, reading)
            reading.place(inner, key, value)
            values[key.text] = self.value.read(value, inner, reading)
            sound = sound and name is not REFUSED and values[key.text] is not REFUSED
        return values if sound else REFUSED

    def schema(self) -> dict[str, Any]:
        """Return an object with free keys."""
        return {
            "type": "object",
            "propertyNames": {"pattern": self.key.pattern, "maxLength": self.key.longest},
            "additionalProperties": self.value.schema(),
            "minProperties": self.fewest,
            "maxProperties": self.most,
        }
