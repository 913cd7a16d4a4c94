"""How well the analyzer pages and forecasts, at its one default configuration: `replay` is what runs live.

    python -m benchmarks.accuracy --data DIR [--sets NAB,MS,M4,BizITObs] [--record FILE]

DIR holds public sets as `benchmarks.labelled` and `benchmarks.forecasts` read them; the latter says what is
measured of M4 and BizITObs. Of each of the others: `page_f1` and its parts, false pages
a week on each series, those on series without an incident, and for NAB its own score at the threshold as it
is. `page_f1_even` and `page_f1_odd` are of every other series: what is chosen by looking at one half is told
by the other.

Minutes on one core. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from airis_mon.analyzer.replay import anomaly_scores
from benchmarks import forecasts, record
from benchmarks.labelled import SETS, Flags, Series
from benchmarks.paging import counts, numenta, pooled

_FORECAST = ("M4", "BizITObs")
_PER_SET = ("page_f1", "precision", "recall", "false_pages_per_series_week", "clean_pages_per_series_week")
_HALVES = {"even": slice(0, None, 2), "odd": slice(1, None, 2)}


def detection(folder: Path, sets: Sequence[str]) -> dict[str, object]:
    """Return the figures of anomaly scores, printing them on the way."""
    found: dict[str, dict[str, float]] = {
        name: {} for name in (*_PER_SET, *(f"page_f1_{half}" for half in _HALVES))
    }
    numenta_scores: dict[str, float] = {}
    for name in sets:
        every = list(SETS[name](folder))
        fires = [_firing(series, f"{name} {n + 1}/{len(every)}") for n, series in enumerate(every)]
        rows = [counts(series, firing) for series, firing in zip(every, fires, strict=True)]
        figures = pooled(rows)
        _told(name, figures)
        for half, part in _HALVES.items():
            some = pooled(rows[part])
            _told(f"{name} {half}", some)
            found[f"page_f1_{half}"][name] = round(some["page_f1"], 4)
        for key in _PER_SET:
            found[key][name] = round(figures[key], 4)
        if name == "NAB":
            numenta_scores = {
                "nab_standard": round(numenta(every, fires), 2),
                "nab_low_fp": round(numenta(every, fires, 0.22), 2),
            }
    found["page_f1"]["macro"] = round(statistics.fmean(found["page_f1"].values()), 4)
    return {**found, **numenta_scores}


def _told(title: str, figures: Mapping[str, float]) -> None:
    print(title, *(f"{key}={value:.3f}" for key, value in figures.items()), flush=True)


def _firing(series: Series, progress: str) -> Flags:
    if sys.stderr.isatty():
        print(f"\r{progress} {series.name:60.60}", end="\r", file=sys.stderr, flush=True)
    return anomaly_scores(series.timestamps, series.values) >= 1


def main() -> int:
    """Print the figures; 2 where there is nothing to measure on."""
    parser = argparse.ArgumentParser(prog="benchmarks.accuracy", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the public sets")
    parser.add_argument(
        "--sets", default=",".join((*SETS, *_FORECAST)), help="which of them (default: %(default)s)"
    )
    record.add_argument(parser)
    options = parser.parse_args()
    sets = options.sets.split(",")
    unknown = [name for name in sets if name not in (*SETS, *_FORECAST)]
    if unknown or not options.data.is_dir():
        wrong = f"no set {', '.join(unknown)}" if unknown else f"no folder {options.data}"
        print(
            f"{wrong}; --data DIR holds folders of public sets, --sets {','.join((*SETS, *_FORECAST))}",
            file=sys.stderr,
        )
        return 2
    paged, forecast = ([name for name in sets if name in some] for some in (SETS, _FORECAST))
    found = detection(options.data, paged) if paged else {}
    figures = found | forecasts.skill(options.data, forecast)
    record.keep(options.record, figures)
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
