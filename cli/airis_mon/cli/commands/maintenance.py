"""`airis-mon maintenance start|end|list`: nobody is told while models are worked on.

A Maintenance document that comes once is silenced by its name; one that comes again is in the routes already.
Without a document, `start` silences a selection at once; records and dashboards then know nothing of it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from airis_mon.cli import access, spells
from airis_mon.cli.commands.silence import table
from airis_mon.cli.documents import load
from airis_mon.cli.silences import AlertmanagerError, Matcher, Silence, Silences
from airis_mon.cli.wording import plural, problems
from airis_mon.spec import Bundle, Maintenance, SpecError

_LONGEST_NAME = 63


class UnplannedError(Exception):
    """A maintenance that cannot be started, and why."""


def run(argv: Sequence[str], _cache: Path) -> int:
    """Return 0 when it was done, 1 when it was not, 2 on wrong usage."""
    parser = _parser()
    args = parser.parse_args(argv)
    now = datetime.now(UTC)
    try:
        silences = access.silences(args)
        if args.action == "start":
            print(_start(args, parser, silences, now))
        elif args.action == "end":
            print(_end(args.name, silences))
        else:
            for line in _listed(silences, args.expired):
                print(line)
    except SpecError as error:
        print(f"{error}\n\n{problems(error)}; nothing was silenced", file=sys.stderr)
        return 1
    except (AlertmanagerError, access.AccessError, UnplannedError) as error:
        print(f"airis-mon maintenance: {error}", file=sys.stderr)
        return 1
    return 0


def _start(
    args: argparse.Namespace, parser: argparse.ArgumentParser, silences: Silences, now: datetime
) -> str:
    if args.files:
        if args.duration or args.until or args.begin or args.monitor or args.team or args.severity:
            parser.error("a document says itself what it is about and when; leave the other options out")
        matchers, spell, reason = _planned(args.name, load(args.files), now)
    else:
        if not (args.monitor or args.team):
            parser.error("what is worked on? write --monitor NAME or --team NAME, or -f FILE")
        if not (args.duration or args.until):
            parser.error("for how long? write --for DURATION or --until TIME")
        if args.comment is None:
            parser.error("why? write --comment TEXT")
        try:
            spell = spells.spell(args, now)
        except ValueError as error:
            parser.error(str(error))
        chosen = {"monitor": args.monitor, "team": args.team, "severity": args.severity}
        matchers = [Matcher.one_of(label, values) for label, values in chosen.items() if values]
        reason = args.comment
    standing = _of(args.name, silences)
    if len(standing) > 1:
        raise UnplannedError(f"`{args.name}` has {len(standing)} silences; end it before it is started again")
    # Started once more it is moved, not doubled.
    replacing = standing[0].id if standing and standing[0].matchers == tuple(matchers) else None
    if standing and replacing is None:
        raise UnplannedError(f"`{args.name}` has been started for other alerts; end it first")
    comment = f"{_marked(args.name)}{args.comment or reason}"
    silences.create(matchers, spell, args.author, comment, replacing)
    begin, end = map(spells.shown, spell)
    return f"{args.name}: {', '.join(map(str, matchers))} is silenced from {begin} until {end}"


def _planned(
    name: str, bundle: Bundle, now: datetime
) -> tuple[list[Matcher], tuple[datetime, datetime], str]:
    found = next((one for one in bundle.maintenance if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in bundle.maintenance) or "none"
        raise UnplannedError(f"there is no Maintenance `{name}` in these files; there are: {known}")
    if found.once is None:
        raise UnplannedError(
            f"`{name}` comes again by itself: the routes that `airis-mon build` writes are mute then"
        )
    end = datetime.fromtimestamp(found.once.end, UTC)
    if end <= now:
        raise UnplannedError(f"`{name}` ended at {spells.shown(end)}; write a new window")
    begin = max(datetime.fromtimestamp(found.once.begin, UTC), now)
    return _selected(found, bundle), (begin, end), found.reason


def _selected(maintenance: Maintenance, bundle: Bundle) -> list[Matcher]:
    # By monitors alone: a silence cannot say "of this team or this monitor".
    found = [Matcher.one_of("monitor", sorted(one.name for one in bundle.maintained(maintenance)))]
    return [*found, Matcher.one_of("severity", maintenance.severities)]


def _end(name: str, silences: Silences) -> str:
    standing = _of(name, silences)
    if not standing:
        raise UnplannedError(f"no maintenance `{name}` stands; `airis-mon maintenance list` shows what does")
    for one in standing:
        silences.expire(one.id)
    return f"{name}: {plural(len(standing), 'silence')} ended"


def _listed(silences: Silences, expired: bool) -> list[str]:
    found = [one for one in silences.all() if one.comment.startswith(_PREFIX)]
    shown = [one for one in found if expired or one.state != "expired"]
    return table(shown) if shown else ["there is no maintenance"]


_PREFIX = "[maintenance "


def _marked(name: str) -> str:
    """Return how the comment of its silence begins, which is how it is found again."""
    return f"{_PREFIX}{name}] "


def _of(name: str, silences: Silences) -> list[Silence]:
    return [one for one in silences.all() if one.state != "expired" and one.comment.startswith(_marked(name))]


def _name(text: str) -> str:
    if not 0 < len(text) <= _LONGEST_NAME or not all(one.isalnum() or one == "-" for one in text):
        raise argparse.ArgumentTypeError(
            f"`{text[:80]}` is no name; letters, digits and dashes, {_LONGEST_NAME} at most"
        )
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="airis-mon maintenance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    start = actions.add_parser("start", help="silence what is worked on", allow_abbrev=False)
    end = actions.add_parser("end", help="end its silence before its time", allow_abbrev=False)
    listing = actions.add_parser("list", help="show what stands or will", allow_abbrev=False)
    for action in (start, end):
        action.add_argument("name", type=_name, metavar="NAME", help="name of the maintenance")
    start.add_argument(
        "-f", "--file", dest="files", action="append", metavar="FILE",
        help="documents, among them the Maintenance of that name and its monitors; several times",
    )  # fmt: skip
    for option, what in (
        ("monitor", "alerts of this ModelMonitor"),
        ("team", "alerts of this team"),
        ("severity", "alerts of this severity only"),
    ):
        start.add_argument(
            f"--{option}", action="append", metavar="NAME", help=f"{what}; several times: of any"
        )
    spells.add_arguments(start, required=False)
    listing.add_argument("--expired", action="store_true", help="those as well that have ended")
    for action in (start, end, listing):
        access.add_arguments(action)
    return parser
