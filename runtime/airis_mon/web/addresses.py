"""Where a process listens, as people write it on a command line."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

LISTEN_FLAG = "--web.listen-address"


@dataclass(frozen=True)
class Address:
    """A host and a TCP port."""

    host: str
    """Name or IP address without brackets; empty means every interface."""
    port: int
    """0 to 65535; 0 lets the system pick a free one."""

    @classmethod
    def parse(cls, text: str) -> Address:
        """Return the address for `127.0.0.1:9466`, `[::1]:9466`, `:9466`; ValueError with an example else."""
        host, colon, port = text.strip().rpartition(":")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            colon = ""
        if not colon or not (port.isascii() and port.isdigit()) or len(port) > 5 or int(port) > 65535:
            raise ValueError(
                f"`{text}` is no address to listen on; write HOST:PORT such as 127.0.0.1:9466, [::1]:9466, "
                f"or :9466 for every interface (port 0 to 65535, 0 picks a free one)"
            )
        return cls(host, int(port))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def add_listen_address(parser: argparse.ArgumentParser, default: str) -> None:
    """Add the flags of a listener, as exporter-toolkit names them.

    The parsed namespace then holds an Address as `listen_address`, a path or None as `web_config`, and a
    number as `max_connections`.
    """
    parser.add_argument(
        LISTEN_FLAG,
        dest="listen_address",
        metavar="HOST:PORT",
        type=_argument,
        default=default,
        help="address to serve HTTP on; port 0 picks a free one (default: %(default)s)",
    )
    parser.add_argument(
        "--web.config.file",
        dest="web_config",
        metavar="FILE",
        type=Path,
        help="TLS, client certificates, basic auth, as exporter-toolkit has them; read again when changed",
    )
    parser.add_argument(
        "--web.max-connections",
        dest="max_connections",
        metavar="N",
        type=_connections,
        default=1_024,
        help="connections that are open at the same time; more are answered with 503 (default: %(default)s)",
    )


def _connections(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1_000_000):
        raise argparse.ArgumentTypeError(f"`{text}` is no whole number from 1 to 1000000")
    return int(text)


def _argument(text: str) -> Address:
    # argparse shows the text of this error alone; that of a ValueError it throws away.
    try:
        return Address.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
