"""A folder that is replaced as a whole, at once, and can be put back: a link to the release that holds.

`DIR` is a symbolic link into `DIR.releases`, as Kubernetes' own mounts of ConfigMaps are. Whoever opens a
file below it while it is moved sees one release or the other, never a mixture. The release before stays.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from airis_mon.cli import lock
from airis_mon.cli.folder import FolderError
from airis_mon.spec import Artefact

ABANDONED_AFTER = 3600.0
"""Seconds after which what is being written is nobody's any more."""


class Releases:
    """The releases behind one link."""

    def __init__(self, link: Path) -> None:
        """Take the link's place; FolderError for one that can hold no link."""
        self.link = link.absolute()
        if not self.link.name or self.link.name == "..":
            raise FolderError(f"{link} cannot be a link; name a path such as /etc/airis-mon")
        self._folder = self.link.with_name(f"{self.link.name}.releases")

    def current(self) -> Path | None:
        """Return the release that holds, None before the first; FolderError for anything else there."""
        if self.link.is_symlink():
            target = self.link.parent / os.readlink(self.link)
            if target.parent != self._folder:
                raise FolderError(
                    f"{self.link} leads to {target}, not into {self._folder}; name another path"
                )
            return target if target.is_dir() else None
        if self.link.exists():
            raise FolderError(
                f"{self.link} is no link: what is applied is replaced as a whole, through a link into "
                f"{self._folder.name}. Name a path that is not there yet, and have servers read files "
                "below it"
            )
        return None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep others from applying meanwhile; InUseError where one does, FolderError."""
        with lock.held(self._folder, "airis-mon apply"):
            try:
                yield
            finally:
                self._leave()

    @contextmanager
    def staged(self, artefacts: Sequence[Artefact]) -> Iterator[Path]:
        """Yield a folder with these files, which is gone afterwards unless it was kept. FolderError."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            stage = Path(tempfile.mkdtemp(prefix=".new-", dir=self._folder))
        except OSError as error:
            raise FolderError(f"cannot write to {self._folder}: {error.strerror or error}") from error
        try:
            try:
                stage.chmod(0o755)  # servers may run as other users
                for artefact in artefacts:
                    path = stage / artefact.path
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(artefact.text, encoding="utf-8", newline="\n")
            except OSError as error:
                raise FolderError(f"cannot write to {stage}: {error.strerror or error}") from error
            yield stage
        finally:
            shutil.rmtree(stage, ignore_errors=True)
            self._leave()

    def keep(self, stage: Path) -> Path:
        """Make a staged folder a release, and return it."""
        number = max((int(name) for name in self._names()), default=0) + 1
        release = self._folder / f"{number:06d}"
        try:
            stage.rename(release)
        except OSError as error:
            raise FolderError(f"cannot write to {self._folder}: {error.strerror or error}") from error
        return release

    def switch(self, release: Path | None) -> None:
        """Let a release hold from now on; None takes the link away."""
        try:
            if release is None:
                self.link.unlink(missing_ok=True)
                return
            beside = self._folder / f".link-{os.getpid()}"
            beside.unlink(missing_ok=True)
            beside.symlink_to(Path(self._folder.name) / release.name)
            # Relative to where the link will be, not to where it is made: it is never followed here.
            os.replace(beside, self.link)
        except OSError as error:
            raise FolderError(f"cannot replace {self.link}: {error.strerror or error}") from error

    def forget(self, *kept: Path | None) -> None:
        """Remove all releases but these."""
        names = {release.name for release in kept if release is not None}
        for name in self._names():
            if name not in names:
                shutil.rmtree(self._folder / name, ignore_errors=True)
        for left in self._folder.glob(".new-*"):  # of one that was killed
            if left.stat().st_mtime < time.time() - ABANDONED_AFTER:
                shutil.rmtree(left, ignore_errors=True)
        self._leave()

    def _leave(self) -> None:
        """Take the folder of releases away where none is in it: nothing has ever been applied."""
        with contextlib.suppress(OSError):
            self._folder.rmdir()

    def _names(self) -> list[str]:
        return [entry.name for entry in self._folder.iterdir() if entry.name.isdigit()]
