"""`--events.store`: which store a command line means."""

from __future__ import annotations

import uuid
from pathlib import Path

from airis_mon.sidecar.events.postgresql import PostgreSQL
from airis_mon.sidecar.events.sqlite import SQLite
from airis_mon.sidecar.events.store import EventStore

_SQLITE, _POSTGRESQL = "sqlite:", ("postgresql://", "postgres://")
_STREAM = "stream"


def event_store(text: str | None, storage: Path | None) -> EventStore:
    """Return the store of `sqlite:FILE` or of a PostgreSQL URL; without one SQLite beside the journal.

    ValueError for another text. ModuleNotFoundError where PostgreSQL's client is not installed. OSError where
    the storage cannot be used.
    """
    stream = _stream(storage)
    if text is None:
        return EventStore(SQLite(None if storage is None else storage / "events.sqlite"), stream)
    if text.startswith(_SQLITE) and len(text) > len(_SQLITE):
        return EventStore(SQLite(Path(text.removeprefix(_SQLITE))), stream)
    if text.startswith(_POSTGRESQL):
        return EventStore(PostgreSQL(text), stream)
    raise ValueError(
        f"`{text.partition('@')[2] or text}` is no store of events; write sqlite:FILE, or "
        "postgresql://USER@HOST/DATABASE"
    )


def _stream(storage: Path | None) -> str:
    """Return the name of this journal, for good: sequences of another one mean other records."""
    if storage is None:
        return uuid.uuid4().hex
    storage.mkdir(parents=True, exist_ok=True, mode=0o750)
    path = storage / _STREAM
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        partial = path.with_suffix(".new")
        partial.write_text(uuid.uuid4().hex, encoding="ascii")
        partial.rename(path)
        return path.read_text(encoding="ascii").strip()
