"""Child processes: started, waited for until they are ready, ended by pid."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from airis_mon.stack import tether

_POLL = 0.05
_STOP_POLL = 0.01
_TAIL_LINES = 15
_TAIL_BYTES = 16_384
_STOP_DEADLINE = 10.0
"""Seconds between SIGTERM and SIGKILL; Prometheus writes its head chunks in well under one."""


class ProcessError(Exception):
    """A process that died or never got ready; the text ends with what it said last."""


@dataclass(frozen=True)
class Command:
    """What to run, and how to know that it is up."""

    name: str
    """What a person calls it, such as `Prometheus`."""
    argv: tuple[str, ...]
    url: str
    """Base URL that it serves; `/-/ready` below it answers 200 once it is ready."""
    cwd: Path | None = None
    deadline: float = 60.0
    """Seconds until it has to be ready."""
    more_urls: tuple[str, ...] = ()
    """Further base URLs that it serves, which have to be ready too."""
    after: tuple[str, ...] = ()
    """Command line that tidies up once it has ended."""


class Process:
    """One running child in a session of its own, so that a terminal's Ctrl-C reaches us alone."""

    def __init__(self, command: Command, log: Path) -> None:
        """Start `command`; its stdout and stderr go to the file `log`. ProcessError where it cannot start."""
        self.command = command
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            try:
                self._child = subprocess.Popen(
                    [sys.executable, "-I", tether.__file__, str(os.getpid()), *command.argv],
                    cwd=command.cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            except OSError as error:
                raise ProcessError(f"{command.name} does not start: {error}") from error

    @property
    def pid(self) -> int:
        """Process id; also that of its session and process group."""
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code, or None while it runs; negative for a signal."""
        # Not Popen.poll: an exception that a signal handler raises there at the wrong moment leaves its lock
        # taken for good, and this process unstoppable with it.
        if self._child.returncode is None:
            try:
                pid, status = os.waitpid(self._child.pid, os.WNOHANG)
            except ChildProcessError:  # somebody else has asked, or we were interrupted while asking
                self._child.returncode = 0
            else:
                if pid:
                    self._child.returncode = os.waitstatus_to_exitcode(status)
        return self._child.returncode

    def wait_ready(self, tick: Callable[[], None] = lambda: None) -> None:
        """Return once it answers; ProcessError where it dies or its deadline passes.

        `tick` is called between attempts, several times a second; what it raises ends the waiting.
        """
        end = time.monotonic() + self.command.deadline
        waiting = [self.command.url, *self.command.more_urls]
        while True:
            if self.exit_code is not None:
                raise ProcessError(self.epitaph())
            waiting = [url for url in waiting if not _answers(f"{url}/-/ready")]
            if not waiting:
                return
            if time.monotonic() > end:
                raise ProcessError(
                    f"{self.command.name} ({waiting[0]}) was not ready within "
                    f"{self.command.deadline:.0f} s. {self._last_words()}"
                )
            tick()
            time.sleep(_POLL)

    def epitaph(self) -> str:
        """Return how it ended, and what it said last."""
        code = self.exit_code
        how = (
            f"was ended by signal {-code}"
            if code is not None and code < 0
            else f"ended with exit code {code}"
        )
        return f"{self.command.name} {how}. {self._last_words()}"

    def stop(self, deadline: float = _STOP_DEADLINE) -> None:
        """End it: SIGTERM, and SIGKILL after `deadline` seconds or when interrupted meanwhile."""
        try:
            self._signal(signal.SIGTERM)
            end = time.monotonic() + deadline
            while self.exit_code is None and time.monotonic() < end:
                time.sleep(_STOP_POLL)
        finally:
            self._signal(signal.SIGKILL)
            while self.exit_code is None:
                time.sleep(_STOP_POLL)
        if self.command.after:
            with self.log.open("ab") as output:
                subprocess.run(
                    self.command.after, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
                )

    def _signal(self, number: signal.Signals) -> None:
        if self.exit_code is None:  # not waited for yet, so the pid is still its own
            os.kill(self._child.pid, number)

    def tail(self) -> str:
        """Return its last lines of output."""
        with self.log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
        return "\n".join(text.splitlines()[-_TAIL_LINES:])

    def _last_words(self) -> str:
        tail = self.tail()
        return f"Its last lines:\n{tail}" if tail else "It said nothing."


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=2.0)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
