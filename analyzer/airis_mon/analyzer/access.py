"""Who we are to a server: the file that promtool takes as `--http.config.file`, its secrets in files.

One way for whatever asks a Prometheus, here and in `cli`: the analyzer, `check --live`, `apply`, the commands
that read a past.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import requests
from requests.auth import HTTPBasicAuth

from airis_mon.spec import (
    REFUSED,
    Choice,
    Field,
    ListOf,
    Location,
    MapOf,
    Problem,
    Reading,
    Record,
    SpecError,
    Text,
    compose,
)

__all__ = ["Access", "access"]

LARGEST = 64 * 1024
"""Bytes of the file, and of each secret."""
_SENDABLE = re.compile(r"[\x20-\x7e]*")
"""What a header may hold; a line break would begin another one."""


@dataclass(frozen=True)
class Access:
    """What goes with each question."""

    user: tuple[str, str] | None = field(default=None, repr=False)
    """Name and password of basic authentication."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    verify: str | bool = True
    """Whether the server's certificate is checked, or the authority's file that it is checked against."""
    certificate: tuple[str, str] | None = None
    """Files of our own certificate and key."""

    def session(self) -> requests.Session:
        """Return a session that says who we are with each question."""
        found = requests.Session()
        found.trust_env = False  # no password out of a .netrc, no authority, that nobody thought of
        found.headers.update(self.headers)
        if self.user is not None:
            # In UTF-8, as Prometheus reads it; texts would be Latin-1, which not every password is.
            found.auth = HTTPBasicAuth(*(text.encode() for text in self.user))
        found.verify = self.verify
        found.cert = self.certificate
        return found


_PATH = Text(wanted="a path", longest=4096)
_NAME = Text(wanted="a name")
_BY_FILE = "write a secret into a file of its own, and its path as"
_BASIC = Record(
    "BasicAuth",
    (
        Field("username", _NAME, "Name.", required=True),
        Field("password_file", _PATH, "File that holds the password.", required=True),
    ),
    hints={"password": ("a password does not belong here", f"{_BY_FILE} `password_file`")},
    meant={"password": "password_file"},
    private=True,
)
_AUTHORIZATION = Record(
    "Authorization",
    (
        Field("type", Text(wanted="a type"), "Bearer if not given."),
        Field("credentials_file", _PATH, "File that holds the token.", required=True),
    ),
    hints={"credentials": ("a token does not belong here", f"{_BY_FILE} `credentials_file`")},
    meant={"credentials": "credentials_file"},
    private=True,
)
_TLS = Record(
    "TlsConfig",
    (
        Field("ca_file", _PATH, "Authority that signed the server's certificate."),
        Field("cert_file", _PATH, "Our own certificate."),
        Field("key_file", _PATH, "Its key."),
        Field("insecure_skip_verify", Choice(("true", "false")), "Believe any certificate."),
    ),
)
_HEADER = Record(
    "Header",
    (
        Field("values", ListOf(Text(wanted="a value"), "value", most=1), "One value."),
        Field("files", ListOf(_PATH, "file", most=1), "One file that holds the value."),
    ),
    exactly_one=("values", "files"),
)
_ACCESS = Record(
    "HttpConfig",
    (
        Field("basic_auth", _BASIC, "Name and password."),
        Field("authorization", _AUTHORIZATION, "A token."),
        Field("tls_config", _TLS, "Certificates."),
        Field(
            "http_headers",
            MapOf(Text("a header", r"^[A-Za-z0-9-]+$"), _HEADER, "header"),
            "Headers, such as X-Scope-OrgID of Mimir.",
        ),
    ),
    private=True,
)


def access(file: Path) -> Access:
    """Return what a file says; SpecError with every problem of it. Paths are relative to its folder."""
    keys = _decoded(_text(file, file), str(file))
    folder = file.absolute().parent
    headers: dict[str, str] = {}
    for name, header in keys.get("http_headers", {}).items():
        values = header.get("values") or [_text(folder / header["files"][0], file).strip()]
        headers[name] = values[0]
    user = None
    if (basic := keys.get("basic_auth")) is not None:
        user = basic["username"], _text(folder / basic["password_file"], file).strip()
    if (authorization := keys.get("authorization")) is not None:
        token = _text(folder / authorization["credentials_file"], file).strip()
        headers["Authorization"] = f"{authorization.get('type', 'Bearer')} {token}"
    for name, value in headers.items():
        if not _SENDABLE.fullmatch(value):
            message = f"the value of header {name} is no line of printable ASCII"
            raise SpecError([_problem(file, message, "look for a line break, or what an editor left there")])
    tls = keys.get("tls_config", {})
    own = (tls.get("cert_file"), tls.get("key_file"))
    if user is not None and "Authorization" in headers:
        raise SpecError(
            [_problem(file, "both basic_auth and authorization are given", "leave one of them out")]
        )
    if (own[0] is None) != (own[1] is None):
        raise SpecError([_problem(file, "cert_file and key_file belong together", "write both of them")])
    for path in (*own, tls.get("ca_file")):
        if path is not None:
            _text(folder / path, file)  # a missing file is told now, with its name
    return Access(
        user=user,
        headers=headers,
        verify=_verify(tls, folder),
        certificate=None if own[0] is None else (str(folder / own[0]), str(folder / str(own[1]))),
    )


def _verify(tls: Mapping[str, str], folder: Path) -> str | bool:
    if tls.get("insecure_skip_verify") == "true":
        return False
    return str(folder / tls["ca_file"]) if "ca_file" in tls else True


def _decoded(text: str, file: str) -> dict[str, Any]:
    documents, ending = compose(file, text, ", ".join(f"{known.key}:" for known in _ACCESS.fields))
    if ending is not None or len(documents) != 1:
        wanted = f"one mapping with {', '.join(known.key for known in _ACCESS.fields)} is wanted"
        raise SpecError([_unseen(ending or Problem(wanted, location=Location(file, 1, 1, "")))])
    reading = Reading()
    for problem in documents[0].problems:
        reading.refuse(problem.location, problem.path, problem.message, problem.hint)
    reading.place("", None, documents[0].root)
    read = _ACCESS.read(documents[0].root, "", reading)
    if read is REFUSED or reading.problems:
        raise SpecError([_unseen(problem) for problem in reading.problems])
    assert isinstance(read, dict)
    return read


def _unseen(problem: Problem) -> Problem:
    """Return the problem without the line that it is about: a secret may stand in it."""
    place = problem.location
    return problem if place is None else replace(problem, location=replace(place, text=""))


def _text(path: Path, named_by: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise SpecError([_problem(named_by, f"{path} is larger than {LARGEST >> 10} KiB", None)])
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SpecError([_problem(named_by, f"cannot read {path}: {reason}", None)]) from error


def _problem(file: Path, message: str, hint: str | None) -> Problem:
    return Problem(message, location=Location(str(file), 1, 1, ""), hint=hint)
