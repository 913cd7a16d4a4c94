"""Prometheus and Alertmanager in containers, through Docker Compose, where no binary is on PATH.

Host network and equal paths inside and outside: the same command lines and configuration as without.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airis_mon.stack.processes import Command

IMAGES: Mapping[str, str] = {
    "prometheus": "docker.io/prom/prometheus:v3.14.0",
    "alertmanager": "docker.io/prom/alertmanager:v0.31.1",
}
"""Image per service, pinned: a stack that changes overnight is no use for looking at models."""

_PROBE_DEADLINE = 10.0
_PULL_DEADLINE = 600.0
"""Seconds until containers have to be ready; the first start downloads the images."""


def available(docker: str = "docker") -> bool:
    """Say whether Docker Compose is installed and a daemon runs that takes orders from this user."""
    return shutil.which(docker) is not None and all(
        _succeeds([docker, *words]) for words in (("compose", "version"), ("info", "--format", "{{.ID}}"))
    )


def _succeeds(argv: list[str]) -> bool:
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PROBE_DEADLINE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def project(commands: Mapping[str, Command], folders: Mapping[Path, str], user: str) -> dict[str, Any]:
    """Return compose.yaml that runs `commands`, one service per key of IMAGES.

    The first word of a command line is the image's own entry point and is left out. `folders` are mounted
    where they are, `ro` or `rw`; `user` is `uid:gid`, so that what the servers write stays ours.
    """
    return {
        "services": {
            name: {
                "image": IMAGES[name],
                "command": [_escaped(word) for word in command.argv[1:]],
                "network_mode": "host",
                "user": user,
                "volumes": [
                    {
                        "type": "bind",
                        "source": _escaped(str(folder)),
                        "target": _escaped(str(folder)),
                        "read_only": mode == "ro",
                    }
                    for folder, mode in folders.items()
                ],
            }
            for name, command in commands.items()
        }
    }


def command(file: Path, name: str, commands: Mapping[str, Command]) -> Command:
    """Return the command that runs the project `name` of compose file `file` until it is ended."""
    base = ("docker", "compose", "--project-name", name, "--file", str(file))
    docker = shutil.which(base[0]) or base[0]
    urls = tuple(command.url for command in commands.values())
    return Command(
        name=f"{' and '.join(command.name for command in commands.values())} in Docker Compose",
        argv=(docker, *base[1:], "up", "--abort-on-container-exit", "--no-color"),
        url=urls[0],
        more_urls=urls[1:],
        deadline=_PULL_DEADLINE,
        after=(docker, *base[1:], "down", "--timeout", "5"),
    )


def _escaped(text: str) -> str:
    """Compose substitutes `$NAME`; `$$` is a dollar."""
    return text.replace("$", "$$")
