"""Debian's packages of Prometheus and Alertmanager, unpacked into the user's cache without root.

apt-get verifies what it downloads against the machine's own keyrings; only the folders it writes to are ours.
A folder of the cache appears whole or not at all: everything is unpacked beside it and renamed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PACKAGES = ("prometheus", "prometheus-alertmanager")

_NEEDED = ("apt-get", "dpkg-deb")
_COMPILED_IN = b"/usr/share/prometheus/alertmanager"
_RELOCATED = b"usr/share/prometheus/alertmanager/"
_ALERTMANAGER = Path("usr/bin/prometheus-alertmanager")
_APT_DEADLINE = 300.0
"""Seconds for one apt-get call: a mirror that answers slowly is waited for, a dead one is not."""
_TAIL = 800
"""Characters of apt-get's complaint that an error shows."""


class UnpackError(Exception):
    """Debian's packages could not be had; the text says why."""


def folder(
    package: str, cache: Path, notify: Callable[[str], None], together: Sequence[str] = PACKAGES
) -> Path:
    """Return the folder that holds `package` unpacked, its newest version in `cache`; fetch it where absent.

    The packages of `together` are fetched at once: who needs one needs the others, and refreshing the package
    lists is what takes the time. What they depend on is not fetched. Raises UnpackError.
    """
    found = unpacked(package, cache)
    if found is not None:
        return found
    return _had(package, cache, notify, together, damaged=None)


def renewed(package: str, cache: Path, damaged: Path, notify: Callable[[str], None]) -> Path:
    """Return the folder of `package`, fetched once more because what is in `damaged` does not run.

    What is there stays until the other is unpacked. Raises UnpackError.
    """
    notify(f"{damaged} is damaged")
    return _had(package, cache, notify, PACKAGES, damaged)


def _had(
    package: str,
    cache: Path,
    notify: Callable[[str], None],
    together: Sequence[str],
    damaged: Path | None,
) -> Path:
    if not possible():
        raise UnpackError(f"{' and '.join(_NEEDED)} are not there: this is no Debian or Ubuntu machine")
    root = cache / "debian"
    before = _identity(damaged)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _lock(root / "lock", notify):
            found = unpacked(package, cache)
            # Otherwise whoever held the lock before us has done it.
            if found is None or (found == damaged and _identity(damaged) == before):
                _fetch(root, notify, together, damaged)
                found = unpacked(package, cache)
    except OSError as error:
        raise UnpackError(f"{root}: {error.strerror or error}") from error
    if found is None:
        raise UnpackError(f"apt-get fetched no package named {package}")
    return found


def _identity(folder: Path | None) -> tuple[int, int] | None:
    """Return what tells a folder from another one that has taken its name."""
    if folder is None or not folder.exists():
        return None
    status = folder.stat()
    return status.st_ino, status.st_ctime_ns


def possible() -> bool:
    """Say whether this machine has what fetching takes."""
    return all(shutil.which(program) for program in _NEEDED)


def unpacked(package: str, cache: Path) -> Path | None:
    """Return the folder of `package` in `cache`, its newest version; None where it was never fetched."""
    folders = [path for path in (cache / "debian").glob(f"{package}_*") if path.is_dir()]
    return max(folders, key=lambda path: path.stat().st_mtime, default=None)


@contextmanager
def _lock(path: Path, notify: Callable[[str], None]) -> Iterator[None]:
    """Hold an advisory lock that the kernel takes back even when this process is killed."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            notify("waiting for another airis-mon that is unpacking the servers")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(root: Path, notify: Callable[[str], None], together: Sequence[str], damaged: Path | None) -> None:
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=root) as name:
        work = Path(name)
        options = _apt_options(work)
        notify("refreshing Debian's package lists (own copy, no root needed)")
        _run(["apt-get", *options, "-qq", "update"], work)
        notify(f"downloading {' and '.join(together)} from Debian")
        _run(["apt-get", *options, "-qq", "download", *together], work)
        for archive in sorted(work.glob("*.deb")):
            package, version = archive.name.split("_")[:2]
            if package not in together:
                continue
            notify(f"unpacking {package} {version}")
            tree = work / package
            _run(["dpkg-deb", "-x", str(archive), str(tree)], work)
            if package == "prometheus-alertmanager":
                _relocate(tree / _ALERTMANAGER)
            target = root / f"{package}_{version}"
            if damaged is not None and damaged.name.startswith(f"{package}_") and damaged.exists():
                damaged.rename(work / "damaged")  # and gone with it
            if not target.exists():
                tree.rename(target)


def _apt_options(work: Path) -> list[str]:
    for name in ("lists/partial", "cache/archives/partial"):
        (work / name).mkdir(parents=True)
    return [
        "-o", f"Dir::State::Lists={work / 'lists'}",
        "-o", f"Dir::Cache={work / 'cache'}",
        # Run by root, apt-get would download as user _apt, who may not enter a home folder.
        "-o", "APT::Sandbox::User=root",
        "-o", "Acquire::Languages=none",
        "-o", "Acquire::Retries=2",
    ]  # fmt: skip


def _run(argv: Sequence[str], cwd: Path) -> None:
    try:
        done = subprocess.run(
            argv,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_APT_DEADLINE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UnpackError(f"{argv[0]} did not end within {_APT_DEADLINE:.0f} s") from error
    if done.returncode != 0:
        raise UnpackError(f"{argv[0]} failed: {done.stdout.strip()[-_TAIL:]}")


def _relocate(binary: Path) -> None:
    """Make Alertmanager look for its templates below its working folder.

    Debian compiles the absolute path in, and Alertmanager dies where it is absent. The relative spelling has
    the same length, so nothing else in the program moves.
    """
    content = binary.read_bytes()
    mode = binary.stat().st_mode
    patched = binary.with_name(binary.name + ".relocated")
    patched.write_bytes(content.replace(_COMPILED_IN, _RELOCATED))
    patched.chmod(mode)
    os.replace(patched, binary)
