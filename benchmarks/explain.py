"""Pictures of incidents that were found and of pages that were false, on public series with known incidents.

    python -m benchmarks.explain --data DIR -o FOLDER [--set NAB] [--found 6] [--false 2]

DIR holds public sets as `benchmarks.labelled` reads them. For each chosen moment FOLDER gets what
`airis-mon analyzer explain` makes of it: NAME.png and NAME.html, in the days around it. Chosen are those
that scored the most: of each series one incident, and of others one false page. The pictures show the data:
the licence of the set says who may see them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.explanation import picture
from airis_mon.analyzer.explanation.account import Account, account, reasoned
from airis_mon.analyzer.explanation.episodes import in_incident
from airis_mon.analyzer.explanation.page import page
from airis_mon.analyzer.explanation.reasons import headline
from airis_mon.analyzer.recording import Recording, of_samples
from benchmarks.labelled import SETS, Series

_BEFORE, _AFTER = 10 * 86400, 4 * 86400
"""Seconds around the moment that are drawn; what is learnt from is all that lies before."""
_CLEAR = 86400
"""Seconds between a false page and the next incident."""


@dataclass(frozen=True)
class Moment:
    """One page, and whether it was right."""

    series: Series
    at: int
    score: float
    true: bool


def moments(series: Series) -> Iterator[Moment]:
    """Yield the best found incident of a series, and its worst false page."""
    recording = of_samples(series.timestamps, series.values)
    if recording is None:
        return
    found = _account(series, recording)
    at, score = found.course.timestamps, found.course.score
    judged = [each for each in found.episodes if each.first >= series.warm_up and each.told]
    for true in (True, False):
        fitting = [each for each in judged if _is(found, int(at[each.peak]), true)]
        if fitting:
            best = max(fitting, key=lambda each: score[each.peak])
            yield Moment(series, int(at[best.peak]), float(score[best.peak]), true)


def _is(found: Account, at: int, true: bool) -> bool:
    """Return whether a page is right, or so far from every incident that it is not early or late either."""
    if true:
        return in_incident(found.course, at, found.incidents)
    return all(not begin - _CLEAR <= at <= end + _CLEAR for begin, end in found.incidents)


def _account(series: Series, recording: Recording, at: int | None = None) -> Account:
    known = [
        (int(series.timestamps[first]), int(series.timestamps[last])) for first, last in series.incidents
    ]
    query = Query("public", "series", series.name, "")
    return account(series.name, recording, query, at=at, incidents=known)


def chosen(every: list[Moment], true: int, false: int) -> list[Moment]:
    """Return the moments with the highest scores: of a series one incident, and of others one false page."""
    ordered = sorted(every, key=lambda moment: -moment.score)
    found = [moment for moment in ordered if moment.true][:true]
    taken = {moment.series.name for moment in found}
    others = [moment for moment in ordered if not moment.true and moment.series.name not in taken]
    return found + others[:false]


def draw(moment: Moment, folder: Path) -> str:
    """Write page and picture of a moment, and return what they say."""
    series = moment.series
    near = (series.timestamps >= moment.at - _BEFORE) & (series.timestamps <= moment.at + _AFTER)
    recording = of_samples(series.timestamps, series.values)
    if recording is None:
        raise ValueError(f"{series.name} is too short")
    first, last = np.flatnonzero(near)[[0, -1]]
    some = recording.part(int(first), int(last))
    found = reasoned(_account(series, some, moment.at), some)
    name = ("found-" if moment.true else "false-") + series.name.replace("/", "-").removesuffix(".csv")
    picture.write(found, folder / f"{name}.png")
    (folder / f"{name}.html").write_text(page(found), encoding="utf-8")
    return f"{name}: {headline(found.why)}" if found.why is not None else name


def main() -> int:
    """Write the pictures; 2 where there is nothing to draw."""
    parser = argparse.ArgumentParser(prog="benchmarks.explain", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the public sets")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="where to write")
    parser.add_argument("--set", choices=tuple(SETS), default="NAB", help="which set (default: %(default)s)")
    parser.add_argument("--found", type=int, default=6, help="incidents that were found (default: 6)")
    parser.add_argument("--false", type=int, default=2, help="false pages (default: 2)")
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"no folder {options.data}; it holds folders of public sets", file=sys.stderr)
        return 2
    options.output.mkdir(parents=True, exist_ok=True)
    every: list[Moment] = []
    for series in SETS[options.set](options.data):
        every += moments(series)
        if sys.stderr.isatty():
            print(f"\r{series.name:70.70}", end="\r", file=sys.stderr, flush=True)
    for moment in chosen(every, options.found, options.false):
        print(draw(moment, options.output), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
