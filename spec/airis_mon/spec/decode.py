"""Texts in, values and problems out: the one way from what a person wrote to a Bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airis_mon.spec import profiles
from airis_mon.spec.bundle import Bundle
from airis_mon.spec.joining import Draft, join
from airis_mon.spec.kinds import API_VERSION, KINDS, LATER_KINDS, METADATA
from airis_mon.spec.nodes import Document, Node, Pairs, Scalar, compose
from airis_mon.spec.problems import Origin, Problem
from airis_mon.spec.reading import REFUSED, Reading, did_you_mean, quoted
from airis_mon.spec.records import Field, Record
from airis_mon.spec.scalars import Choice


@dataclass(frozen=True)
class Decoded:
    """What a set of files holds."""

    bundle: Bundle
    """The documents that nothing is wrong with."""
    problems: tuple[Problem, ...]
    """Everything that is wrong, in the order of the files and lines."""


def decode(texts: Mapping[str, str]) -> Decoded:
    """Return the bundle of all files, and every problem of every file.

    `texts` maps a file's name, as it should appear in messages, to its content. Nothing is raised for any
    text: a document with a problem is left out of the bundle, the others are there.
    """
    endings: dict[str, Problem] = {}
    drafts: list[Draft] = []
    readings: list[tuple[str, Reading]] = []
    for file, text in texts.items():
        documents, ending = compose(file, text)
        for document in documents:
            reading = Reading()
            readings.append((file, reading))
            draft = _draft(file, document, reading)
            if draft is not None:
                drafts.append(draft)
        if ending is not None:
            endings[file] = ending
    built_in = [_built_in(name, text) for name, text in profiles.built_in().items()]
    bundle = join(drafts, built_in)
    problems: list[Problem] = []
    for file in texts:
        problems += [problem for name, reading in readings if name == file for problem in reading.problems]
        problems += [endings[file]] if file in endings else []
    return Decoded(bundle, tuple(problems))


def _draft(file: str, document: Document, reading: Reading) -> Draft | None:
    """Read one document as far as its kind is known."""
    root = document.root
    for problem in document.problems:
        reading.refuse(problem.location, problem.path, problem.message, problem.hint)
    reading.place("", None, root)
    kind = _kind(root, reading)
    if kind is None:
        return None
    version = Field("apiVersion", Choice((API_VERSION,)), f"write apiVersion: {API_VERSION}", required=True)
    shape = Record(
        kind,
        (
            version,
            Field("kind", Choice(tuple(KINDS)), "", required=True),
            Field("metadata", METADATA, "write metadata: {name: ...}", required=True),
            Field("spec", KINDS[kind], "what the document says", required=True),
        ),
    )
    read = shape.read(root, "", reading)
    spec = read["spec"] if read is not REFUSED else REFUSED
    return Draft(kind, _name(root), spec, reading, Origin(file, reading.places))


def _kind(root: Node, reading: Reading) -> str | None:
    keys = "apiVersion, kind, metadata and spec"
    if not isinstance(root, Pairs):
        reading.refuse(root, "", f"a document is a mapping with the keys {keys}")
        return None
    node = _value(root, "kind")
    if node is None:
        reading.refuse(root, "kind", "`kind` is missing", "write kind: ModelMonitor")
        return None
    text = node.text if isinstance(node, Scalar) else ""
    if text in KINDS:
        return text
    if text in LATER_KINDS:
        reading.refuse(node, "kind", f"kind `{text}` is not available in this version")
    else:
        reading.refuse(node, "kind", f"unknown kind {quoted(text)}", did_you_mean(text, KINDS))
    return None


def _value(node: Node | None, key: str) -> Node | None:
    if isinstance(node, Pairs):
        return next((value for name, value in node.pairs if name.text == key), None)
    return None


def _name(root: Node) -> str:
    """Return the name even of a document that is refused, so that others may refer to it."""
    node = _value(_value(root, "metadata"), "name")
    return node.text if isinstance(node, Scalar) else ""


def _built_in(name: str, text: str) -> Draft:
    documents, _ = compose(name, text)
    draft = _draft(name, documents[0], Reading())
    assert draft is not None
    return draft
