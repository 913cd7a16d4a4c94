"""One receiver by its URL: a POST, and its answer or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

import cramjam
import requests

from airis_mon.http import cause, shown
from airis_mon.remote_write.answers import Answer
from airis_mon.remote_write.negotiation import RESERVED

_ANSWER_MAX = 1024
"""Bytes of an answer that are read."""


def user_agent() -> str:
    """Return the name that receivers see in their logs."""
    try:
        return f"airis-mon/{version('airis-mon')}"
    except PackageNotFoundError:
        return "airis-mon/unknown"


class Connection:
    """Posts requests to one URL, one after the other."""

    def __init__(
        self, url: str, headers: Mapping[str, str] | None = None, session: requests.Session | None = None
    ) -> None:
        """Send `headers` with every request; ValueError for one that is the protocol's own."""
        for name in headers or {}:
            if name.strip().lower() in RESERVED:
                raise ValueError(f"header {name}: remote write sets it itself; leave it out")
        self.shown = shown(url)
        self._url = url
        self._session = session or requests.Session()
        self._headers = {**(headers or {}), "User-Agent": user_agent()}

    def post(self, body: bytes, headers: Mapping[str, str], timeout: float) -> Answer:
        """Send a message, compressed here; its answer, or status 0 and why there is none."""
        try:
            response = self._session.post(
                self._url,
                data=bytes(cramjam.snappy.compress_raw(body)),
                headers={**self._headers, **headers},
                timeout=timeout,
                allow_redirects=False,
                stream=True,
            )
        except requests.RequestException as error:
            return Answer(0, {}, f"{self.shown} is not reachable: {cause(error)}")
        with response:
            told = {name.lower(): value for name, value in response.headers.items()}
            text = f"{self.shown} answered {response.status_code}: {_beginning(response)}"
            return Answer(response.status_code, told, text)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def _beginning(response: requests.Response) -> str:
    """Return the begin of an answer as it is, whatever its length; nothing of one to a success."""
    if 200 <= response.status_code < 300:
        return response.reason or ""
    try:
        raw = next(response.iter_content(_ANSWER_MAX), b"")
    except requests.RequestException:
        return "(the answer broke off)"
    return raw.decode("utf-8", "replace").strip() or response.reason or ""
