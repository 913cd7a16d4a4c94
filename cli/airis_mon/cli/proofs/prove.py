"""A folder is proven: every run that is not known yet, side by side."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from airis_mon.cli.proofs import hours, routes, rules, timelines
from airis_mon.cli.proofs.memory import Memory
from airis_mon.cli.proofs.runs import Failure, Proof, ProofError, Run, execute
from airis_mon.stack.servers import Server


def prove(
    folder: Path,
    *,
    promtool: Server,
    amtool: Server,
    memory: Memory | None = None,
    progress: Callable[[int, int, str], None] = lambda _done, _total, _artefact: None,
    workers: int = 2,
) -> tuple[Proof, ...]:
    """Prove what `build` wrote to `folder`, and return every proof, sorted.

    What `memory` holds is not run again; without one, all is. `progress` hears of each finished run: how many
    of how many, and of which artefact. Raises ProofError with every failure, not the first.
    """
    memory = memory or Memory(None)
    found = [*rules.runs(folder, promtool, memory), *routes.runs(folder, amtool, memory)]
    needed, shared = _needed(found)
    proofs = [proof for run in found if run.known for proof in run.proofs()]
    failures: list[Failure] = []
    # promtool leaves its databases behind when it is interrupted, so they lie where they are swept up.
    scratch = tempfile.TemporaryDirectory(prefix="airis-mon-proofs-", ignore_cleanup_errors=True)
    with scratch as temporary, ThreadPoolExecutor(workers) as pool:
        pending = {pool.submit(execute, run, folder, temporary): run for run in needed}
        try:
            for done, future in enumerate(as_completed(pending), 1):
                run = pending[future]
                results = future.result()
                failed = [result for result in results if isinstance(result, Failure)]
                failures += failed
                proofs += [result for result in results if isinstance(result, Proof)]
                if not failed:
                    memory.keep(run.keys)
                    proofs += [proof for same in shared.get(run.keys, ()) for proof in same.proofs()]
                progress(done, len(needed), run.artefacts[0])
        except BaseException:  # Ctrl-C: what runs may end, what waits never begins
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for result in (*timelines.results(folder, memory), *hours.results(folder)):
        if isinstance(result, Failure):
            failures.append(result)
        else:
            proofs.append(result)
    if failures:
        raise ProofError(tuple(sorted(failures, key=lambda failure: (failure.artefact, failure.command))))
    memory.keep([routes.key(folder, amtool, memory), timelines.key(folder, memory)])
    return tuple(sorted(proofs, key=lambda proof: (proof.artefact, proof.what)))


def _needed(runs: Iterable[Run]) -> tuple[list[Run], dict[tuple[str, ...], list[Run]]]:
    """Return the runs that nothing is known of, each question once; and who else asked it."""
    needed: list[Run] = []
    shared: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        if run.known:
            continue
        if run.keys in shared:
            shared[run.keys].append(run)
            continue
        if run.keys:
            shared[run.keys] = []
        needed.append(run)
    return needed, shared
