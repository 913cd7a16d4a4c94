"""Files that a command writes for a reader: one that cannot be meant is refused before anything is done."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path


class OutputError(ValueError):
    """A file that must not, or cannot, be written; the text says which flag is meant, and why."""


def output_file(*kinds: str, what: str) -> Callable[[str], Path]:
    """Return what reads the name of a file to write: it ends in one of `kinds`, and its folder is there."""

    def read(text: str) -> Path:
        found = Path(text)
        if found.suffix not in kinds:
            wanted = " or ".join(f"FILE{kind}" for kind in kinds)
            raise argparse.ArgumentTypeError(f"`{text}` is {what}; write {wanted}")
        folder = found.absolute().parent
        if not folder.is_dir():
            raise argparse.ArgumentTypeError(f"there is no folder {folder}")
        if found.is_dir():
            raise argparse.ArgumentTypeError(f"{found} is a folder; write the name of a file in it")
        return found

    return read


def check_outputs(
    outputs: Iterable[tuple[str, Path | None]], inputs: Iterable[tuple[str, Path | None]]
) -> None:
    """Raise OutputError where a file to write, or what it links to, is one that is read.

    Both are pairs of a flag and its file, None where it was not given.
    """
    read = [(flag, one) for flag, one in inputs if one is not None]
    written = [(flag, one) for flag, one in outputs if one is not None]
    for flag, output in written:
        for source, one in read:
            if _same(output, one):
                raise OutputError(
                    f"{flag} {output} is what {source} reads: it would be overwritten; write another name"
                )


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False  # one of them is not there


def write_output(flag: str, output: Path, form: Callable[[Path], object]) -> None:
    """Let `form` write a file; OutputError with the flag and the reason where that fails."""
    try:
        form(output)
    except OSError as error:
        raise OutputError(f"{flag}: cannot write {output}: {error.strerror or error}") from error
