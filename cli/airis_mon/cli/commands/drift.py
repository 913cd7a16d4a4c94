"""`airis-mon drift reference FILE.csv`: bins and shares of past data, which drift is told by."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from airis_mon.cli.wording import plural
from airis_mon.instrument import InvalidReference, reference_of_csv


def run(argv: Sequence[str], _cache: Path) -> int:
    """Return 0 when the reference was written, 1 where the file holds none."""
    args = _parser().parse_args(argv)
    try:
        made = reference_of_csv(args.file, args.features, args.bins, args.top)
    except InvalidReference as error:
        print(f"airis-mon drift: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"airis-mon drift: cannot read {args.file}: {error.strerror}", file=sys.stderr)
        return 1
    text = made.reference.text()
    if args.output is None:
        print(text, end="")
    else:
        Path(args.output).write_text(text, encoding="utf-8")
        features = plural(len(made.reference.features), "feature")
        print(f"{args.output}: {features} of {plural(made.reference.rows, 'row')}")
    for name in made.left_out:
        print(f"left out: {name[:60]} (nothing in it, or nearly every value another one)", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="airis-mon drift", description=__doc__, allow_abbrev=False)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    reference = actions.add_parser(
        "reference",
        help="make a reference of a CSV file",
        description="Read a CSV file with a header, such as the data that the model was trained with, and "
        "write its features' bins and shares as JSON. The application counts by them "
        "(`Instruments().predictor(reference=...)`), and a document names the file (`drift.reference`).",
        allow_abbrev=False,
    )
    reference.add_argument("file", metavar="FILE.csv", help="past data, a row for each prediction")
    reference.add_argument("-o", "--output", metavar="FILE.json", help="where to write (default: print it)")
    reference.add_argument(
        "--feature",
        dest="features",
        action="append",
        default=[],
        metavar="NAME",
        help="column to take; may be repeated (default: all that bins can be made of)",
    )
    reference.add_argument(
        "--bins", type=int, default=10, metavar="N", help="bins of a number, of equal share (default: 10)"
    )
    reference.add_argument(
        "--top", type=int, default=10, metavar="N", help="values of a text with a bin each (default: 10)"
    )
    return parser
