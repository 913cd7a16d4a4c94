"""PostgreSQL, by a URL: for several sidecars that share one store."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airis_mon.sidecar.events.store import StoreError

if TYPE_CHECKING:
    import psycopg

_TIMEOUT = 10
"""Seconds for a connection; a server that is away is asked again later."""


class PostgreSQL:
    """One connection for one thread, made anew after each failure.

    The password belongs into a file that libpq reads (`PGPASSFILE`, or `passfile=` in the URL), and not into
    the URL, which other users of the machine see.
    """

    placeholder = "%s"

    def __init__(self, url: str) -> None:
        """ModuleNotFoundError where psycopg is not installed."""
        import psycopg

        self._psycopg = psycopg
        self._url = url
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def _cursor(self) -> psycopg.Cursor[tuple[Any, ...]]:
        if self._connection is None:
            self._connection = self._psycopg.connect(self._url, connect_timeout=_TIMEOUT)
        return self._connection.cursor()

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement."""
        try:
            with self._cursor() as cursor:
                cursor.execute(statement.encode(), values)
                return cursor.fetchall() if cursor.description else []
        except self._psycopg.Error as error:
            raise self._failed(error) from None

    def execute_many(self, statement: str, values: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each."""
        try:
            with self._cursor() as cursor:
                cursor.executemany(statement.encode(), values)
        except self._psycopg.Error as error:
            raise self._failed(error) from None

    def commit(self) -> None:
        """End the transaction."""
        try:
            if self._connection is not None:
                self._connection.commit()
        except self._psycopg.Error as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> StoreError:
        # The text of psycopg names host, port and user; a password it never names.
        self.close()
        return StoreError(f"PostgreSQL: {' '.join(str(error).split())[:500]}")

    def rollback(self) -> None:
        """Give the transaction up."""
        if self._connection is not None:
            with suppress(self._psycopg.Error):
                self._connection.rollback()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            with suppress(self._psycopg.Error):
                self._connection.close()
            self._connection = None
