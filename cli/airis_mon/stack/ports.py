"""Addresses to listen on: free ones of our choice, or the ones a person fixed."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping


class AddressTakenError(Exception):
    """Somebody else listens there; the text names the server, the address and the flag."""


def split(address: str) -> tuple[str, int]:
    """Return host and port of `127.0.0.1:9090`, `:9090` or `[::1]:9090`; ValueError with an example."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"`{address}` is no address; write host:port, such as 127.0.0.1:9090")
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)


def join(host: str, port: int) -> str:
    """Return `host:port`, an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def choose(wanted: Mapping[str, str], flags: Mapping[str, str]) -> dict[str, str]:
    """Return an address per server: port 0 becomes a free port, a fixed one is checked to be free.

    The sockets are held together until all ports are known, so no port is given out twice. `flags` names the
    option that fixes each server's address, for the error. Raises AddressTakenError, ValueError.
    """
    held: list[socket.socket] = []
    chosen: dict[str, str] = {}
    try:
        # Fixed ports first: a free one that we draw must not be one that is asked for.
        for name, address in sorted(wanted.items(), key=lambda item: split(item[1])[1] == 0):
            host, port = split(address)
            probe = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            held.append(probe)
            # As servers do: a connection that lingers in TIME_WAIT does not keep the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
                probe.listen(1)
            except OSError as error:
                other = _same(chosen, host, port)
                if other is not None and error.errno == errno.EADDRINUSE:
                    raise AddressTakenError(
                        f"{other} and {name} were both given {address}; choose another address for one of "
                        f"them with {flags[other]} or {flags[name]} HOST:PORT (port 0: any free one)"
                    ) from error
                raise AddressTakenError(_taken(name, address, flags[name], error)) from error
            chosen[name] = join(host, probe.getsockname()[1])
    finally:
        for probe in held:
            probe.close()
    return {name: chosen[name] for name in wanted}


def _same(chosen: Mapping[str, str], host: str, port: int) -> str | None:
    """Return who was given this host and port before, or all hosts with this port."""
    for name, address in chosen.items():
        other, taken = split(address)
        if port == taken and (host == other or {host, other} & {"0.0.0.0", "::"}):  # noqa: S104  compared
            return name
    return None


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that nobody listens on just now."""
    return split(choose({"": join(host, 0)}, {})[""])[1]


def is_taken(address: str) -> bool:
    """Say whether somebody listens on `address`, or nobody could."""
    try:
        choose({"": address}, {"": ""})
    except AddressTakenError:
        return True
    return False


def _taken(name: str, address: str, flag: str, error: OSError) -> str:
    advice = f"choose another address with {flag} HOST:PORT (port 0: any free one)"
    if error.errno != errno.EADDRINUSE:
        return f"{name} cannot listen on {address}: {error.strerror}; {advice}"
    port = split(address)[1]
    return (
        f"{name} cannot listen on {address}: another process does "
        f"(`ss -ltnp 'sport = :{port}'` shows which).\nEnd that process, or {advice}"
    )
