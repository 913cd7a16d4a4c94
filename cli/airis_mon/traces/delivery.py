"""Sending batches to a sidecar, each exactly once or not at all.

The sidecar has no memory of what it has already taken, so a batch may be sent again only where it certainly
did not arrive: the connection was refused, or the answer says that nothing was taken (429, 503). Where it may
have arrived, sending it again could count it twice; delivery then ends and says so.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

PATIENCE: Final = 30.0
"""Seconds for which a batch is offered again before delivery gives up."""
FIRST_PATIENCE: Final = 5.0
"""Seconds where nothing has ever answered: then it is rather the address that is wrong than a restart."""
FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 5.0
IDLE: Final = 10.0
"""Seconds after which a connection is opened anew: a server that closes an idle one just as it is used again
would leave a batch in doubt for no reason."""
_TIMEOUT: Final = (5.0, 30.0)
_NOT_TAKEN: Final = frozenset({429, 503})


class DeliveryError(Exception):
    """A batch that was not, or not certainly, taken. Nothing after it was sent."""

    def __init__(self, message: str, *, in_doubt: bool) -> None:
        self.in_doubt = in_doubt
        """Whether the sidecar may have counted the batch all the same."""
        super().__init__(message)


@dataclass(frozen=True)
class _Refusal:
    """An attempt of which nothing was taken."""

    reason: str
    connected: bool
    after: float | None = None
    """Seconds to wait, where the server asks for it."""


class Receiver(Protocol):
    """Takes batches of metrics."""

    def post(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Deliver all of `items`; DeliveryError where that is not certain."""

    def close(self) -> None:
        """Let go of the connection."""


class Sidecar:
    """The sidecar at an HTTP address.

    `notify` is told once per outage, as it begins, that connections fail and for how long they are tried.
    """

    def __init__(
        self,
        url: str,
        *,
        patience: float = PATIENCE,
        notify: Callable[[str], None] = lambda _: None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/") + "/v1/metrics"
        self._patience = patience
        self._notify = notify
        self._answered = False
        self._now = now
        self._sleep = sleep
        self._session = requests.Session()
        # No proxy, no .netrc: a sidecar is a neighbour.
        self._session.trust_env = False
        self._used = now()

    def post(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Deliver all of `items` as one JSON array; DeliveryError where that is not certain."""
        body = json.dumps(list(items), separators=(",", ":"), ensure_ascii=False).encode()
        began = self._now()
        pause, told = FIRST_PAUSE, False
        while True:
            refusal = self._attempt(body)
            if refusal is None:
                return
            self._answered = self._answered or refusal.connected
            patience = self._patience if self._answered else min(FIRST_PATIENCE, self._patience)
            rest = began + patience - self._now()
            if rest <= 0:
                message = f"{self.url} took nothing for {patience:g} s: {refusal.reason}"
                raise DeliveryError(message, in_doubt=False)
            if not told and not refusal.connected:
                self._notify(f"{self.url}: {refusal.reason}; trying again for {rest:.0f} s")
                told = True
            self._sleep(min(rest, pause if refusal.after is None else refusal.after))
            pause = min(LONGEST_PAUSE, pause * 2)

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def _attempt(self, body: bytes) -> _Refusal | None:
        """Send once; return why nothing was taken, None where it was."""
        if self._now() - self._used > IDLE:
            self._session.close()
        try:
            answer = self._session.post(
                self.url, data=body, headers={"Content-Type": "application/json"}, timeout=_TIMEOUT
            )
        except requests.RequestException as error:
            if (reason := _never_connected(error)) is not None:
                return _Refusal(reason, connected=False)
            message = f"{self.url} may or may not have taken the last batch: {_reason(error)}"
            raise DeliveryError(message, in_doubt=True) from error
        finally:
            self._used = self._now()
        if answer.status_code in _NOT_TAKEN:
            return _Refusal(f"it answered {answer.status_code}", connected=True, after=_retry_after(answer))
        self._answered = True
        if not answer.ok:
            text = answer.text[:500].strip()
            message = f"{self.url} answered {answer.status_code}: {text or answer.reason}"
            raise DeliveryError(message, in_doubt=not _took_nothing(answer))
        return None


def _never_connected(error: requests.RequestException) -> str | None:
    """Return why there was no connection at all; None where there was one."""
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", None)
    # A new connection's error is a timeout's kind to urllib3, so the narrower one is asked for first.
    if isinstance(reason, NewConnectionError):
        system = reason.__cause__
        said = system.strerror if isinstance(system, OSError) else None
        return said.lower() if said else "no connection"
    if isinstance(reason, ConnectTimeoutError):
        return f"no connection within {_TIMEOUT[0]:g} s"
    return None


def _reason(error: requests.RequestException) -> str:
    return "no answer in time" if isinstance(error, requests.Timeout) else f"the connection broke ({error})"


def _took_nothing(answer: requests.Response) -> bool:
    """Say whether a refusal states that none of the items counts: one of single items counts the others."""
    try:
        body = answer.json()
    except ValueError:
        return False
    return isinstance(body, dict) and body.get("accepted") == 0


def _retry_after(answer: requests.Response) -> float | None:
    text = answer.headers.get("Retry-After", "")
    return min(float(text), LONGEST_PAUSE) if text.isascii() and text.isdigit() else None
