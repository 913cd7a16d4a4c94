"""Telling running servers to read their files again, and hearing whether they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from airis_mon.cli.wording import printable
from airis_mon.http import cause
from airis_mon.rules.live import otherwise

TIMEOUT = 60.0
"""Seconds for one server to read everything again."""
LARGEST = 64 << 20
"""Bytes of an answer."""
_HIDDEN = "<secret>"
"""What Alertmanager tells in place of a secret."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SHOWN = 2000
"""Characters of what a server says that an error shows."""


class ReloadError(Exception):
    """A server that did not take what it was told to read; the text says why."""


@dataclass(frozen=True)
class Server:
    """One server that reads what was derived."""

    kind: str
    """`Prometheus` or `Alertmanager`."""
    url: str

    def reload(self, session: requests.Session) -> None:
        """Let it read its files again; ReloadError where it does not, and goes on with what it had."""
        answer = self._asked(session, "POST", "/-/reload")
        if answer.status_code == 200:
            return
        text = answer.text.strip()[:_SHOWN]
        if answer.status_code in (403, 405) and self.kind == "Prometheus":
            text += "\nstart it with --web.enable-lifecycle, so that it can be told to read its files again"
        raise ReloadError(f"{self.kind} at {self.url} does not take it (HTTP {answer.status_code}): {text}")

    def check_rules(
        self, session: requests.Session, groups: Sequence[Mapping[str, Any]], folder: Path
    ) -> None:
        """Raise ReloadError where a Prometheus evaluates other rules than these, which lie in a folder."""
        try:
            told = self._asked(session, "GET", "/api/v1/rules").json()["data"]["groups"]
            other = otherwise(groups, told)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ReloadError(
                f"{self.url} does not say which rules it evaluates; is it a Prometheus?"
            ) from error
        if other:
            raise ReloadError(
                f"{self.url} reads its files and does not evaluate {other[0]} as it is written there: its "
                f"`rule_files` has to name {folder.absolute()}/rules/*.rules.yaml"
            )

    def check_routes(self, session: requests.Session, config: Mapping[str, Any], folder: Path) -> None:
        """Raise ReloadError where an Alertmanager works by another configuration.

        It hides URLs, and does not tell templates: a receiver's name is the fingerprint of both.
        """
        try:
            text = self._asked(session, "GET", "/api/v2/status").json()["config"]["original"]
            told = yaml.load(text, Loader=_LOADER)  # noqa: S506  a safe one
            same = all(_within(value, told.get(key)) for key, value in config.items() if key != "templates")
            same = same and all(_ours(Path(path), folder) for path in told.get("templates") or ())
        except (ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
            raise ReloadError(f"{self.url} does not say what it works by; is it an Alertmanager?") from error
        if not same:
            raise ReloadError(
                f"{self.url} works by another configuration, or by one in another place: start it with "
                f"--config.file={folder.absolute()}/alertmanager/alertmanager.yaml"
            )

    def _asked(self, session: requests.Session, method: str, path: str) -> requests.Response:
        url = self.url.rstrip("/") + path
        try:
            with session.request(method, url, timeout=TIMEOUT, allow_redirects=False, stream=True) as answer:
                content = answer.raw.read(LARGEST + 1, decode_content=True)
                if len(content) > LARGEST:
                    raise ReloadError(f"{url} answers with more than {LARGEST >> 20} MiB")
                answer._content = content
                return answer
        except requests.RequestException as error:
            raise ReloadError(f"cannot reach {self.kind} at {self.url}: {printable(cause(error))}") from error


def _ours(told: Path, folder: Path) -> bool:
    """Tell whether a file that a server says it reads is ours; one that is not here is in its container."""
    return not told.exists() or told.resolve().parent == (folder / "alertmanager").resolve()


def _within(ours: Any, theirs: Any) -> bool:
    """Tell whether what we wrote is in what is told, which has defaults beside it and hides secrets."""
    if isinstance(ours, Mapping):
        return isinstance(theirs, Mapping) and all(
            sorted(ours[key]) == sorted(theirs.get(key) or ())  # they are told in another order
            if key.endswith("matchers")
            else _within(ours[key], theirs.get(key))
            for key in ours
        )
    if isinstance(ours, list):
        return isinstance(theirs, list) and len(ours) == len(theirs) and all(map(_within, ours, theirs))
    # A field that is not told is one that is hidden, or that this version spells otherwise.
    return theirs in (None, _HIDDEN) or str(ours) == str(theirs)
