"""YAML text as a tree whose nodes know their place, within limits that an outsider cannot exceed.

The tree is built from yaml's event stream rather than by its composer, so that depth, size and aliases are
refused while they are read, and neither a deep nor a self-referring document can exhaust the stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from airis_mon.spec.problems import Location, Problem


@dataclass(frozen=True)
class Limits:
    """What a file may hold at most."""

    characters: int = 1 << 20
    """Per file. A document of a thousand objectives is a tenth of it."""
    documents: int = 1000
    """Per file."""
    depth: int = 32
    """Nested mappings and lists; the deepest document of ours has six."""
    nodes: int = 20_000
    """Per document, with every alias counted as large as what it repeats."""


_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_NOT_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAG = "tag:yaml.org,2002:"
_STARTS = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_ENDS = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
_WORDED = 1 << 20
"""Characters of a text whose errors Python's parser words, a second or so for each 300,000 of them."""
_TYPES = frozenset({"str", "int", "float", "bool", "null", "timestamp", "merge", "value"})


@dataclass(frozen=True)
class Scalar:
    """A text, a number, a boolean or nothing at all."""

    text: str
    type: str
    """What YAML takes it for: `str`, `int`, `float`, `bool`, `null`, `timestamp`."""
    location: Location
    plain: bool = True
    """Written without quotes."""
    size: int = 1


@dataclass(frozen=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    location: Location
    block: bool
    """Written one item a line, rather than between brackets."""
    size: int = 1


@dataclass(frozen=True)
class Pairs:
    """A mapping; keys are unique."""

    pairs: tuple[tuple[Scalar, Node], ...]
    location: Location
    block: bool
    size: int = 1
    unread: tuple[Location, ...] = ()
    """Values of keys that were written a second time, or that are no words."""


Node = Scalar | Items | Pairs


@dataclass(frozen=True)
class Document:
    """One YAML document and what is wrong with it as YAML."""

    root: Node
    problems: tuple[Problem, ...] = ()


class _RefusedError(Exception):
    """Ends the reading of a file."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def compose(
    file: str,
    text: str,
    begin: str = "apiVersion: airis.dev/v1alpha1 and kind: ModelMonitor",
    limits: Limits = Limits(),
) -> tuple[list[Document], Problem | None]:
    """Return the documents of one file, empty ones left out, and what ended the reading before its end.

    Nothing is raised for any text. `begin` is how such a file begins: what to write into an empty one.
    """
    if len(text) > limits.characters:
        where = Location(file, 1, 1, "")
        return [], Problem(f"the file is larger than {limits.characters >> 20} MiB", location=where)
    composer = _Composer(file, text.removeprefix("\ufeff"), limits)
    documents: list[Document] = []
    try:
        documents.extend(composer.documents())
    except _RefusedError as refused:
        return documents, refused.problem
    if not documents:
        hint = f"begin with {begin}"
        return [], Problem("the file holds no document", location=composer.at(0, 0), hint=hint)
    return documents, None


@dataclass
class _Frame:
    """A mapping or list that is still open."""

    start: yaml.Event
    children: list[Node] = field(default_factory=list)


def _short(tag: str | None) -> str:
    return (tag or "").replace(_TAG, "!!")[:80]


class _Composer:
    def __init__(self, file: str, text: str, limits: Limits) -> None:
        self.file = file
        self.text = text
        self.limits = limits
        self.lines = _LINE_BREAK.split(text)
        self.problems: list[Problem] = []
        self._resolver = yaml.resolver.Resolver()
        self._stack: list[_Frame] = []
        self._anchors: dict[str, Node] = {}
        self._size = 0

    def at(self, line: int, column: int, width: int = 1) -> Location:
        """Return a place; line and column count from 0, as yaml's marks do."""
        text = self.lines[line] if line < len(self.lines) else ""
        return Location(self.file, line + 1, column + 1, text, max(width, 1))

    def documents(self) -> Iterator[Document]:
        strange = _NOT_YAML.search(self.text)
        if strange is not None:
            before = _LINE_BREAK.split(self.text[: strange.start()])
            where = self.at(len(before) - 1, len(before[-1]))
            raise _RefusedError(
                Problem(f"the character U+{ord(strange[0]):04X} is not allowed in YAML", location=where)
            )
        count = 0
        for event in self._events():
            if isinstance(event, yaml.DocumentStartEvent):
                count += 1
                self._anchors, self._size, self.problems = {}, 0, []
                if count > self.limits.documents:
                    most = self.limits.documents
                    message = (
                        f"the file holds more than {'one document' if most == 1 else f'{most} documents'}"
                    )
                    raise self._refusal(event, message, "split it")
            node = self._take(event)
            if node is not None and not (isinstance(node, Scalar) and node.type == "null"):
                yield Document(node, tuple(self.problems))

    def _events(self) -> Iterator[yaml.Event]:
        # libyaml reads ten times faster; the words of its errors differ, so that Python's parser words them.
        fast = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            yield from yaml.parse(self.text, Loader=fast)
        except yaml.YAMLError as error:
            # Newer ones of libyaml give up by themselves, before the first bracket is told of; Python's
            # parser takes minutes for what they refuse at once.
            if "nesting depth" in str(getattr(error, "problem", "")):
                message = f"mappings and lists are nested deeper than {self.limits.depth} levels"
                mark = getattr(error, "problem_mark", None)
                where = self.at(mark.line, mark.column) if mark is not None else self.at(0, 0)
                raise _RefusedError(Problem(message, location=where)) from error
            raise _RefusedError(self._syntax(self._worded(error))) from error

    def _worded(self, error: yaml.YAMLError) -> yaml.YAMLError:
        if len(self.text) > _WORDED:
            return error
        try:
            for _ in yaml.parse(self.text, Loader=yaml.SafeLoader):
                pass
        except yaml.YAMLError as worded:
            return worded
        return error

    def _syntax(self, error: yaml.YAMLError) -> Problem:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        where = self.at(mark.line, mark.column) if mark is not None else self.at(0, 0)
        words = getattr(error, "problem", None) or "it cannot be read"
        context = getattr(error, "context", None)
        begun = getattr(error, "context_mark", None)
        if context and begun is not None and mark is not None and begun.line != mark.line:
            context += f" that begins in line {begun.line + 1}"
        return Problem(
            f"this is no YAML: {words}" + (f" ({context})" if context else ""),
            location=where,
            hint="check the indentation, the quotes and the brackets up to here",
        )

    def _take(self, event: yaml.Event) -> Node | None:
        """Return the root node when the event completes it."""
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node, anchor = self._scalar(event), event.anchor
        elif isinstance(event, _STARTS):
            if len(self._stack) >= self.limits.depth:
                raise self._refusal(
                    event, f"mappings and lists are nested deeper than {self.limits.depth} levels"
                )
            self._check_tag(event)
            self._stack.append(_Frame(event))
            return None
        elif isinstance(event, _ENDS):
            frame = self._stack.pop()
            node = self._collection(frame, event)
            anchor = frame.start.anchor  # type: ignore[attr-defined]
        elif isinstance(event, yaml.AliasEvent):
            node, anchor = self._alias(event), None
        else:
            return None
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._stack:
            return node
        self._stack[-1].children.append(node)
        return None

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        self._grow(1, event)
        tag = event.tag
        if tag is None or tag == "!":
            tag = self._resolver.resolve(  # type: ignore[no-untyped-call]
                yaml.ScalarNode, event.value, event.implicit
            )
        kind = tag.removeprefix(_TAG)
        if kind not in _TYPES:
            raise self._refusal(event, f"the tag `{_short(event.tag)}` is not supported", "remove it")
        return Scalar(event.value, kind, self._span(event, event), plain=not event.style)

    def _alias(self, event: yaml.AliasEvent) -> Node:
        node = self._anchors.get(event.anchor or "")
        if node is None:
            raise self._refusal(event, f"nothing is anchored as `&{event.anchor}` before this alias")
        self._grow(node.size, event)
        return node

    def _collection(self, frame: _Frame, end: yaml.Event) -> Node:
        self._grow(1, frame.start)
        size = 1 + sum(child.size for child in frame.children)
        block = not frame.start.flow_style  # type: ignore[attr-defined]
        where = self._span(frame.start, frame.start if block else end)
        if block:
            width = len(where.text.rstrip()) - where.column + 1
            where = Location(where.file, where.line, where.column, where.text, max(width, 1))
        if isinstance(frame.start, yaml.SequenceStartEvent):
            return Items(tuple(frame.children), where, block, size)
        pairs = tuple(self._pairs(frame.children))
        read = {id(value) for _, value in pairs}
        unread = tuple(value.location for value in frame.children[1::2] if id(value) not in read)
        return Pairs(pairs, where, block, size, unread)

    def _pairs(self, children: list[Node]) -> Iterator[tuple[Scalar, Node]]:
        first: dict[str, Scalar] = {}
        for key, value in zip(children[::2], children[1::2], strict=True):
            if not isinstance(key, Scalar):
                self.problems.append(Problem("a key has to be a plain word", location=key.location))
            elif key.text in first:
                line = first[key.text].location.line
                self.problems.append(
                    Problem(
                        f"the key `{key.text[:80]}` is written twice",
                        location=key.location,
                        hint=f"the first is in line {line}; remove one of them",
                    )
                )
            else:
                first[key.text] = key
                yield key, value

    def _check_tag(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        if event.tag not in (None, "!", f"{_TAG}map", f"{_TAG}seq"):
            raise self._refusal(event, f"the tag `{_short(event.tag)}` is not supported", "remove it")

    def _grow(self, size: int, event: yaml.Event) -> None:
        self._size += size
        if self._size > self.limits.nodes:
            message = f"the document holds more than {self.limits.nodes} values"
            raise self._refusal(event, message, "an alias counts as much as what it repeats")

    def _span(self, start: yaml.Event, end: yaml.Event) -> Location:
        first, last = start.start_mark, end.end_mark
        assert first is not None  # every event of a parsed text has its marks
        assert last is not None
        end_column = last.column
        if last.line != first.line:
            text = self.lines[first.line] if first.line < len(self.lines) else ""
            end_column = len(text.rstrip())
        return self.at(first.line, first.column, end_column - first.column)

    def _refusal(self, event: yaml.Event, message: str, hint: str | None = None) -> _RefusedError:
        return _RefusedError(Problem(message, location=self._span(event, event), hint=hint))
