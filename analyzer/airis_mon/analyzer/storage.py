"""What was learnt, kept on disk: after a restart it need not be read and learnt anew.

One file for each query, named after the query and what else decides what is learnt of it. A file is written
whole and put in place at once; one that is damaged, too old, or of another version is not used, and what it
held is learnt anew. Nothing is unpickled: numbers are numpy's arrays, all else is JSON.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.forecasting.candidates import Plan
from airis_mon.analyzer.forecasting.horizons import Ahead
from airis_mon.analyzer.forecasting.outlook import Outlook
from airis_mon.analyzer.knowledge import Foreseen, Known, Memory
from airis_mon.analyzer.methods.cells import Cells
from airis_mon.analyzer.methods.peers import Peers
from airis_mon.analyzer.methods.seasonal import Learnt
from airis_mon.analyzer.methods.shapes import Shapes
from airis_mon.analyzer.methods.thresholds import Thresholds
from airis_mon.analyzer.methods.tracks import Choice
from airis_mon.analyzer.query import Frame

VERSION = 8
"""To be raised where the same past is learnt to something else: a pair has to come to the same bits."""
TTL = 12 * 3600
"""Seconds after which what was learnt is not used: what is usual is learnt each six hours."""
_SUFFIX = ".learnt.npz"
_BYTES_MAX = 1 << 30
"""Of one file; what would be more is learnt anew after a restart."""
_PARTS: dict[str, type] = {
    part.__name__: part
    for part in (
        Memory, Known, Learnt, Peers, Thresholds, Shapes, Choice, Cells, Frame,
        Foreseen, Ahead, Outlook, Plan,
    )
}  # fmt: skip
_TREE = "tree"
Result = Literal["used", "absent", "old", "damaged", "saved", "unsaved"]
RESULTS: tuple[Result, ...] = get_args(Result)


class DamagedError(Exception):
    """A file that is none of ours, or is no longer what was written."""


class Storage:
    """Keeps what watches have learnt in a folder."""

    def __init__(
        self,
        folder: Path,
        told: Callable[[Result, str], None],
        *,
        ttl: float = TTL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Keep files in `folder`, made if need be; `told` hears what became of each, and why.

        Raises OSError for a folder that cannot be written to. `clock` tells which files nobody wants now.
        """
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        self._folder = folder
        self._ttl = ttl
        self._told = told
        self._clock = clock

    def load(self, query: Query, step: int, at: int) -> Memory | None:
        """Return what was learnt of a query, as far as it may be used at a time; None without it."""
        path = self._path(query, step)
        try:
            memory = _decoded(path)
        except FileNotFoundError:
            self._told("absent", f"{query.title}: nothing is kept")
            return None
        except DamagedError as error:
            self._told("damaged", f"{query.title}: {path.name} is not used: {error}")
            return None
        age = at - memory.known.end
        if not 0 <= age <= self._ttl:
            self._told("old", f"{query.title}: {path.name} is not used: what it holds is {age} s old")
            return None
        self._told("used", f"{query.title}: {path.name} is used")
        return memory

    def save(self, query: Query, step: int, memory: Memory) -> None:
        """Keep what was learnt of a query; what cannot be written is told of, and learnt anew some time."""
        path = self._path(query, step)
        try:
            _written(path, memory)
        except (OSError, ValueError) as error:
            self._told("unsaved", f"{query.title}: {path.name} was not written: {error}")
        else:
            self._told("saved", f"{query.title}: {path.name} was written")

    def tidy(self, queries: Iterable[Query], step: int) -> None:
        """Remove files that no query has, once they are too old for one that comes back."""
        wanted = {self._path(query, step).name for query in queries}
        for path in self._folder.glob(f"*{_SUFFIX}*"):
            with contextlib.suppress(OSError):
                if path.name not in wanted and self._clock() - path.stat().st_mtime > self._ttl:
                    path.unlink()

    def _path(self, query: Query, step: int) -> Path:
        # All of the query, and all else that decides what is learnt of it.
        content = json.dumps([VERSION, step, asdict(query)], sort_keys=True, default=repr)
        return self._folder / (hashlib.sha256(content.encode()).hexdigest()[:32] + _SUFFIX)


def _written(path: Path, memory: Memory) -> None:
    arrays: list[np.ndarray] = []
    tree = json.dumps(_encoded(memory, arrays)).encode()
    if len(tree) + sum(array.nbytes for array in arrays) > _BYTES_MAX:
        raise ValueError(f"it would be larger than {_BYTES_MAX >> 20} MiB")
    named = {f"a{number}": array for number, array in enumerate(arrays)}
    named[_TREE] = np.frombuffer(tree, dtype=np.uint8)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, **named)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _decoded(path: Path) -> Memory:
    """Return what a file holds; DamagedError where that is nothing to work with, FileNotFoundError."""
    try:
        with zipfile.ZipFile(path) as archive:
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                raise DamagedError("it was not written by this analyzer")
        with np.load(path, allow_pickle=False) as held:
            tree = json.loads(held[_TREE].tobytes())
            found = _built(tree, held)
    except (FileNotFoundError, DamagedError):
        raise
    except Exception as error:
        # Whatever a disk or another version made of it, the way out is the same.
        raise DamagedError(f"it is damaged: {type(error).__name__}: {error}") from error
    if not isinstance(found, Memory) or not found.sound:
        raise DamagedError("its parts do not fit together")
    return found


def _encoded(value: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if is_dataclass(value) and not isinstance(value, type):
        parts = {each.name: _encoded(getattr(value, each.name), arrays) for each in fields(value)}
        return {"part": type(value).__name__, "fields": parts}
    if isinstance(value, dict):  # the rows of series: labels to their index
        return {"pairs": [[_encoded(one, arrays), _encoded(other, arrays)] for one, other in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_encoded(one, arrays) for one in value]}
    if value is None or isinstance(value, str | int | float):
        return value
    raise ValueError(f"{type(value).__name__} cannot be kept")


def _built(tree: Any, held: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    if "array" in tree:
        return held[f"a{tree['array']}"]
    if "tuple" in tree:
        return tuple(_built(one, held) for one in tree["tuple"])
    if "pairs" in tree:
        return {_built(one, held): _built(other, held) for one, other in tree["pairs"]}
    part, parts = _PARTS[tree["part"]], tree["fields"]
    if {each.name for each in fields(part)} != set(parts):
        raise DamagedError("it is of another version")
    return part(**{name: _built(one, held) for name, one in parts.items()})
