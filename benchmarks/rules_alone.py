"""How well `engine: rules` pages: the very rules that are emitted, evaluated by a real Prometheus.

    python -m benchmarks.rules_alone --data DIR [--sets NAB,MS] [--every N]

DIR holds public sets as `benchmarks.labelled` reads them; figures are those of `benchmarks.accuracy`, which
measures the analyzer. A series is put on a grid of its own step, and is given as the reading. Minutes; the
last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

from airis_mon.analyzer import series as analyzer
from airis_mon.cli.page_replay.workbench import Grid, Workbench, workbench
from airis_mon.rules.expectation import Expectation, expectations
from airis_mon.spec import Anomaly, Model, Monitor, Source
from airis_mon.stack import servers
from benchmarks.labelled import SETS, Flags, Series
from benchmarks.paging import counts, pooled

_PER_SET = ("page_f1", "precision", "recall", "false_pages_per_series_week", "clean_pages_per_series_week")


def expected(name: str) -> Expectation:
    """Return what rules expect of a signal that is no ratio, at its defaults."""
    anomaly = Anomaly("requests_waiting")
    source = Source("vllm", {"job": "any"})
    (found,) = expectations(Monitor(name, Model(name), source, anomalies=(anomaly,), engine="rules"))
    return found


def firing(bench: Workbench, series: Series, name: str) -> Flags:
    """Return at which samples the recorded score is 1 or more."""
    step = round(series.step)
    places = np.rint((series.timestamps - series.timestamps[0]) / step).astype(np.int64)
    start = int(series.timestamps[0]) * 1000
    at = [start + place * step * 1000 for place in places.tolist()]
    grid, about = Grid(start, at[-1], step * 1000), expected(name)
    given = {moment: float(value) for moment, value in zip(at, series.values, strict=True)}
    known = {moment: value for moment, value in given.items() if math.isfinite(value)}
    bench.record(analyzer.ACTUAL, about.labels, {(): known}, grid)
    scores: dict[int, float] = {}
    _, *stages = about.groups()
    for group in stages:
        for rule in group.rules:
            values = bench.evaluate(rule["expr"], grid)
            bench.record(rule["record"], rule["labels"], values, grid)
            if rule["record"] == analyzer.SCORE:
                for one in values.values():  # while there is a band, and before
                    scores.update(one)
    return np.array([scores.get(moment, 0.0) >= 1 for moment in at], dtype=np.bool_)


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="benchmarks.rules_alone")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the public sets")
    parser.add_argument("--sets", default=",".join(SETS), help="which of them (default: %(default)s)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="one of N series (1)")
    options = parser.parse_args()
    server = servers.find("prometheus", given=None, cache=servers.default_cache(os.environ), notify=print)
    found: dict[str, dict[str, float]] = {name: {} for name in _PER_SET}
    with tempfile.TemporaryDirectory(prefix="airis-mon-rules-") as name:
        for chosen in options.sets.split(","):
            rows = []
            with workbench(server, Path(name) / chosen) as bench:
                every = list(SETS[chosen](options.data))[:: options.every]
                for place, series in enumerate(every):
                    rows.append(counts(series, firing(bench, series, f"{chosen.lower()}-{place}")))
                    print(f"{chosen} {place + 1}/{len(every)}", file=sys.stderr, flush=True)
            figures = pooled(rows)
            print(chosen, *(f"{key}={value:.3f}" for key, value in figures.items()), flush=True)
            for key in _PER_SET:
                found[key][chosen] = round(figures[key], 4)
    found["page_f1"]["macro"] = round(statistics.fmean(found["page_f1"].values()), 4)
    print(json.dumps({"prometheus": str(server), **found}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
