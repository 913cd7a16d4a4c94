"""Telling running servers to read their files again, and hearing whether they did."""

from __future__ import annotations

from dataclasses import dataclass

import requests

from airis_mon.cli.live.access import Access

TIMEOUT = 60.0
"""Seconds for one server to read everything again."""
LARGEST = 64 << 20
"""Bytes of an answer."""
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

    def missing(self, session: requests.Session, groups: frozenset[str]) -> frozenset[str]:
        """Return the groups of rules that a Prometheus does not evaluate."""
        try:
            data = self._asked(session, "GET", "/api/v1/rules").json()["data"]
            return groups - {group["name"] for group in data["groups"]}
        except (ValueError, KeyError, TypeError) as error:
            raise ReloadError(
                f"{self.url} does not say which rules it evaluates; is it a Prometheus?"
            ) from error

    def routes(self, session: requests.Session) -> str:
        """Return the configuration that an Alertmanager works by, as it tells it: secrets are left out."""
        try:
            return str(self._asked(session, "GET", "/api/v2/status").json()["config"]["original"])
        except (ValueError, KeyError, TypeError) as error:
            raise ReloadError(f"{self.url} does not say what it works by; is it an Alertmanager?") from error

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
            raise ReloadError(f"cannot reach {self.kind} at {self.url}: {error}") from error


def session(access: Access) -> requests.Session:
    """Return a session that says who we are."""
    found = requests.Session()
    found.trust_env = False  # no password out of a .netrc that nobody thought of
    found.headers.update(access.headers)
    found.auth = access.user
    found.verify = access.verify
    found.cert = access.certificate
    return found
