"""The files that receivers name, looked at on this machine. What is in them is never shown."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from airis_mon.alertmanager import compile as alertmanager
from airis_mon.spec import Bundle, Problem

LARGEST = 1 << 16
"""Bytes; a secret has fewer, and whatever is named is not read to its end."""


def warnings(bundle: Bundle, target: tuple[int, int]) -> Iterator[Problem]:
    """Yield what Alertmanager, were it here, could not send with."""
    for named in alertmanager.secret_files(bundle, target):
        for message, hint in _wrong(Path(named.file), named.to_the_letter):
            where = named.origin.locate(named.path)
            yield Problem(f"{named.file} {message}", named.path, where, hint, "warning")


def _wrong(file: Path, to_the_letter: bool) -> Iterator[tuple[str, str]]:
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            yield "is no file", "write the path of the file that holds the secret"
            return
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as error:
        message = f"cannot be read on this machine: {error.strerror or error}"
        yield message, "put the secret there, where Alertmanager runs; nothing is sent without it"
        return
    if not content.strip():
        yield "is empty", "put the secret there"
    elif len(content) > LARGEST:
        yield "is larger than any secret", f"a secret has fewer than {LARGEST} bytes"
    elif to_the_letter and content.rstrip() != content:
        hint = "write it without, as `printf %s` does, or run a newer Alertmanager"
        yield "ends in white space, which this Alertmanager takes for a part of the secret", hint
    if status.st_mode & stat.S_IROTH:
        yield "may be read by everybody on this machine", f"chmod o-r {file}"
