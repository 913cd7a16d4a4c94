"""`--web.config.file`: exporter-toolkit's format, read strictly.

https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md

What Python's ssl cannot do as Go's crypto/tls does is refused with what to write instead, never ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import yaml

LARGEST = 256 * 1024
"""Bytes of the file: thousands of users, and certificates within it."""
DEEPEST = 8
MOST_USERS = 1_000

_BCRYPT = re.compile(r"\$2[aby]\$(?P<cost>\d\d)\$[./A-Za-z0-9]{53}")
_COST = range(4, 16)
"""Of bcrypt: 15 takes seconds for each check, more is a way to stand still."""
T = TypeVar("T")


class WebConfigError(ValueError):
    """What is wrong with the file, all of it: a line each, with place and what to write."""


@dataclass(frozen=True)
class TLSConfig:
    """`tls_server_config`; certificates and keys as files, or as PEM within the document."""

    cert_file: Path | None = None
    key_file: Path | None = None
    cert: str = ""
    key: str = ""
    client_auth_type: str = "NoClientCert"
    client_ca_file: Path | None = None
    client_ca: str = ""
    client_allowed_sans: tuple[str, ...] = ()
    """Of which a client's certificate has to have one; empty admits all that the authority signed."""
    min_version: str = "TLS12"
    max_version: str = "TLS13"
    cipher_suites: tuple[str, ...] = ()
    """Go's names, for TLS 1.2; empty for the library's choice."""
    prefer_server_cipher_suites: bool = True
    curve_preferences: tuple[str, ...] = ()

    @property
    def verifies(self) -> bool:
        """Say whether clients are asked for certificates."""
        return self.client_auth_type != "NoClientCert"


@dataclass(frozen=True)
class WebConfig:
    """The whole file."""

    tls: TLSConfig | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Added to every answer."""
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Name to bcrypt hash; any of them is admitted to everything."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the files that it names."""
        named = () if self.tls is None else (self.tls.cert_file, self.tls.key_file, self.tls.client_ca_file)
        return tuple(path for path in named if path is not None)


CLIENT_AUTH = ("NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert")
_UNVERIFIED = ("RequestClientCert", "RequireAnyClientCert")
VERSIONS = ("TLS12", "TLS13")
_OLD_VERSIONS = ("TLS10", "TLS11")
CURVES = MappingProxyType(
    {"CurveP256": "prime256v1", "CurveP384": "secp384r1", "CurveP521": "secp521r1", "X25519": "X25519"}
)
CIPHERS = MappingProxyType(
    {
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    }
)
"""Go's names to OpenSSL's."""
_HEADERS = (
    "Content-Security-Policy",
    "X-Frame-Options",
    "X-Content-Type-Options",
    "X-XSS-Protection",
    "Strict-Transport-Security",
)


def load(path: Path) -> WebConfig:
    """Return what a file says; WebConfigError, or OSError where it cannot be read."""
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise WebConfigError(f"{path}: larger than {LARGEST} bytes")
    try:
        text = data.decode()
        root = _composed(text)
    except UnicodeDecodeError as error:
        raise WebConfigError(f"{path}: no UTF-8 at byte {error.start}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = "" if mark is None else f":{mark.line + 1}:{mark.column + 1}"
        raise WebConfigError(f"{path}{place}: {error.problem or error}") from None
    except yaml.YAMLError as error:
        raise WebConfigError(f"{path}: {error}") from None
    reading = _Reading(path)
    config = reading.config(root)
    if reading.problems:
        raise WebConfigError("\n".join(reading.problems))
    return config


def _composed(text: str) -> yaml.Node | None:
    """Return the document's node; yaml.YAMLError for several, for aliases, for what is nested too deep."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise _at(event, "aliases are not taken")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise _at(event, f"nested deeper than {DEEPEST} levels")
    node: yaml.Node | None = yaml.compose(text, Loader=yaml.CSafeLoader)
    return node


def _at(event: yaml.Event, problem: str) -> yaml.MarkedYAMLError:
    mark: Any = event.start_mark
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


class _Reading:
    """Takes the document apart and collects what is wrong, so that all of it is told at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.problems: list[str] = []

    def config(self, root: yaml.Node | None) -> WebConfig:
        if root is None:
            return WebConfig()
        fields = self._mapping(root, "", ("tls_server_config", "http_server_config", "basic_auth_users"))
        return WebConfig(
            tls=self._tls(fields["tls_server_config"]) if "tls_server_config" in fields else None,
            headers=self._http(fields["http_server_config"]) if "http_server_config" in fields else {},
            users=self._users(fields["basic_auth_users"]) if "basic_auth_users" in fields else {},
        )

    def _tls(self, node: yaml.Node) -> TLSConfig:
        readers: dict[str, Callable[[yaml.Node, str], Any]] = {
            "cert_file": self._file,
            "key_file": self._file,
            "cert": self._text,
            "key": self._text,
            "client_auth_type": self._client_auth,
            "client_ca_file": self._file,
            "client_ca": self._text,
            "client_allowed_sans": self._texts,
            "min_version": self._version,
            "max_version": self._version,
            "cipher_suites": lambda node, name: self._among(node, name, CIPHERS),
            "prefer_server_cipher_suites": self._flag,
            "curve_preferences": lambda node, name: self._among(node, name, CURVES),
        }
        fields = self._mapping(node, "tls_server_config", tuple(readers))
        values = {name: readers[name](child, f"tls_server_config.{name}") for name, child in fields.items()}
        config = TLSConfig(**{name: value for name, value in values.items() if value is not None})
        for part, what in (("cert", "certificate"), ("key", "key of the certificate")):
            given = [name for name in (part, f"{part}_file") if name in fields]
            if len(given) != 1:
                said = "both are given" if given else "neither is given"
                self._wrong(node, f"the {what} is `{part}_file` or `{part}`: {said}")
        has_ca = config.client_ca_file is not None or bool(config.client_ca)
        if config.client_ca_file is not None and config.client_ca:
            self._wrong(node, "the authority of clients is `client_ca_file` or `client_ca`: both are given")
        if config.client_auth_type == "NoClientCert":
            if has_ca or config.client_allowed_sans:
                self._wrong(
                    node,
                    "no client certificates are asked for; client_auth_type: RequireAndVerifyClientCert does",
                )
        elif not has_ca:
            self._wrong(node, f"`{config.client_auth_type}` needs `client_ca_file`, to verify against")
        elif config.client_allowed_sans and config.client_auth_type == "VerifyClientCertIfGiven":
            self._wrong(
                fields["client_allowed_sans"],
                "who shows no certificate has no name; write client_auth_type: RequireAndVerifyClientCert",
            )
        if config.min_version > config.max_version:
            self._wrong(node, f"min_version {config.min_version} is above max_version {config.max_version}")
        if len(config.curve_preferences) > 1:
            self._wrong(fields["curve_preferences"], "Python's ssl takes one curve; write the first alone")
        return config

    def _http(self, node: yaml.Node) -> Mapping[str, str]:
        fields = self._mapping(node, "http_server_config", ("http2", "headers"))
        if "http2" in fields and self._flag(fields["http2"], "http_server_config.http2"):
            self._wrong(fields["http2"], "HTTP/2 is not spoken here; write http2: false, or leave it out")
        if "headers" not in fields:
            return {}
        headers = self._mapping(fields["headers"], "http_server_config.headers", _HEADERS)
        texts = {
            name: self._text(child, f"http_server_config.headers.{name}") for name, child in headers.items()
        }
        for name, text in texts.items():
            if text is not None and not text.isprintable():
                self._wrong(headers[name], f"`{name}` is of printable characters on one line")
        return {name: text for name, text in texts.items() if text}

    def _users(self, node: yaml.Node) -> Mapping[str, str]:
        users: dict[str, str] = {}
        for name, child in self._mapping(node, "basic_auth_users", None).items():
            # The name is told, and nothing of the value: it may be a password by mistake.
            hashed = child.value if isinstance(child, yaml.ScalarNode) else ""
            match = _BCRYPT.fullmatch(hashed)
            if match is None:
                self._wrong(
                    child, f"the password of `{name}` is no bcrypt hash; `htpasswd -nBC 10 ''` makes one"
                )
            elif int(match["cost"]) not in _COST:
                self._wrong(
                    child, f"the hash of `{name}` costs {match['cost']}; 4 to 15 are taken, 10 is usual"
                )
            if not name or ":" in name:
                self._wrong(child, "a user has a name, without a colon")
            users[name] = hashed
        if len(users) > MOST_USERS:
            self._wrong(node, f"more than {MOST_USERS} users")
        return users

    def _mapping(self, node: yaml.Node, where: str, known: tuple[str, ...] | None) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self._wrong(node, f"`{where or 'the file'}` is a mapping")
            return {}
        fields: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            if known is not None and name not in known:
                close = get_close_matches(name, known, n=1)
                hint = f"did you mean `{close[0]}`?" if close else f"known are {', '.join(known)}"
                self._wrong(key, f"unknown key `{name}`; {hint}")
            elif name in fields:
                self._wrong(key, f"`{name}` is given twice")
            else:
                fields[name] = value
        return fields

    def _text(self, node: yaml.Node, name: str) -> str | None:
        if isinstance(node, yaml.ScalarNode) and node.value and node.tag != "tag:yaml.org,2002:null":
            return str(node.value)
        self._wrong(node, f"`{name}` is a text")
        return None

    def _texts(self, node: yaml.Node, name: str) -> tuple[str, ...] | None:
        if not isinstance(node, yaml.SequenceNode):
            self._wrong(node, f"`{name}` is a list")
            return None
        texts = [self._text(child, name) for child in node.value]
        return tuple(text for text in texts if text is not None)

    def _file(self, node: yaml.Node, name: str) -> Path | None:
        text = self._text(node, name)
        return None if text is None else self._path.parent / text

    def _flag(self, node: yaml.Node, name: str) -> bool | None:
        if isinstance(node, yaml.ScalarNode) and node.value in ("true", "false"):
            return bool(node.value == "true")
        self._wrong(node, f"`{name}` is true or false")
        return None

    def _among(self, node: yaml.Node, name: str, known: Mapping[str, str]) -> tuple[str, ...] | None:
        texts = self._texts(node, name)
        for text in texts or ():
            if text not in known:
                self._wrong(node, f"`{text}` is none of {', '.join(known)}")
        return texts

    def _client_auth(self, node: yaml.Node, name: str) -> str | None:
        text = self._text(node, name)
        if text in _UNVERIFIED:
            self._wrong(
                node,
                "Python's ssl asks for no certificate without verifying it; write VerifyClientCertIfGiven",
            )
        elif text is not None and text not in CLIENT_AUTH:
            self._wrong(node, f"`{text}` is none of {', '.join(CLIENT_AUTH)}")
        return text

    def _version(self, node: yaml.Node, name: str) -> str | None:
        text = self._text(node, name)
        if text in _OLD_VERSIONS:
            self._wrong(node, f"{text} is broken and not spoken here; write TLS12")
        elif text is not None and text not in VERSIONS:
            self._wrong(node, f"`{text}` is none of {', '.join(VERSIONS)}")
        return text

    def _wrong(self, node: yaml.Node, message: str) -> None:
        mark = node.start_mark
        self.problems.append(f"{self._path}:{mark.line + 1}:{mark.column + 1}: {message}")
