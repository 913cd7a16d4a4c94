"""Alertmanager: its command line, the same for 0.25 and 0.3x."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from airis_mon.stack.processes import Command
from airis_mon.stack.servers import Server


def command(server: Server, *, config: Path, data: Path, address: str, flags: Sequence[str] = ()) -> Command:
    """Return the command line of a single Alertmanager, without a cluster, that listens on `address`."""
    url = f"http://{address}"
    return Command(
        name="Alertmanager",
        argv=(
            str(server.path),
            f"--config.file={config}",
            f"--storage.path={data}",
            f"--web.listen-address={address}",
            f"--web.external-url={url}/",
            # Alone on loopback: gossip would only look for an address to advertise, and wait for peers.
            "--cluster.listen-address=",
            *flags,
        ),
        url=url,
        cwd=server.cwd,
    )
