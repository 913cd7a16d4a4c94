"""Stores of events, real ones: SQLite, and a PostgreSQL of the test's own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from tests.waiting import until


@dataclass
class Server:
    """A PostgreSQL in a folder of its own, on a socket in it; to be stopped and started at will."""

    binaries: Path
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    account: str | None = field(default=None)

    @property
    def url(self) -> str:
        return f"postgresql:///postgres?host={self.folder}&user=postgres"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                *(self.binaries / "postgres", "-D", self.folder / "data"),
                *("-c", "listen_addresses=", "-c", f"unix_socket_directories={self.folder}"),
            ],
            user=self.account,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._answers, what="PostgreSQL to answer")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
            (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    binaries = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="airis-postgresql-"))
    # It refuses to run as root.
    account = "nobody" if os.geteuid() == 0 else None
    server = Server(binaries, folder, account=account)
    try:
        if account is not None:
            os.chown(folder, pwd.getpwnam(account).pw_uid, -1)
        subprocess.run(
            [binaries / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "--no-sync"],
            user=account,
            check=True,
            capture_output=True,
            env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
            cwd=folder,
        )
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql_running(postgresql: Server) -> Server:
    """The server, running, with no events in it."""
    if postgresql.process is None:
        postgresql.start()
    with psycopg.connect(postgresql.url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS airis_events, airis_event_marks")
    return postgresql
