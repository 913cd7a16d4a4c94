"""Who may in: the configuration as it is now, TLS contexts, and basic auth."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import logging
import secrets
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import bcrypt
from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry, Counter, Gauge

from airis_mon.web.configuration import WebConfig, WebConfigError, load
from airis_mon.web.tls import context

_LOG = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0
"""Between two looks at the files: a new certificate is used a second later."""
_REMEMBERED = 1_000
_AT_ONCE = 2
"""Checks of a password at the same time; each holds a core for a twentieth of a second."""
_WAITING = 32
_NOBODY = "$2b${cost}$Qr8S1F8xTZmJjjFOAIMOke3BEi77XyyO8JF9ucLySbrUDH7tYdpra"
"""A hash to check against where there is no such user, as dear as the dearest: none comes sooner."""


class Access:
    """The file of `--web.config.file`, read again when it changes; without one everybody is admitted."""

    def __init__(
        self, prefix: str, registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._prefix = prefix
        self._registry = registry
        self._clock = clock
        self._path: Path | None = None
        self._seen: tuple[object, ...] = ()
        self._looked = float("-inf")
        self.config = WebConfig()
        self._tls: ssl.SSLContext | None = None
        # What is remembered is not the password: a key of this process stands before it.
        self._secret = secrets.token_bytes(32)
        # Apart: no flood of wrong passwords makes a right one dear again, of which there is one a user.
        self._right: set[bytes] = set()
        self._wrong: set[bytes] = set()
        self._nobody = ""
        self._checks = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0
        self._refused: Counter | None = None
        self._successful: Gauge | None = None

    def open(self, path: Path) -> None:
        """Read the file; WebConfigError or OSError where it, or what it names, cannot be used."""
        self._path = path
        before = self._state(path, WebConfig())
        config = load(path)
        self._seen = before + self._state(path, config)[1:]
        self._take(config)
        self._refused = Counter(
            f"{self._prefix}_http_unauthorized_total",
            "Requests refused for want of a right name and password.",
            registry=self._registry,
        )
        self._successful = Gauge(
            f"{self._prefix}_web_config_last_reload_successful",
            "Whether the last attempt to read --web.config.file was successful.",
            registry=self._registry,
        )
        self._successful.set(1)

    def _take(self, config: WebConfig) -> None:
        tls = None if config.tls is None else context(config.tls)
        self.config, self._tls = config, tls
        self._right.clear()
        self._wrong.clear()
        self._nobody = _NOBODY.format(
            cost=max((hashed[4:6] for hashed in config.users.values()), default="10")
        )

    @property
    def open_to_all(self) -> bool:
        """Say whether there is no configuration, and so nothing to ask anybody for."""
        return self._path is None

    @property
    def tls(self) -> ssl.SSLContext | None:
        """Return the context for a new connection, None for plain HTTP."""
        self.refresh()
        return self._tls

    def refresh(self) -> None:
        """Read the files again where they have changed; a bad one leaves everything as it was."""
        now = self._clock()
        if self._path is None or now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        state = self._state(self._path, self.config)
        if state == self._seen:
            return
        self._seen = state
        assert self._successful is not None
        try:
            config = load(self._path)
            if (config.tls is None) != (self.config.tls is None):
                raise WebConfigError("TLS cannot be switched on or off while the process runs; start it anew")
            # Of before the files are read: what changes meanwhile is seen at the next look.
            seen = state[:1] + self._state(self._path, config)[1:]
            self._take(config)
        except (WebConfigError, OSError) as error:
            self._successful.set(0)
            _LOG.error("web configuration not taken, the old one stays", extra={"reason": str(error)})
            return
        self._seen = seen
        self._successful.set(1)
        _LOG.info("web configuration taken")

    @staticmethod
    def _state(path: Path, config: WebConfig) -> tuple[object, ...]:
        """Return what changes when one of the files does; a link that is swapped counts as a change."""
        states: list[object] = []
        for file in (path, *config.files):
            try:
                status = file.stat()
            except OSError as error:
                states.append(error.errno)
            else:
                states.append((status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size))
        return tuple(states)

    async def refusal(self, request: web.Request) -> web.Response | None:
        """Return the answer for who may not in, None for who may."""
        self.refresh()
        if not self.config.users:
            return None
        user, password = _credentials(request.headers.get(hdrs.AUTHORIZATION, ""))
        try:
            if await self._admits(user, password):
                return None
        except _BusyError:
            return web.Response(
                status=503, text="Too many passwords to check; try again\n", headers={hdrs.RETRY_AFTER: "1"}
            )
        assert self._refused is not None
        self._refused.inc()
        return web.Response(
            status=401, text="Unauthorized\n", headers={hdrs.WWW_AUTHENTICATE: 'Basic realm="airis-mon"'}
        )

    async def _admits(self, user: str, password: bytes) -> bool:
        hashed = self.config.users.get(user, self._nobody)
        # Each part with its length before it: no two different ones look alike.
        parts = b"".join(
            len(part).to_bytes(4, "big") + part for part in (user.encode(), password, hashed.encode())
        )
        key = hmac.digest(self._secret, parts, hashlib.sha256)
        if key in self._right:
            return True
        if key in self._wrong:
            return False
        if await self._checked(password, hashed) and self.config.users.get(user) == hashed:
            self._right.add(key)
            return True
        if len(self._wrong) >= _REMEMBERED:
            self._wrong.clear()
        self._wrong.add(key)
        return False

    async def _checked(self, password: bytes, hashed: str) -> bool:
        if self._waiting >= _WAITING:
            raise _BusyError
        self._waiting += 1
        try:
            async with self._checks:
                # What is longer bcrypt would cut off, or refuse.
                return len(password) <= 72 and await asyncio.to_thread(
                    bcrypt.checkpw, password, hashed.encode()
                )
        except ValueError:
            return False
        finally:
            self._waiting -= 1


class _BusyError(Exception):
    """More passwords wait to be checked than should."""


def _credentials(header: str) -> tuple[str, bytes]:
    """Return user and password of a header, empty ones where it says neither."""
    scheme, _, given = header.partition(" ")
    if scheme.lower() != "basic" or len(given) > 1_000:
        return "", b""
    try:
        user, _, password = base64.b64decode(given.strip(), validate=True).partition(b":")
        return user.decode(), password
    except (binascii.Error, ValueError):
        return "", b""
