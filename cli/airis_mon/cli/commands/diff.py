"""`airis-mon diff FILE... -o DIR`: what a build would change in DIR, alert by alert and line by line.

Nothing is proven, and nothing is written. Exit codes are those of diff: 0 for no difference, 1 for some, 2
where that could not be found out.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from airis_mon.cli import folder, targets
from airis_mon.cli.build import build
from airis_mon.cli.documents import load
from airis_mon.cli.wording import plural, problems
from airis_mon.spec import SpecError

LARGEST = 16 << 20
"""Bytes of a file that is compared."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def run(argv: Sequence[str], _cache: Path) -> int:
    """Return 0 where a build would change nothing, 1 where it would, 2 where that is not known."""
    args = _parser().parse_args(argv)
    try:
        target = targets.target(args)
        wanted = {file.path: file.text for file in build(load(args.files, target=target), target)}
        there = _there(args.output)
    except SpecError as error:
        print(f"{error}\n\n{problems(error)}", file=sys.stderr)
        return 2
    except folder.FolderError as error:
        print(error, file=sys.stderr)
        return 2
    if not args.proofs:
        wanted, there = (
            {path: text for path, text in files.items() if not _proof(path)} for files in (wanted, there)
        )
    changed = sorted(path for path in wanted | there if wanted.get(path) != there.get(path))
    for path in changed:
        sys.stdout.writelines(_lines(path, there.get(path), wanted.get(path), args.output))
    told = [
        line
        for path in changed
        if path.endswith(".rules.yaml")
        for line in _rules(there.get(path), wanted.get(path))
    ]
    print(
        "\n".join([*told, f"{plural(len(changed), 'file')} of {len(wanted | there)} would change"]),
        file=sys.stderr,
    )
    return 1 if changed else 0


def _proof(path: str) -> bool:
    return path.startswith("rules/proofs/") or path.endswith(".test.yaml")


def _there(output: Path) -> dict[str, str]:
    """Return the files of an earlier build; those of other people are none of ours."""
    found = {}
    paths = folder.listed(output) if (output / folder.MANIFEST).exists() else _below(output)
    for path in paths:
        file = output / path
        try:
            if file.stat().st_size > LARGEST:
                raise folder.FolderError(f"{file} is larger than {LARGEST >> 20} MiB; no build wrote it")
            found[path] = file.read_text(encoding="utf-8")
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise folder.FolderError(f"cannot read {file}: {error}") from error
    return found


def _below(output: Path) -> Iterator[str]:
    """Yield what lies in a folder that `apply` has written: a release has no other files."""
    if output.exists() and not output.is_symlink():
        raise folder.FolderError(f"{output} holds no {folder.MANIFEST}: no build of ours wrote it")
    for path in sorted(output.rglob("*")) if output.is_dir() else ():
        if path.is_file():
            yield path.relative_to(output).as_posix()


def _lines(path: str, before: str | None, after: str | None, output: Path) -> Iterator[str]:
    # What is not there is /dev/null, as patch reads it.
    names = (
        f"{output}/{path}" if before is not None else "/dev/null",
        path if after is not None else "/dev/null",
    )
    texts = ((before or "").splitlines(keepends=True), (after or "").splitlines(keepends=True))
    for line in difflib.unified_diff(*texts, *names):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _rules(before: str | None, after: str | None) -> Iterator[str]:
    """Yield a line per rule that comes, goes or changes."""
    old, new = _named(before), _named(after)
    for name in sorted({*old, *new}):
        if name not in old:
            yield f"+ {name}"
        elif name not in new:
            yield f"- {name}"
        elif old[name] != new[name]:
            keys = sorted(
                key for key in {**old[name], **new[name]} if old[name].get(key) != new[name].get(key)
            )
            yield f"~ {name}: {', '.join(keys)}"


def _named(text: str | None) -> Mapping[str, Mapping[str, Any]]:
    if text is None:
        return {}
    try:
        groups = yaml.load(text, Loader=_LOADER)["groups"]  # noqa: S506  a safe one
        return {_name(group, rule): rule for group in groups for rule in group["rules"]}
    except (yaml.YAMLError, KeyError, TypeError):  # somebody has edited it: its lines are told
        return {}


def _name(group: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
    labels = rule.get("labels", {})
    told = [str(labels[label]) for label in ("severity", "for", "objective", "alert") if label in labels]
    kind = "alert" if "alert" in rule else "record"
    return " ".join([kind, group["name"], rule[kind], *told])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="airis-mon diff", description=__doc__, allow_abbrev=False)
    parser.add_argument("files", nargs="+", metavar="FILE", help="documents (YAML)")
    parser.add_argument("-o", "--output", required=True, type=folder.argument, metavar="DIR",
        help="folder of an earlier build or apply; one that is not there is empty")  # fmt: skip
    parser.add_argument("--proofs", action="store_true", help="compare the proofs too")
    targets.add_arguments(parser)
    return parser
