"""A TLS context as the configuration describes it."""

from __future__ import annotations

import ipaddress
import os
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airis_mon.web.configuration import CIPHERS, CURVES, TLSConfig, WebConfigError

_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_VERIFY = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}


def context(config: TLSConfig) -> ssl.SSLContext:
    """Return a context for new connections; WebConfigError where a certificate or a key cannot be used."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = _VERSIONS[config.min_version]
    made.maximum_version = _VERSIONS[config.max_version]
    made.verify_mode = _VERIFY[config.client_auth_type]
    # A session that is taken up again would not be asked for its certificate, nor know a new one of ours.
    made.options |= ssl.OP_NO_TICKET
    if config.prefer_server_cipher_suites:
        made.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    else:
        # Python sets it of its own accord.
        made.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    if config.cipher_suites:
        made.set_ciphers(":".join(CIPHERS[name] for name in config.cipher_suites))
    for name in config.curve_preferences:
        made.set_ecdh_curve(CURVES[name])
    _load_chain(made, config)
    if config.verifies:
        try:
            made.load_verify_locations(cafile=config.client_ca_file, cadata=config.client_ca or None)
        except (OSError, ssl.SSLError, ValueError) as error:
            raise WebConfigError(
                f"client_ca{'_file ' + str(config.client_ca_file) if config.client_ca_file else ''}: "
                f"{_reason(error)}"
            ) from None
    return made


def _load_chain(made: ssl.SSLContext, config: TLSConfig) -> None:
    held: list[Path] = []
    try:
        cert = config.cert_file or _written(config.cert, held)
        key = config.key_file or _written(config.key, held)
        # Without a password that is asked for: a process has nobody to ask.
        made.load_cert_chain(cert, key, password=lambda: "")
    except (OSError, ssl.SSLError) as error:
        named = f"{config.cert_file or 'cert'}, {config.key_file or 'key'}"
        raise WebConfigError(f"certificate and key ({named}) cannot be used: {_reason(error)}") from None
    finally:
        for path in held:
            path.unlink()


def _written(text: str, held: list[Path]) -> Path:
    """Return a file, for its owner alone, with the text: ssl takes certificates from files only."""
    handle, name = tempfile.mkstemp(suffix=".pem")
    held.append(Path(name))
    with os.fdopen(handle, "w") as file:
        file.write(text)
    return held[-1]


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or str(error)
    return getattr(error, "strerror", None) or str(error)


def admitted(certificate: Mapping[str, Any] | None, allowed: tuple[str, ...]) -> bool:
    """Say whether a client's certificate has one of the names, exactly; where there are none, all may in."""
    if not allowed:
        return True
    names = {_canonical(value) for _, value in (certificate or {}).get("subjectAltName", ())}
    return not names.isdisjoint(map(_canonical, allowed))


def _canonical(name: str) -> str:
    # ssl writes `0:0:0:0:0:0:0:1` with a line's end where people write `::1`.
    try:
        return str(ipaddress.ip_address(name.strip()))
    except ValueError:
        return name
