"""The output folder: changed only by what was proven, and never beyond what an earlier build wrote.

New files are written and proven in a folder beside it (:func:`staged`) and moved over one by one; a manifest
says which files are ours, so that a file no longer derived goes away and a person's own file stays.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from airis_mon.spec import Artefact

MANIFEST = "manifest.json"
_SHOWN = 200
"""Characters of a path that an error shows."""


class FolderError(Exception):
    """An output folder that cannot be used; the text says why and what to do."""


def argument(text: str) -> Path:
    """Return the folder that a command line names; an empty one would silently be the working folder."""
    if not text:
        raise argparse.ArgumentTypeError("the path is empty; name a folder, such as out")
    return Path(text)


@dataclass(frozen=True)
class Changes:
    """What a build did to its output folder; paths below it."""

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True)
class Derivation:
    """What a build derived from one document alone."""

    key: str
    """Equal for equal documents, targets and generators."""
    files: tuple[str, ...]
    """Paths below the folder; several documents may share one."""


def derivations(target: Path) -> Mapping[str, Derivation]:
    """Return what the last build derived, by document, as far as all of its files are as it left them.

    Raises FolderError for a manifest that cannot be read.
    """
    content = _content(target)
    files = _files(content)
    sound: dict[str, bool] = {}

    def untouched(path: str) -> bool:
        if path not in sound:
            try:
                sound[path] = _digest((target / path).read_bytes()) == files.get(path)
            except OSError:
                sound[path] = False
        return sound[path]

    found = {}
    for name, written in content.get("documents", {}).items():
        derived = Derivation(written["key"], tuple(written["files"]))
        # A list that somebody shortened would have files removed that the document needs.
        if written.get("digest") == _sealed(derived) and all(map(untouched, derived.files)):
            found[name] = derived
    return found


def listed(target: Path) -> tuple[str, ...]:
    """Return the paths of the files that the last build wrote; FolderError for a manifest that is none."""
    return tuple(_files(_content(target)))


def check(target: Path) -> None:
    """Raise FolderError for a link into the releases of `apply`: what holds is replaced as a whole."""
    releases = f"{target.name}.releases"
    if target.is_symlink() and Path(os.readlink(target)).parent.name == releases:
        raise FolderError(
            f"{target} is what `airis-mon apply` keeps, a link into {releases}: change it by "
            f"`airis-mon apply ... -o {target}`, or build into another folder"
        )


@contextmanager
def staged(target: Path, artefacts: Sequence[Artefact]) -> Iterator[Path]:
    """Yield a folder beside `target` that holds `artefacts`; it is gone afterwards. Raises FolderError."""
    check(target)
    target = target.absolute()
    try:
        if target.exists() and not target.is_dir():
            raise FolderError(f"{target} is a file; choose a folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        work = tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent)
    except OSError as error:
        raise FolderError(f"cannot write to {_short(target)}: {error.strerror or error}") from error
    with work as name:
        try:
            for artefact in artefacts:
                path = Path(name) / _checked(artefact.path)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(artefact.text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise FolderError(f"cannot write to {target.parent}: {error.strerror or error}") from error
        yield Path(name)


def install(
    stage: Path,
    target: Path,
    artefacts: Sequence[Artefact],
    derived: Mapping[str, Derivation] = MappingProxyType({}),
) -> Changes:
    """Move the files of `stage` to `target` and remove those of the build before that are no longer derived.

    What `derived` names and `artefacts` lacks is there already, and stays. Refuses, before touching anything,
    to overwrite a file that no build of ours wrote. Raises FolderError.
    """
    digests = {artefact.path: _digest(artefact.text.encode()) for artefact in artefacts}
    before = _files(_content(target))
    kept = {path for one in derived.values() for path in one.files if path not in digests}
    digests |= {path: before[path] for path in sorted(kept)}
    try:
        current = {
            path: _digest((target / path).read_bytes())
            for path in digests
            if path not in kept and (target / path).is_file()
        }
    except OSError as error:
        raise FolderError(f"cannot read {error.filename}: {error.strerror or error}") from error
    foreign = [path for path in current if path not in before and current[path] != digests[path]]
    if foreign:
        names = "\n".join(f"  {target / path}" for path in foreign)
        raise FolderError(
            f"these files were not written by a build; move them away or choose another folder:\n{names}"
        )
    try:
        changed = [path for path in digests if path not in kept and current.get(path) != digests[path]]
        # Listed before they are there: were we killed half-way, the next build would still know them as ours.
        _list(stage, target, {**before, **digests}, {})
        for path in changed:
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(stage / path, target / path)
        removed = [path for path in before if path not in digests and _remove(target, path)]
        _list(stage, target, digests, derived)
    except OSError as error:
        raise FolderError(
            f"cannot write to {target}: {error.strerror or error} ({error.filename})"
        ) from error
    unchanged = tuple(path for path in digests if path not in changed)
    return Changes(tuple(changed), unchanged, tuple(removed))


def _content(target: Path) -> Mapping[str, Any]:
    """Return the manifest of the build before, checked; empty where there is none."""
    try:
        content = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
        for path in content["files"]:
            _checked(path)
        for derived in content.get("documents", {}).values():
            if not isinstance(derived["key"], str) or not set(derived["files"]) <= content["files"].keys():
                raise ValueError("it names files that it does not list")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FolderError(
            f"{target / MANIFEST} is not readable as the list of an earlier build ({error}); "
            "remove it if it is not yours, or choose another folder"
        ) from error
    return content  # type: ignore[no-any-return]


def _files(content: Mapping[str, Any]) -> Mapping[str, str]:
    return {path: str(digest) for path, digest in content.get("files", {}).items()}


def _list(stage: Path, target: Path, files: Mapping[str, str], derived: Mapping[str, Derivation]) -> None:
    content: dict[str, Any] = {"generator": "airis-mon", "files": dict(sorted(files.items()))}
    if derived:
        content["documents"] = {
            name: {"key": one.key, "files": list(one.files), "digest": _sealed(one)}
            for name, one in sorted(derived.items())
        }
    (stage / MANIFEST).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8", newline="\n")
    target.mkdir(exist_ok=True)
    os.replace(stage / MANIFEST, target / MANIFEST)


def _sealed(derived: Derivation) -> str:
    return _digest("\n".join((derived.key, *derived.files)).encode())


def _checked(path: str) -> PurePosixPath:
    """Return `path` if it leads below the folder, else ValueError: a manifest is anybody's to edit."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or not pure.parts or ".." in pure.parts:
        raise ValueError(f"`{path}` does not lie below the folder")
    return pure


def _remove(target: Path, path: str) -> bool:
    file = target / path
    if not file.parent.resolve().is_relative_to(target.resolve()):  # a link leads elsewhere
        return False
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    parent = file.parent
    while parent != target:
        with contextlib.suppress(OSError):  # not empty: it stays
            parent.rmdir()
        parent = parent.parent
    return True


def _short(path: Path) -> str:
    """Return the path, cut where no person would read on: its length may be what is wrong with it."""
    text = str(path)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
