"""`airis-mon silence create|list|expire`: nobody else is told of an alert; to silence it is to take it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from airis_mon.cli import access, spells
from airis_mon.cli.documents import load
from airis_mon.cli.silences import MATCHERS_MAX, AlertmanagerError, Matcher, Silence, Silences
from airis_mon.cli.wording import plural, printable, problems
from airis_mon.spec import SpecError, did_you_mean


class UnknownMonitorError(Exception):
    """A monitor that no document declares; the text says which may be meant."""


def run(argv: Sequence[str], _cache: Path) -> int:
    """Return 0 when it was done, 1 when no Alertmanager did it, 2 on wrong usage."""
    parser = _parser()
    args = parser.parse_args(argv)
    now = datetime.now(UTC)
    try:
        silences = access.silences(args)
        if args.action == "create":
            print(_create(args, parser, silences, now))
        elif args.action == "list":
            for line in table(
                [one for one in silences.all(args.matchers) if args.expired or one.state != "expired"]
            ):
                print(line)
        else:
            for identifier in args.ids:
                silences.expire(identifier)
                print(f"{identifier} is expired")
    except SpecError as error:
        print(f"{error}\n\n{problems(error)}; nothing was silenced", file=sys.stderr)
        return 1
    except (AlertmanagerError, access.AccessError, UnknownMonitorError) as error:
        print(f"airis-mon silence: {error}", file=sys.stderr)
        return 1
    return 0


def _create(
    args: argparse.Namespace, parser: argparse.ArgumentParser, silences: Silences, now: datetime
) -> str:
    matchers = [*args.matchers]
    if args.monitor:
        matchers.append(Matcher.one_of("monitor", args.monitor))
    if not matchers:
        parser.error("what is to be silenced? write --monitor NAME, or matchers such as severity=page")
    if len(matchers) > MATCHERS_MAX:
        parser.error(f"{len(matchers)} matchers are too many; {MATCHERS_MAX} are allowed")
    try:
        spell = spells.spell(args, now)
    except ValueError as error:
        parser.error(str(error))
    if args.files:
        plain = [one.value for one in args.matchers if one.name == "monitor" and one.equal and not one.regex]
        _declared([*(args.monitor or ()), *plain], [one.name for one in load(args.files).monitors])
    identifier = silences.create(matchers, spell, args.author, args.comment)
    standing = silences.alerts(matchers)
    return (
        f"{identifier} silences {', '.join(map(str, matchers))} until {spells.shown(spell[1])}; "
        f"{plural(standing, 'alert')} of these {'stands' if standing == 1 else 'stand'} now"
    )


def _declared(names: Sequence[str], known: Sequence[str]) -> None:
    """Raise UnknownMonitorError for a name that no monitor has."""
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise UnknownMonitorError(f"there is no ModelMonitor `{name}` in these files; {hint}")


def table(silences: Sequence[Silence]) -> list[str]:
    """Return a line per silence, under a heading; one that says so where there is none."""
    if not silences:
        return ["there is no silence"]
    rows = [("ID", "STATE", "FROM", "UNTIL", "AUTHOR", "MATCHERS", "COMMENT")]
    for one in silences:
        matchers = ", ".join(map(str, one.matchers))
        times = spells.shown(one.starts), spells.shown(one.ends)
        rows.append(
            (one.id, one.state, *times, printable(one.author), printable(matchers), printable(one.comment))
        )
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return [
        "  ".join((*(text.ljust(width) for text, width in zip(row, widths, strict=False)), *row[4:]))
        for row in rows
    ]


def matcher(text: str) -> Matcher:
    """Return the matcher of a command line."""
    try:
        return Matcher.parsed(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="airis-mon silence", description=__doc__, allow_abbrev=False)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = actions.add_parser(
        "create", help="silence alerts from now on, or from a time", allow_abbrev=False
    )
    create.add_argument(
        "matchers", nargs="*", type=matcher, metavar="MATCHER",
        help="what is silenced, such as severity=page or objective=~a|b; all have to match",
    )  # fmt: skip
    create.add_argument(
        "--monitor", action="append", metavar="NAME", help="alerts of this ModelMonitor; several: of any"
    )
    create.add_argument(
        "-f", "--file", dest="files", action="append", metavar="FILE",
        help="documents: refuse a monitor that is not among them; several times",
    )  # fmt: skip
    spells.add_arguments(create)
    listing = actions.add_parser("list", help="show silences that stand or will", allow_abbrev=False)
    listing.add_argument("matchers", nargs="*", type=matcher, metavar="MATCHER", help="those that match only")
    listing.add_argument("--expired", action="store_true", help="those as well that have ended")
    expire = actions.add_parser("expire", help="end silences now", allow_abbrev=False)
    expire.add_argument("ids", nargs="+", metavar="ID", help="as `list` shows it")
    for action in (create, listing, expire):
        access.add_arguments(action)
    return parser
