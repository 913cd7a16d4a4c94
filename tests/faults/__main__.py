"""Do faults to a sidecar and judge it by ledgers: `make faults ARGS="--trials 500 --seed 1"`.

Senders number their batches and send each three times, five in flight and out of order. What was not
acknowledged when a fault struck is sent again, with its number. Then every batch has to count exactly once,
no counter may ever have gone back before the eyes of a scraper, and no start may need a hand.

`--trials` is the number of kills; other faults have a share of it. The last line is one JSON object: sums,
and `faults` with each of them; the exit code is 1 where anything was found. `--sabotage` takes something
away on purpose, to show that the ledgers would notice. Root is needed
for `power` and `space`, strace for `calls` and `slow`; a fault that cannot be done here fails with what is
missing, and is never left out in silence.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict

from tests.faults import calls, clock, damage, kill, power, slow, space
from tests.faults.ledger import Outcome

FAULTS: dict[str, Callable[[int, int], Outcome]] = {
    "kill": lambda trials, seed: asyncio.run(kill.killed(trials, seed)),
    "calls": lambda trials, seed: asyncio.run(calls.struck(max(2, trials // 16), seed)),
    "power": lambda trials, seed: asyncio.run(power.cut(max(1, trials // 25), seed)),
    "space": lambda trials, seed: asyncio.run(space.filled(max(2, trials // 100), seed)),
    "clock": lambda trials, seed: asyncio.run(clock.stepped(max(1, trials // 100), seed)),
    "slow": lambda trials, seed: asyncio.run(slow.slowed(max(1, trials // 250), seed)),
    "damage": lambda trials, seed: damage.damaged(97),
    "every-byte": lambda trials, seed: damage.damaged(1),
}
DEFAULT = tuple(name for name in FAULTS if name != "every-byte")
"""Every byte takes minutes, and what `damage` leaves out is in the slow tests."""
SABOTAGES: dict[str, Callable[[int, int], Outcome]] = {
    "deduplication": lambda trials, seed: asyncio.run(kill.killed(trials, seed, numbered=False)),
    "fdatasync": lambda trials, seed: asyncio.run(power.cut(trials, seed, synced=False)),
}
NEEDS = {"calls": "strace", "slow": "strace", "power": "mkfs.ext4"}
ROOT = ("power", "space", "fdatasync")


def main() -> int:
    """Run, print, and judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--trials", type=int, default=20, help="kills; other faults have a share of it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=float, default=0.0, help="go on, with other seeds, for so long")
    parser.add_argument("--only", choices=sorted(FAULTS), action="append", help="this fault; may be repeated")
    parser.add_argument("--sabotage", choices=sorted(SABOTAGES))
    arguments = parser.parse_args()
    if arguments.sabotage:
        chosen = {arguments.sabotage: SABOTAGES[arguments.sabotage]}
    else:
        chosen = {name: fault for name, fault in FAULTS.items() if name in (arguments.only or DEFAULT)}
    problems = missing(list(chosen))
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 2
    end = time.monotonic() + arguments.hours * 3600
    found = dict.fromkeys(chosen, Outcome())
    seed = arguments.seed
    while True:
        for name, fault in chosen.items():
            began = time.monotonic()
            found[name] += fault(arguments.trials, seed)
            print(f"{name}: {time.monotonic() - began:.0f} s {asdict(found[name])}", file=sys.stderr)
        seed += 1_000_003
        if time.monotonic() >= end:
            break
    total = sum(found.values(), Outcome())
    print(json.dumps({**asdict(total), "faults": {name: asdict(one) for name, one in found.items()}}))
    return 0 if total.sound else 1


def missing(names: list[str]) -> list[str]:
    """Return what this machine lacks for these faults, and what to type."""
    programs = {NEEDS[name] for name in names if name in NEEDS and not shutil.which(NEEDS[name])}
    packages = {"mkfs.ext4": "e2fsprogs"}
    problems = [
        f"{program} is missing: apt-get install {packages.get(program, program)}" for program in programs
    ]
    if os.geteuid() != 0 and any(name in ROOT for name in names):
        problems.append("power and space mount file systems, which takes root: sudo, or --only the others")
    return problems


if __name__ == "__main__":
    sys.exit(main())
