"""`airis-mon import RULES.yaml -o monitor.yaml`: the rules you have, as a ModelMonitor where it fits."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from airis_mon.cli.documents import text_of
from airis_mon.cli.wording import plural, problems
from airis_mon.exporters.contracts import CONTRACTS
from airis_mon.rules.adoption import Adoption, Wanted, adopt
from airis_mon.spec import SpecError

_TAKEN, _LEFT = "taken over", "left"


def run(argv: Sequence[str], _cache: Path) -> int:
    """Return 0 when a document was written, 1 when nothing fits or the file cannot be read."""
    args = _parser().parse_args(argv)
    name = args.name or _name(args.rules)
    wanted = Wanted(name, args.model or name, args.contract, dict(args.selector))
    try:
        adoption = adopt(args.rules, text_of(args.rules), wanted)
    except SpecError as error:
        print(f"{error}\n\n{problems(error)}", file=sys.stderr)
        return 1
    print(_told(adoption), file=sys.stderr)
    if not adoption.document:
        print("nothing of it fits into a ModelMonitor; no document was written", file=sys.stderr)
        return 1
    if args.output is None:
        print(adoption.document, end="")
        return 0
    try:
        with args.output.open("x", encoding="utf-8") as file:
            file.write(adoption.document)
    except FileExistsError:
        print(f"{args.output} exists; name another file, or remove it", file=sys.stderr)
        return 1
    print(
        f"{args.output} is written; next: add `alerting.escalation`, without which nobody hears of its "
        f"alerts, and airis-mon check {args.output}",
        file=sys.stderr,
    )
    return 0


def _named(text: str) -> str:
    """Return the name that was asked for."""
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", text):
        message = f"`{text}` is not a name; write lower-case letters, digits and dashes"
        raise argparse.ArgumentTypeError(message)
    return text


def _label(text: str) -> tuple[str, str]:
    """Return label and value."""
    label, equal, value = text.partition("=")
    if not equal or not value or not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", label):
        raise argparse.ArgumentTypeError(f"`{text}` is no label with its value; write job=vllm")
    return label, value


def _name(path: str) -> str:
    """Return a name for the monitor, from that of the file."""
    stem = Path(path).name.partition(".")[0].lower()
    words = "".join(one if one.isascii() and one.isalnum() else " " for one in stem).split()
    return "-".join(words)[:50].strip("-") or "imported"


def _told(adoption: Adoption) -> str:
    """Return a line for each rule: what it became, or why it was left."""
    lines = [
        f"line {verdict.line:5}  {_TAKEN if verdict.taken else _LEFT:10}  {verdict.rule}: {verdict.what}"
        for verdict in adoption.verdicts
    ]
    taken = sum(verdict.taken for verdict in adoption.verdicts)
    return "\n".join([*lines, f"{taken} of {plural(len(lines), 'rule')} taken over"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="airis-mon import",
        description=__doc__,
        epilog="Burn-rate alerts (of Sloth, of Pyrra, or after the SRE workbook) become objectives, alerts "
        "on a signal of a contract become thresholds, and absent() is told by alerts that every monitor has. "
        "Of each rule is said what it became, or why it was left: what is left stays in its file.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "rules", metavar="RULES", help="rules of Prometheus, plain or a PrometheusRule (YAML)"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE",
        help="document to write (default: print it)")  # fmt: skip
    parser.add_argument("--name", type=_named, help="name of the monitor (default: that of the file)")
    parser.add_argument("--model", help="name of the model (default: that of the monitor)")
    parser.add_argument(
        "--contract",
        choices=sorted(CONTRACTS),
        help="kind of server whose series are read (default: the one that knows most of them)",
    )
    parser.add_argument(
        "--selector",
        type=_label,
        action="append",
        default=[],
        metavar="LABEL=VALUE",
        help="label that selects the model's series; again for another one (default: those of most rules)",
    )
    return parser
