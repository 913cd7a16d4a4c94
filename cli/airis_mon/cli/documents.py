"""Files in, checked documents out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from airis_mon.cli.build import build
from airis_mon.cli.targets import Target
from airis_mon.exporters import contracts
from airis_mon.spec import Bundle, Location, Monitor, Problem, SpecError, decode

LARGEST = 1 << 20
"""Bytes of one file; a hundred monitors take a tenth of it."""


def _unheard(_warning: Problem) -> None:
    """Tell nobody."""


def load(
    paths: Sequence[Path | str],
    *,
    tell: Callable[[Problem], None] = _unheard,
    known: Callable[[Monitor], Monitor] = lambda monitor: monitor,
    target: Target = Target(),  # noqa: B008  frozen
) -> Bundle:
    """Return the documents of all files together.

    Raises SpecError with every problem of every file: unreadable files, documents that do not decode, and
    signals that their contract does not have; then also what no file could be derived from for `target`, of
    the documents that nothing else is wrong with. `tell` hears of what was changed to make it fit, and
    `known` adds what is known of a monitor beside its document.
    """
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for path in dict.fromkeys(map(str, paths)):
        try:
            texts[path] = _text(Path(path))
        except _UnreadableError as error:
            problems.append(error.problem)
    decoded = decode(texts)
    problems += decoded.problems
    monitors = []
    for monitor in decoded.bundle.monitors:
        try:
            fitting, moved = contracts.snapped(known(_referenced(monitor)))
        except SpecError as error:
            problems += error.problems
            continue
        wrong = contracts.problems(fitting)
        problems += wrong
        monitors += [] if wrong else [fitting]
        for warning in moved:
            tell(warning)
    for sketch in decoded.sketches:
        problems += contracts.problems(contracts.snapped(sketch)[0])
    bundle = replace(decoded.bundle, monitors=tuple(monitors))
    if problems:
        problems += _later(bundle.closed(), target)
        raise SpecError(sorted(problems, key=_place(list(texts))))
    return bundle


def _later(bundle: Bundle, target: Target) -> tuple[Problem, ...]:
    """Return what is wrong with documents that are sound by themselves: what derives files from them says."""
    try:
        build(bundle, target)
    except SpecError as error:
        return error.problems
    return ()


def _referenced(monitor: Monitor) -> Monitor:
    """Return the monitor with its reference, where it has one."""
    if monitor.drift is None:
        return monitor
    from airis_mon.cli.references import referenced

    return referenced(monitor)


def text_of(path: Path | str) -> str:
    """Return the text of one file, within the limits of documents; SpecError where it cannot be read."""
    try:
        return _text(Path(path))
    except _UnreadableError as error:
        raise SpecError([error.problem]) from error


def _place(files: Sequence[str]) -> Callable[[Problem], tuple[int, int]]:
    """Return the order in which problems are told: unreadable files, then file by file, line by line."""
    ranks = {file: rank for rank, file in enumerate(files)}

    def place(problem: Problem) -> tuple[int, int]:
        where = problem.location
        return (ranks.get(where.file, -1), where.line) if where is not None else (-1, 0)

    return place


class _UnreadableError(Exception):
    def __init__(self, path: Path, message: str, hint: str | None = None, line: int = 1) -> None:
        super().__init__(message)
        self.problem = Problem(message, location=Location(str(path), line, 1, ""), hint=hint)


def _text(path: Path) -> str:
    try:
        if path.is_dir():
            there = any(path.glob("*.yaml"))
            hint = f"name its files: {path}/*.yaml" if there else "name files; there is no *.yaml in it"
            raise _UnreadableError(path, f"{path} is a folder", hint)
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise _UnreadableError(path, f"cannot read {path}: {error.strerror}") from error
    if len(content) > LARGEST:
        raise _UnreadableError(
            path, f"{path} is larger than {LARGEST >> 20} MiB", "split it into several files"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _UnreadableError(path, f"{path} is not UTF-8", "save it in that encoding", line) from error
