"""The process' journal looked at from outside: `airis-mon journal`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry

from airis_mon.journal import JournalVersionError, examine, records, state
from airis_mon.sidecar.aggregates import Aggregates
from airis_mon.sidecar.entries import load, replay
from airis_mon.sidecar.limits import Limits
from airis_mon.web import render


def main(argv: Sequence[str]) -> int:
    """Run one of the three; 0 done, 1 damaged or unreadable, 2 wrong usage."""
    arguments = _parser().parse_args(argv)
    folder: Path = arguments.folder
    if not folder.is_dir():
        print(f"airis-mon journal: {folder} is no folder; give that of --storage.path", file=sys.stderr)
        return 1
    try:
        if arguments.action == "fsck":
            return _fsck(folder)
        lines = _dumped(folder) if arguments.action == "dump" else _replayed(folder)
        for line in lines:
            sys.stdout.write(line)
    except JournalVersionError as error:
        print(f"airis-mon journal: {error}", file=sys.stderr)
        return 1
    return 0


def _fsck(folder: Path) -> int:
    report = examine(folder)
    out = sys.stdout.write
    out(f"{report.segments} segments, {report.records} records, sequences {report.first} to {report.last}\n")
    for name, whole in report.snapshots:
        out(f"snapshot {name}: {'whole' if whole else 'DAMAGED, the one before it is used'}\n")
    for fault in report.faults:
        said = "torn, never acknowledged, cut off at the next start" if fault.torn else "DAMAGED, is lost"
        out(f"{fault.file}: bytes {fault.start} to {fault.end} {said}\n")
    out(
        "sound\n"
        if report.sound
        else "damaged; what is whole is read at the next start, nothing is to be done\n"
    )
    return 0 if report.sound else 1


def _dumped(folder: Path) -> Iterator[str]:
    for record in records(folder):
        line: dict[str, object] = {"sequence": record.sequence, "bytes": len(record.payload)}
        if record.origin is not None:
            line["producer"] = record.origin.producer
            line["epoch"], line["number"] = record.origin.epoch, record.origin.sequence
        try:
            line["entries"], line["events"] = msgspec.msgpack.decode(record.payload)
        except (ValueError, TypeError) as error:
            line["error"] = str(error)
        yield msgspec.json.encode(line).decode() + "\n"


def _replayed(folder: Path) -> Iterator[str]:
    aggregates = Aggregates(Limits())
    sequence, chunks = state(folder)
    for chunk in chunks:
        for _ in load(msgspec.msgpack.decode(chunk), aggregates):
            pass
    for record in records(folder, sequence):
        try:
            replay(record.payload, record.sequence, aggregates, 0.0)
        except (ValueError, TypeError) as error:
            print(f"record {record.sequence} is not understood: {error}", file=sys.stderr)
    registry = CollectorRegistry()
    registry.register(aggregates)
    yield render(registry, "text/plain")[0].decode()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="airis-mon journal",
        description="Look at a sidecar's journal. Nothing is changed, and the sidecar may be running: then "
        "the newest records may be missing, or look torn.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, meaning in (
        ("fsck", "read every byte and say what is damaged; exit code 1 where something is"),
        ("dump", "print each record as a line of JSON"),
        ("replay", "print the series that the journal adds up to, as Prometheus would scrape them"),
    ):
        action = actions.add_parser(name, help=meaning, description=f"{meaning[:1].upper()}{meaning[1:]}.")
        action.add_argument("folder", metavar="FOLDER", type=Path, help="that of --storage.path")
    return parser
