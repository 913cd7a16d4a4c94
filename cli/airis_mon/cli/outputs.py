"""A page that a command writes for a reader: one that cannot be meant is refused before anything is done."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path


class OutputError(Exception):
    """A file that cannot be written."""


def page(text: str) -> Path:
    """Return the name of a page to write, as an option says it: FILE.html in a folder that is there."""
    file = Path(text)
    if file.suffix != ".html":
        raise argparse.ArgumentTypeError(f"`{text}` is no page; write FILE.html")
    folder = file.absolute().parent
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {folder}")
    if file.is_dir():
        raise argparse.ArgumentTypeError(f"{file} is a folder; write the name of a file in it")
    return file


def overwritten(output: Path, inputs: Iterable[Path | str]) -> Path | None:
    """Return the file among those that are read which `output` is, or links to, where there is one."""
    for one in map(Path, inputs):
        try:
            if output.samefile(one):
                return one
        except OSError:
            continue  # one of them is not there
    return None


def write(flag: str, file: Path, text: str) -> None:
    """Write a file; OutputError with its option and the reason where that fails."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{flag}: cannot write {file}: {error.strerror or error}") from error
