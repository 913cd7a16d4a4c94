"""How far back a receiver takes samples: asked before anything is sent to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests
import yaml

from airis_mon.analyzer.schedule import moment
from airis_mon.spec import format_duration, parse_duration

_WRITE = "/api/v1/write"
_IN_ORDER = 3600
"""Seconds before its newest sample that Prometheus takes without a window: half of a block."""
_SLACK = 600
"""Seconds that are left to the clock while the backfill runs: the newest sample moves on meanwhile."""
_TIMEOUT = 30.0
_BYTES_MAX = 8 << 20


class RefusedError(Exception):
    """The receiver would not take it; the text says what to set, or from when on it would."""


@dataclass(frozen=True)
class Receiver:
    """What a Prometheus says of the samples that it takes."""

    url: str
    newest: int | None
    """Seconds since the epoch of its newest sample; None where it has none, or does not say."""
    window: int | None
    """Seconds of `out_of_order_time_window`; None for a receiver that is no Prometheus."""

    def check(self, start: int, newest_written: Callable[[], int | None]) -> None:
        """Raise RefusedError where samples from `start` on would be refused.

        `newest_written` is asked for the newest of the series that are to be written, where that counts.
        """
        if self.window is None or self.newest is None:
            return
        reaches = max(self.window, _IN_ORDER) - _SLACK
        wanted = format_duration(-(-(self.newest - start + 2 * _SLACK) // 3600) * 3600)
        setting = (
            f"set `storage: {{tsdb: {{out_of_order_time_window: {wanted}}}}}` in its prometheus.yml and "
            "reload it; it can go back to what it was when this is done"
        )
        if start < self.newest - reaches:
            raise RefusedError(
                f"{self.url} takes samples from {moment(self.newest - reaches)} on "
                f"(out_of_order_time_window is {format_duration(self.window)}), and {moment(start)} is "
                f"before that: {setting}"
            )
        if start < self.newest - self.window:
            there = newest_written()
            if there is not None and there >= start:
                raise RefusedError(
                    f"there are samples up to {moment(there)} already, and {self.url} takes none before "
                    f"them: {setting}; or begin after that time"
                )


def receiver(write_url: str, session: requests.Session) -> Receiver:
    """Ask the server behind a URL of remote write what it takes; one that does not say may take all."""
    root = write_url.removesuffix(_WRITE)
    if root == write_url:
        return Receiver(write_url, None, None)
    config = _asked(f"{root}/api/v1/status/config", session)
    head = _asked(f"{root}/api/v1/status/tsdb", session)
    try:
        told = yaml.safe_load(config["yaml"]) or {}
        milliseconds = int(head["headStats"]["maxTime"])
    except (KeyError, TypeError, ValueError, yaml.YAMLError):
        return Receiver(root, None, None)
    window = ((told.get("storage") or {}).get("tsdb") or {}).get("out_of_order_time_window", "0s")
    return Receiver(root, milliseconds // 1000 if milliseconds > 0 else None, _seconds(str(window)))


def _asked(url: str, session: requests.Session) -> Any:
    try:
        with session.get(url, timeout=_TIMEOUT, allow_redirects=False, stream=True) as response:
            body = response.raw.read(_BYTES_MAX, decode_content=True)
        return json.loads(body)["data"] if response.status_code == 200 else None
    except (requests.RequestException, OSError, ValueError, KeyError, TypeError):
        return None


def _seconds(text: str) -> int:
    try:
        return int(parse_duration(text))
    except ValueError:
        return 0
