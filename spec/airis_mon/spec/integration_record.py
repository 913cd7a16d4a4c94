"""The shape of one way to reach somebody.

A secret never stands in a document. Keys that would hold one are refused, with the key that names its file;
no message repeats what was written there, nor the value of any other key that is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airis_mon.spec.reading import Reading
from airis_mon.spec.records import Field, Record


def integration(
    title: str,
    build: Callable[..., Any],
    fields: tuple[Field, ...],
    literals: Mapping[str, str],
    exactly_one: tuple[str, ...] = (),
    check: Callable[[Any, str, Reading], None] | None = None,
    literal_hint: str = "put it in a file and write {}: /path/of/the/file",
) -> Record:
    """Return the shape of one way; `literals` is which key names the file of what a key would hold."""
    message = "secrets do not belong in a document"
    return Record(
        title,
        fields,
        build,
        exactly_one=exactly_one,
        hints={key: (message, literal_hint.format(file)) for key, file in literals.items()},
        meant=literals,
        private=True,
        check=check,
    )
