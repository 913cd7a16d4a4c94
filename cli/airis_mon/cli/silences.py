"""Silences of a running Alertmanager, by its API v2: made, listed, ended."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import requests

from airis_mon.cli.wording import printable
from airis_mon.http import cause, shown

_BYTES_MAX = 16 << 20
_WORDS_MAX = 500
_TIMEOUT = 10.0
"""Seconds for each request; a silence is wanted at once or not at all."""
MATCHERS_MAX = 20
VALUE_MAX = 4000
"""Characters; the names of a hundred monitors."""
_MATCHER = re.compile(r"([a-zA-Z_][a-zA-Z0-9_]*)(=~|!~|!=|=)(.*)", re.DOTALL)
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


T = TypeVar("T")


class AlertmanagerError(Exception):
    """No Alertmanager did what was asked, in words that say which and why."""


@dataclass(frozen=True)
class Matcher:
    """A condition on one label."""

    name: str
    value: str
    regex: bool = False
    equal: bool = True

    @classmethod
    def parsed(cls, text: str) -> Matcher:
        """Return what `name=value`, `name!=value`, `name=~regex` or `name!~regex` says; ValueError else."""
        match = _MATCHER.fullmatch(text)
        if match is None:
            raise ValueError(f"`{text[:60]}` is no matcher; write one such as severity=page or monitor=~a|b")
        value = match[3]
        if len(value) >= 2 and value[0] == value[-1] == '"':
            value = value[1:-1]
        if len(value) > VALUE_MAX:
            raise ValueError(
                f"the value of `{match[1]}` has {len(value)} characters, {VALUE_MAX} are allowed"
            )
        return cls(match[1], value, regex="~" in match[2], equal=match[2][0] == "=")

    @classmethod
    def one_of(cls, name: str, values: Iterable[str]) -> Matcher:
        """Return the condition that a label has one of some values, whatever characters these have."""
        found = list(dict.fromkeys(values))
        if len(found) == 1:
            return cls(name, found[0])
        # `re.escape` also escapes what RE2 refuses to see escaped, such as a space.
        escaped = (re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", value) for value in found)
        return cls(name, "|".join(escaped), regex=True)

    def __str__(self) -> str:
        """Write it as Alertmanager does."""
        operator = ("=" if self.equal else "!") + ("~" if self.regex else "=" if not self.equal else "")
        quoted = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{operator}"{quoted}"'


@dataclass(frozen=True)
class Silence:
    """A silence as Alertmanager knows it."""

    id: str
    state: str
    """`pending`, `active` or `expired`."""
    matchers: tuple[Matcher, ...]
    starts: datetime
    ends: datetime
    author: str
    comment: str


class Silences:
    """The silences of one Alertmanager, or of a cluster, whose members tell each other."""

    def __init__(self, urls: Sequence[str], *, session: requests.Session, timeout: float = _TIMEOUT) -> None:
        """Prepare to ask the first of `urls` that answers; `session` carries whatever says who asks."""
        self._urls = [url.rstrip("/") for url in urls]
        self._session = session
        self._timeout = timeout

    def create(
        self, matchers: Sequence[Matcher], spell: tuple[datetime, datetime], author: str, comment: str,
        replacing: str | None = None,
    ) -> str:  # fmt: skip
        """Silence what matches, from the first to the second time, and return the silence's id."""
        starts, ends = spell
        body: dict[str, Any] = {
            "matchers": [
                {"name": one.name, "value": one.value, "isRegex": one.regex, "isEqual": one.equal}
                for one in matchers
            ],
            "startsAt": starts.astimezone(UTC).isoformat(),
            "endsAt": ends.astimezone(UTC).isoformat(),
            "createdBy": author,
            "comment": comment,
        }
        if replacing is not None:
            body["id"] = replacing
        answer = self._ask("POST", "silences", json=body)
        return _read(lambda: str(answer["silenceID"]))

    def all(self, matchers: Sequence[Matcher] = ()) -> list[Silence]:
        """Return every silence with these matchers, expired ones too, the first to end first."""
        answer = self._ask("GET", "silences", params={"filter": [str(one) for one in matchers]})
        return sorted(_read(lambda: [_silence(one) for one in answer]), key=lambda one: (one.ends, one.id))

    def expire(self, identifier: str) -> None:
        """End a silence now."""
        if not _ID.fullmatch(identifier):
            raise AlertmanagerError(
                f"`{identifier[:60]}` is no id of a silence; `airis-mon silence list` shows them"
            )
        self._ask("DELETE", f"silence/{identifier}")

    def alerts(self, matchers: Sequence[Matcher]) -> int:
        """Return how many alerts that stand now match."""
        answer = self._ask("GET", "alerts", params={"filter": [str(one) for one in matchers]})
        return _read(lambda: len(answer))

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        causes = []
        for url in self._urls:
            place = shown(url)
            try:
                with self._session.request(
                    method,
                    f"{url}/api/v2/{path}",
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                    **options,
                ) as response:
                    return _answer(place, response, _body(place, response))
            except requests.ReadTimeout as error:
                # It may have done what it was asked: another one is not asked for the same again.
                raise AlertmanagerError(
                    f"{place} did not answer within {self._timeout:g} s; see `airis-mon silence list`"
                ) from error
            except requests.RequestException as error:
                causes.append(f"{place} is not reachable: {cause(error)}")
        raise AlertmanagerError("\n".join(causes))


def _body(place: str, response: requests.Response) -> bytes:
    parts, size = [], 0
    for part in response.iter_content(1 << 16):
        parts.append(part)
        size += len(part)
        if size > _BYTES_MAX:
            raise AlertmanagerError(f"{place} answered with more than {_BYTES_MAX >> 20} MiB")
    return b"".join(parts)


def _answer(place: str, response: requests.Response, body: bytes) -> Any:
    if 200 <= response.status_code < 300:
        if not body:
            return None
        try:
            return json.loads(body)
        except ValueError as error:
            raise AlertmanagerError(f"{place} answered with no JSON; is it an Alertmanager?") from error
    words = body[:_WORDS_MAX].decode("utf-8", "replace").strip()
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    if isinstance(told, str | Mapping):
        words = told if isinstance(told, str) else str(told.get("message", words))
    hint = ""
    if response.status_code in (401, 403):
        hint = "; name a file with who you are: --alertmanager.basic-auth-file or --alertmanager.bearer-file"
    elif response.is_redirect:
        hint = f"; it refers to {response.headers.get('Location', '')[:200]}"
    said = words[:_WORDS_MAX] or response.reason or "nothing"
    raise AlertmanagerError(f"{place} answered {response.status_code}: {printable(said + hint)}")


def _silence(told: Mapping[str, Any]) -> Silence:
    matchers = tuple(
        Matcher(one["name"], one["value"], bool(one["isRegex"]), bool(one.get("isEqual", True)))
        for one in told["matchers"]
    )
    starts, ends = (_time(told[key]) for key in ("startsAt", "endsAt"))
    return Silence(
        told["id"], told["status"]["state"], matchers, starts, ends, told["createdBy"], told["comment"]
    )


def _time(text: str) -> datetime:
    # Go writes up to nine digits of a second, Python reads six.
    found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _read(read: Callable[[], T]) -> T:
    try:
        return read()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AlertmanagerError("the answer is not Alertmanager's; is the URL that of its root?") from error
