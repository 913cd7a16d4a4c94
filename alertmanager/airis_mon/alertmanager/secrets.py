"""The files in which receivers keep their secrets: where they are named, and how Alertmanager reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from airis_mon.alertmanager.integrations import INTEGRATIONS
from airis_mon.spec import Bundle, Origin

_TRIMMED_SINCE = {"emails": (0, 27), "opsgenie": (0, 28)}
"""Integration to the first Alertmanager that leaves out a line break at the end; the others always did."""


@dataclass(frozen=True)
class SecretFile:
    """A file that Alertmanager reads when it has something to send."""

    file: str
    """Path on Alertmanager's machine."""
    path: str
    """Of the field that names it, such as `spec.slack[0].api_url_file`."""
    origin: Origin
    to_the_letter: bool
    """Whether a line break at its end would be part of the secret."""


def files(bundle: Bundle, target: tuple[int, int]) -> Iterator[SecretFile]:
    """Yield every file that a receiver names, in the order of the documents."""
    for receiver in bundle.receivers:
        for integration in INTEGRATIONS:
            exact = target < _TRIMMED_SINCE.get(integration.key, (0, 0))
            for index, way in enumerate(getattr(receiver, integration.key)):
                for file, path in _named(way, f"spec.{integration.key}[{index}]"):
                    yield SecretFile(file, path, receiver.origin, exact)


def _named(way: Any, path: str) -> Iterator[tuple[str, str]]:
    for known in fields(way):
        value = getattr(way, known.name)
        if is_dataclass(value):
            yield from _named(value, f"{path}.{known.name}")
        elif value is not None and known.name.endswith("_file"):
            yield value, f"{path}.{known.name}"
