"""The table of events, in SQL that SQLite and PostgreSQL share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from airis_mon.sidecar.events.rows import Place, Query, Row

_TABLES = (
    """CREATE TABLE IF NOT EXISTS airis_events (
        stream TEXT NOT NULL,
        sequence BIGINT NOT NULL,
        position INTEGER NOT NULL,
        timestamp DOUBLE PRECISION NOT NULL,
        event_type TEXT NOT NULL,
        severity TEXT NOT NULL,
        source TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (stream, sequence, position)
    )""",
    "CREATE INDEX IF NOT EXISTS airis_events_by_time ON airis_events (timestamp, sequence, position, stream)",
    "CREATE TABLE IF NOT EXISTS airis_event_marks (stream TEXT PRIMARY KEY, sequence BIGINT NOT NULL)",
)
_COLUMNS = "timestamp, sequence, position, stream, event_type, severity, source, body"


class StoreError(Exception):
    """The store cannot be used now; another attempt may do better."""


class Database(Protocol):
    """A connection, of whichever kind."""

    placeholder: str
    """`?` or `%s`."""

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows; StoreError where that fails."""

    def execute_many(self, statement: str, values: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each; StoreError where that fails."""

    def commit(self) -> None:
        """End the transaction, durably; StoreError where that fails."""

    def rollback(self) -> None:
        """Give the transaction up; never raises."""

    def close(self) -> None:
        """Let go of it; never raises."""


class EventStore:
    """Events of one or several journals. Blocks; to be used by one thread."""

    def __init__(self, database: Database, stream: str) -> None:
        """`stream` names the journal: sequences are its own."""
        self._database = database
        self._stream = stream

    def open(self) -> int:
        """Make the tables where they are not there; return up to which sequence the journal is in them."""
        with self._transaction():
            for statement in _TABLES:
                self._database.execute(statement)
            found = self._execute("SELECT sequence FROM airis_event_marks WHERE stream = ?", (self._stream,))
        return int(found[0][0]) if found else 0

    def write(self, rows: Sequence[Row], mark: int) -> None:
        """Add rows, the ones that are there already apart, and note how far the journal is in."""
        with self._transaction():
            self._database.execute_many(
                self._spelled(
                    f"INSERT INTO airis_events ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "  # noqa: S608
                    "ON CONFLICT DO NOTHING"
                ),
                [
                    (
                        row.place.timestamp,
                        row.place.sequence,
                        row.place.position,
                        self._stream,
                        row.event_type,
                        row.severity,
                        row.source,
                        row.body,
                    )
                    for row in rows
                ],
            )
            self._execute(
                "INSERT INTO airis_event_marks (stream, sequence) VALUES (?, ?) "
                "ON CONFLICT (stream) DO UPDATE SET sequence = excluded.sequence",
                (self._stream, mark),
            )

    def read(self, query: Query) -> list[Row]:
        """Return events, newest first, at most `query.limit`."""
        wanted: list[tuple[str, Sequence[Any]]] = []
        if query.since is not None:
            wanted.append(("timestamp >= ?", (query.since,)))
        if query.until is not None:
            wanted.append(("timestamp < ?", (query.until,)))
        for column in ("event_type", "severity", "source"):
            value = getattr(query, column)
            if value is not None:
                wanted.append((f"{column} = ?", (value,)))
        if query.before is not None:
            before = query.before
            place = (before.timestamp, before.sequence, before.position, before.stream)
            wanted.append(("(timestamp, sequence, position, stream) < (?, ?, ?, ?)", place))
        where = " AND ".join(condition for condition, _ in wanted) or "1 = 1"
        values = [value for _, given in wanted for value in given]
        with self._transaction():
            found = self._execute(
                f"SELECT {_COLUMNS} FROM airis_events WHERE {where} "  # noqa: S608 - names of columns alone
                "ORDER BY timestamp DESC, sequence DESC, position DESC, stream DESC LIMIT ?",
                (*values, query.limit),
            )
        return [Row(Place(float(row[0]), int(row[1]), int(row[2]), row[3]), *row[4:]) for row in found]

    def trim(self, before: float | None, most: int) -> None:
        """Delete what is older than a time, seconds since 1970, and the oldest of more than `most`."""
        with self._transaction():
            if before is not None:
                self._execute("DELETE FROM airis_events WHERE timestamp < ?", (before,))
            found = self._execute(
                "SELECT timestamp, sequence, position, stream FROM airis_events "
                "ORDER BY timestamp DESC, sequence DESC, position DESC, stream DESC LIMIT 1 OFFSET ?",
                (most,),
            )
            if found:
                self._execute(
                    "DELETE FROM airis_events WHERE (timestamp, sequence, position, stream) <= (?, ?, ?, ?)",
                    found[0],
                )

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def _execute(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        return self._database.execute(self._spelled(statement), values)

    def _spelled(self, statement: str) -> str:
        return statement.replace("?", self._database.placeholder)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            yield
            self._database.commit()
        except BaseException:
            self._database.rollback()
            raise
