"""Fuzz the decoders: `make fuzz ARGS="--seconds 60 [TARGET ...]"`.

Each target runs in a process of its own for so many seconds, two at a time. What crashed it is kept under
its name in the folder of `--keep`, to be run again: `python -m tests.fuzz --again FILE TARGET`. The last line
is one JSON object: `targets`, `executions`, and the names in `crashed`; the exit code is 1 where there
is any.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

AT_A_TIME = 2
MOST_BYTES = 4096
"""Of one input; what is longer finds little more, and slowly."""
MOST_SECONDS = 10
"""For one input; more is a hang, which is a crash."""
MOST_MIB = 2048


def main() -> int:
    """Run all, or what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=10, help="for each target")
    parser.add_argument("--seed", type=int, default=0, help="0 for another one each time")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-crashes"), help="folder for what crashed")
    parser.add_argument("--again", type=Path, metavar="FILE", help="run one input, without the fuzzer")
    parser.add_argument("--inside", metavar="FOLDER", type=Path, help=argparse.SUPPRESS)
    arguments, libfuzzer = parser.parse_known_args()
    if arguments.inside is not None:
        fuzz(arguments.targets[0], arguments.inside, libfuzzer)
    from tests.fuzz.targets import PLANTED, targets

    known = {**targets(), "planted": PLANTED}
    unknown = set(arguments.targets) - set(known)
    if unknown or libfuzzer:
        parser.error(f"{', '.join([*unknown, *libfuzzer])} is none of {', '.join(known)}")
    if arguments.again is not None:
        for name in arguments.targets:
            known[name].decode(arguments.again.read_bytes())
        return 0
    executions, crashed = 0, []
    chosen = arguments.targets or [name for name in known if name != "planted"]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        for name, (sound, runs) in zip(
            chosen, pool.map(lambda name: _run(name, arguments), chosen), strict=True
        ):
            executions += runs
            if not sound:
                crashed.append(name)
    print(json.dumps({"targets": len(chosen), "executions": executions, "crashed": crashed}))
    return 1 if crashed else 0


def _run(name: str, arguments: argparse.Namespace) -> tuple[bool, int]:
    with tempfile.TemporaryDirectory() as folder:
        limits = {
            "max_total_time": arguments.seconds,
            "max_len": MOST_BYTES,
            "timeout": MOST_SECONDS,
            "rss_limit_mb": MOST_MIB,
            "seed": arguments.seed,
            "artifact_prefix": f"{folder}/crash-",
            "print_final_stats": 1,
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzz", name, f"--inside={folder}"]
            + [f"-{option}={value}" for option, value in limits.items()],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=arguments.seconds + 120,
        )
        found = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stderr)
        runs = int(found[1]) if found else 0
        print(f"{name}: {runs} executions, exit code {done.returncode}", file=sys.stderr)
        if done.returncode == 0 and runs:
            return True, runs
        print((done.stdout + done.stderr)[-4000:], file=sys.stderr)
        for crash in Path(folder).glob("crash-*"):
            arguments.keep.mkdir(exist_ok=True)
            kept = arguments.keep / f"{name}-{crash.name}"
            kept.write_bytes(crash.read_bytes())
            print(f"again: python -m tests.fuzz --again {kept} {name}", file=sys.stderr)
        return False, runs


def fuzz(name: str, folder: Path, libfuzzer: list[str]) -> None:
    """Fuzz one target in this process, which ends with it."""
    import atheris

    with atheris.instrument_imports(include=["airis_mon", "tests.fuzz.targets"]):
        from tests.fuzz.targets import PLANTED, targets

    target = {**targets(), "planted": PLANTED}[name]
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(target.seeds):
        (corpus / str(number)).write_bytes(seed)

    def once(data: bytes) -> None:
        try:
            target.decode(data)
        except target.documented:
            return

    atheris.Setup([sys.argv[0], *libfuzzer, str(corpus)], once)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
