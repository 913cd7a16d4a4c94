"""The program itself, as something that derived files depend on."""

from __future__ import annotations

import hashlib
from importlib import resources
from importlib.resources.abc import Traversable

_PACKAGES = ("spec", "exporters", "analyzer", "rules", "alertmanager", "grafana", "cli")
"""What takes part in deriving files."""


def digest() -> str:
    """Return a digest of the program's own text: another program may derive other files."""
    found = hashlib.sha256()
    for package in _PACKAGES:
        _take(resources.files(f"airis_mon.{package}"), found)
    return found.hexdigest()


def _take(folder: Traversable, found: hashlib._Hash) -> None:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            _take(entry, found)
        elif entry.is_file():
            content = entry.read_bytes()
            found.update(f"{entry.name} {len(content)} ".encode() + content)
