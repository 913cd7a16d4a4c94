"""Where VictoriaMetrics is, and how it is started: neither Prometheus' code, nor does it speak 2.0."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from airis_mon.stack import debian, ports, servers
from airis_mon.stack.processes import Command, Process

PACKAGE = "victoria-metrics"


def find(given: Path | str | None = None) -> Path:
    """Return the program: as given, on PATH, or Debian's in the user's cache. Raises debian.UnpackError."""
    found = given or shutil.which(PACKAGE)
    if found is not None:
        return Path(found)
    cache = servers.default_cache(os.environ)
    return debian.folder(PACKAGE, cache, lambda _: None, (PACKAGE,)) / "usr" / "bin" / PACKAGE


def version(binary: Path) -> str:
    """Return what it says of itself, such as `1.150.0`."""
    said = subprocess.run([str(binary), "--version"], capture_output=True, text=True, check=True)
    # Debian's says nothing; the folder that its package is unpacked in does.
    match = re.search(rf"(?:-v|{PACKAGE}_)(\d+\.\d+\.\d+)", f"{said.stdout}{said.stderr}{binary}")
    return match[1] if match else "of an unknown version"


@contextmanager
def running(binary: Path, folder: Path, *, days: int = 1, flags: Sequence[str] = ()) -> Iterator[str]:
    """Yield the URL of one that keeps its data, of so many `days`, below `folder`; it is ended afterwards."""
    address = f"127.0.0.1:{ports.free_port()}"
    argv = (
        str(binary),
        f"-storageDataPath={folder / PACKAGE}",
        f"-httpListenAddr={address}",
        f"-retentionPeriod={days}d",
        "-search.latencyOffset=0s",  # otherwise the newest half minute is hidden
        *flags,
    )
    process = Process(Command("VictoriaMetrics", argv, f"http://{address}"), folder / "vm.log")
    try:
        process.wait_ready()
        yield process.command.url
    finally:
        process.stop()
