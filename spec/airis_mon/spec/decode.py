"""Texts in, values and problems out: the one way from what a person wrote to a Bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from airis_mon.spec import dialects, profiles
from airis_mon.spec.bundle import Bundle
from airis_mon.spec.drafts import Draft
from airis_mon.spec.joining import join, sketches
from airis_mon.spec.kinds import KINDS, LATER_KINDS, document
from airis_mon.spec.monitor import Monitor
from airis_mon.spec.monitor_fields import MONITOR
from airis_mon.spec.nodes import Document, Items, Node, Pairs, Scalar, compose
from airis_mon.spec.problems import Origin, Problem
from airis_mon.spec.reading import MAX_PROBLEMS, REFUSED, Reading, did_you_mean, masked, quoted


@dataclass(frozen=True)
class Decoded:
    """What a set of files holds."""

    bundle: Bundle
    """The documents that nothing is wrong with."""
    sketches: tuple[Monitor, ...]
    """Monitors that something is wrong with, as far as they could be read: good for finding what else is
    wrong with them, and for nothing else.
    """
    problems: tuple[Problem, ...]
    """Everything that is wrong, in the order of the files and lines; of one file MAX_PROBLEMS at most, and
    then how many more there are.
    """


def decode(texts: Mapping[str, str]) -> Decoded:
    """Return the bundle of all files, and every problem of every file.

    `texts` maps a file's name, as it should appear in messages, to its content. Nothing is raised for any
    text: a document with a problem is left out of the bundle, the others are there.
    """
    drafts: list[Draft] = []
    readings: dict[str, list[Reading]] = {}
    for file, text in texts.items():
        of_file = readings.setdefault(file, [])
        documents, ending = compose(file, text)
        for source in documents:
            reading = Reading()
            of_file.append(reading)
            draft = _draft(file, source, reading)
            if draft is not None:
                drafts.append(draft)
        if ending is not None:
            of_file.append(Reading(problems=[ending], count=1))
    built_in = [_built_in(text) for text in profiles.built_in().values()]
    drafts = dialects.joined(drafts)
    bundle = join(drafts, built_in)
    problems = [problem for of_file in readings.values() for problem in _told(of_file)]
    return Decoded(bundle, sketches(drafts, built_in), tuple(problems))


def _told(readings: Sequence[Reading]) -> list[Problem]:
    """Return the problems of one file in the order of its lines."""
    problems = [_shown(problem, reading) for reading in readings for problem in reading.problems]
    problems.sort(key=_place)
    more = sum(reading.count for reading in readings) - min(len(problems), MAX_PROBLEMS)
    del problems[MAX_PROBLEMS:]
    if more:
        problems.append(Problem(f"{more} more problems follow in this file", location=problems[-1].location))
    return problems


def _shown(problem: Problem, reading: Reading) -> Problem:
    """Return the problem without what its line says in secret beside it."""
    if problem.location is None or not reading.secrets:
        return problem
    return replace(problem, location=masked(problem.location, reading.secrets))


def _place(problem: Problem) -> tuple[int, int]:
    return (problem.location.line, problem.location.column) if problem.location is not None else (0, 0)


def _draft(file: str, source: Document, reading: Reading) -> Draft | None:
    """Read one document as far as its kind is known."""
    root = source.root
    for problem in source.problems:
        reading.refuse(problem.location, problem.path, problem.message, problem.hint)
    reading.place("", None, root)
    foreign, said = dialects.draft(file, root, reading)
    if foreign:
        return said
    kind = _kind(root, reading)
    if kind is None:
        return None
    read = document(kind).read(root, "", reading)
    spec = read["spec"] if read is not REFUSED else REFUSED
    salvaged = spec
    if spec is REFUSED and kind == "ModelMonitor":
        node = _value(root, "spec")
        salvaged = REFUSED if node is None else MONITOR.read(node, "spec", Reading(salvaging=True))
    return Draft(kind, _name(root), spec, salvaged, reading, Origin(file, reading.places))


def _kind(root: Node, reading: Reading) -> str | None:
    keys = "apiVersion, kind, metadata and spec"
    if not isinstance(root, Pairs):
        reading.refuse(root, "", f"a document is a mapping with the keys {keys}")
        return None
    node = _value(root, "kind")
    plain = node is None and isinstance(_value(root, "groups"), Items)
    if plain or _text_of(node) == "PrometheusRule":
        hint = "take them over by `airis-mon import FILE -o monitor.yaml`"
        reading.refuse(root if node is None else node, "", "these are rules of Prometheus, no document", hint)
        return None
    if node is None:
        reading.refuse(root, "kind", "`kind` is missing", "write kind: ModelMonitor")
        return None
    text = _text_of(node)
    if text in KINDS:
        return text
    if text in LATER_KINDS:
        reading.refuse(node, "kind", f"kind `{text}` is not available in this version")
    else:
        reading.refuse(node, "kind", f"unknown kind {quoted(text)}", did_you_mean(text, KINDS))
    return None


def _text_of(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""


def _value(node: Node | None, key: str) -> Node | None:
    if isinstance(node, Pairs):
        return next((value for name, value in node.pairs if name.text == key), None)
    return None


def _name(root: Node) -> str:
    """Return the name even of a document that is refused, so that others may refer to it."""
    node = _value(_value(root, "metadata"), "name")
    return node.text if isinstance(node, Scalar) else ""


def _built_in(text: str) -> Draft:
    """Read a profile of the package; it has no file that a message could name."""
    documents, _ = compose("", text)
    draft = _draft("", documents[0], Reading())
    assert draft is not None
    return draft
