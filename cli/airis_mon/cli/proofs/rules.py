"""Which runs of promtool prove the rule files of a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from airis_mon.cli.proofs.memory import Memory
from airis_mon.cli.proofs.runs import Run
from airis_mon.stack.servers import Server

TOGETHER = 100
"""Rule files that one run checks: it takes longer to start promtool than to read a file."""
_CHECK = ("check", "rules", "--lint=all", "--lint-fatal")
_TEST = ("test", "rules")


def runs(folder: Path, promtool: Server, memory: Memory) -> Iterator[Run]:
    """Yield a run for what Prometheus reads, and one for each proof."""
    found = [
        _checked(folder, path, promtool, memory) for path in sorted((folder / "rules").glob("*.rules.yaml"))
    ]
    yield from (run for run in found if run.known)
    new = [run for run in found if not run.known]
    for begin in range(0, len(new), TOGETHER):
        yield _together(new[begin : begin + TOGETHER])
    for path in sorted((folder / "rules" / "proofs").glob("*.test.yaml")):
        yield _tested(folder, path, promtool, memory)


def _checked(folder: Path, path: Path, promtool: Server, memory: Memory) -> Run:
    name = path.relative_to(folder).as_posix()
    key = memory.key(promtool, _CHECK, [path.read_text(encoding="utf-8")])
    return Run((name,), "check rules", promtool, (*_CHECK, name), (key,), known=memory.holds(key))


def _together(runs: list[Run]) -> Run:
    """Return one run for all of them, which are asked one by one where it fails."""
    if len(runs) == 1:
        return runs[0]
    names = tuple(name for run in runs for name in run.artefacts)
    keys = tuple(key for run in runs for key in run.keys)
    return Run(names, "check rules", runs[0].tool, (*_CHECK, *names), keys, parts=tuple(runs))


def _tested(folder: Path, path: Path, promtool: Server, memory: Memory) -> Run:
    name = path.relative_to(folder).as_posix()
    rules = path.with_name(path.name.removesuffix(".test.yaml") + ".rules.yaml")
    contents = [file.read_text(encoding="utf-8") for file in (path, rules) if file.exists()]
    key = memory.key(promtool, _TEST, contents)
    # A test that reads other files than its own would be known by less than it depends on.
    sound = len(contents) == 2
    return Run(
        (name,),
        "test rules",
        promtool,
        (*_TEST, name),
        (key,) if sound else (),
        known=sound and memory.holds(key),
    )
