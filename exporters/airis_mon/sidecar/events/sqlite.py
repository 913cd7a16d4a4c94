"""SQLite: a file beside the journal, or nothing but memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from airis_mon.sidecar.events.store import StoreError


class SQLite:
    """One connection for one thread.

    A rollback journal and not a write-ahead log: SQLite before 3.51.3 may lose pages of the latter, and
    Debian's is older.
    """

    placeholder = "?"

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            made = sqlite3.connect(":memory:" if self._path is None else self._path, check_same_thread=False)
            made.execute("PRAGMA journal_mode = DELETE")
            made.execute("PRAGMA synchronous = FULL")
            self._connection = made
        return self._connection

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement."""
        try:
            return self._connected().execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"SQLite {self._path}: {error}") from error

    def execute_many(self, statement: str, values: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each."""
        try:
            self._connected().executemany(statement, values)
        except sqlite3.Error as error:
            raise StoreError(f"SQLite {self._path}: {error}") from error

    def commit(self) -> None:
        """End the transaction."""
        try:
            self._connected().commit()
        except sqlite3.Error as error:
            raise StoreError(f"SQLite {self._path}: {error}") from error

    def rollback(self) -> None:
        """Give the transaction up."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.rollback()

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
