"""`airis-mon COMMAND`: finds the command, and loads nothing that this command does not need."""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from airis_mon.stack import servers


@dataclass(frozen=True)
class Entry:
    """Where a command lives."""

    module: str
    summary: str
    extra: str
    """What has to be installed for it: `pip install "airis-mon[EXTRA]"`."""
    own: bool = True
    """Own commands are `run(argv, cache)`; those of other packages are `main(argv)`."""


COMMANDS: Mapping[str, Entry] = {
    "check": Entry("airis_mon.cli.commands.check", "report every problem of every file", "cli"),
    "build": Entry("airis_mon.cli.commands.build", "derive rules, routes, dashboards; prove them", "cli"),
    "import": Entry("airis_mon.cli.commands.adoption", "take rules that you have over as a document", "cli"),
    "diff": Entry("airis_mon.cli.commands.diff", "say what a build would change", "cli"),
    "apply": Entry(
        "airis_mon.cli.commands.apply", "put files in place at once, have servers read them", "cli"
    ),
    "up": Entry("airis_mon.cli.commands.up", "start Prometheus, Alertmanager, sidecar, analyzer", "stack"),
    "page-replay": Entry(
        "airis_mon.cli.commands.page_replay", "who would have been paged, by past data", "stack"
    ),
    "capacity": Entry("airis_mon.cli.commands.capacity", "how many replicas are needed by when", "stack"),
    "rightsize": Entry("airis_mon.cli.commands.rightsize", "what containers should request", "stack"),
    "canary": Entry("airis_mon.cli.commands.canary", "is a new version as good as the old one", "stack"),
    "trend": Entry("airis_mon.cli.commands.trend", "what has changed, since when, and how fast", "stack"),
    "causes": Entry("airis_mon.cli.commands.causes", "what changed before an incident, ranked", "stack"),
    "maintenance": Entry(
        "airis_mon.cli.commands.maintenance", "tell nobody while models are worked on", "cli"
    ),
    "silence": Entry("airis_mon.cli.commands.silence", "make, list and end silences", "cli"),
    "doctor": Entry("airis_mon.cli.commands.doctor", "say what is missing and what to type", ""),
    "schema": Entry("airis_mon.cli.commands.schema", "print the JSON Schema of the documents", "cli"),
    "contracts": Entry("airis_mon.cli.commands.contracts", "list model servers and their signals", ""),
    "drift": Entry("airis_mon.cli.commands.drift", "make the reference that drift is told by", ""),
    "replay": Entry(
        "airis_mon.traces.command", "send a trace of AI traffic to a sidecar", "stack", own=False
    ),
    "demo": Entry(
        "airis_mon.demo.command", "real models, one incident from cause to page", "demo", own=False
    ),
    "sidecar": Entry("airis_mon.sidecar.service", "take metrics and events over HTTP", "sidecar", own=False),
    "journal": Entry(
        "airis_mon.sidecar.inspection", "check, dump or add up a sidecar's journal", "sidecar", own=False
    ),
    "analyzer": Entry("airis_mon.analyzer.service", "forecast, score, write back", "analyzer", own=False),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused or failed, 2 wrong usage."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        try:
            return _run(words)
        finally:
            # What could not be written has to be known here, where it can be said and be an exit code.
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has left (`| head`); nothing is left to say, also not while flushing.
        _silence()
        return 1
    except OSError as error:
        _silence()
        where = f": {error.filename}" if error.filename is not None else ""
        print(f"{' '.join(['airis-mon', *words[:1]])}: {error.strerror or error}{where}", file=sys.stderr)
        return 1


def _silence() -> None:
    """Let what is still unwritten go nowhere: the interpreter flushes once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(words: Sequence[str]) -> int:
    if not words or words[0] not in COMMANDS:
        return _usage(words)
    name, rest = words[0], words[1:]
    entry = COMMANDS[name]
    try:
        module = importlib.import_module(entry.module)
        if entry.own:
            return int(module.run(rest, servers.default_cache(os.environ)))
        return int(module.main(rest))
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("", "airis_mon"):
            raise
        print(
            f'airis-mon {name} needs {missing}: pip install "airis-mon[{entry.extra or "cli"}]"',
            file=sys.stderr,
        )
        return 1


def _usage(words: Sequence[str]) -> int:
    width = max(map(len, COMMANDS))
    parser = argparse.ArgumentParser(
        prog="airis-mon",
        usage="airis-mon COMMAND ...",
        description="Monitoring for AI models: one document per model, everything else is derived from it.",
        epilog="commands:\n"
        + "\n".join(f"  {name:{width}}  {entry.summary}" for name, entry in COMMANDS.items())
        + "\n\n`airis-mon COMMAND --help` explains one.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"airis-mon {_version()}")
    parser.add_argument("command", nargs="?", metavar="COMMAND", help="one of those below")
    command = parser.parse_known_args(words)[0].command
    if command is None:
        parser.print_help(sys.stderr)
        return 2
    close = difflib.get_close_matches(command, COMMANDS, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"choose one of {', '.join(COMMANDS)}"
    print(f"airis-mon: there is no command `{command}`; {hint}", file=sys.stderr)
    return 2


def _version() -> str:
    # It reads the packages of the whole environment into memory: for those who ask alone.
    from importlib import metadata

    try:
        return metadata.version("airis-mon")
    except metadata.PackageNotFoundError:
        return "(not installed)"
