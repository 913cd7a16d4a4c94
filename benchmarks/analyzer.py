"""How fast the analyzer fits and scores, beside statsmodels' exponential smoothing of the same series.

Series of 2,016 points, a week of five minutes, with a daily season. Seconds are those of one processor, so
that others on the machine change little.

- `fit_series_per_second`: from history to expectation, band and level (`seasonal.fit`), 200 series at a time.
- `ratio_statsmodels`: that beside `ExponentialSmoothing` (additive, damped, season of a day) of some of them.
- `score_points_per_second`: new points scored by a fitted model.
- `fit_growth_exponent`: how the time of fits grows from 200 to 2,000 series; 1 is linear.
- the rest is what `benchmarks.fleet` tells of cycles with a real Prometheus; `--no-fleet` leaves it out.

    python -m benchmarks.analyzer [--no-fleet] [--series N] [--days N] [--sizes N ...] [--prometheus BIN]
                                  [--record FILE]

The last line is one JSON object.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from statsmodels.tsa.holtwinters import ExponentialSmoothing

from airis_mon.analyzer.methods.seasonal import Settings, fit
from benchmarks import fleet, record

STEP = 300
DAY = 86400 // STEP
POINTS = 7 * DAY
AT_ONCE = 200
ROUNDS = 3
PEERS = 2
SETTINGS = Settings(STEP)

Floats = NDArray[np.float64]


def series(count: int) -> Floats:
    """Return (count, 2016): a day's season, noise, and a level that walks."""
    chance = np.random.default_rng(1)
    phase, size = chance.uniform(0, 2 * math.pi, (count, 1)), chance.uniform(1, 10, (count, 1))
    season = size * np.sin(2 * math.pi * np.arange(POINTS) / DAY + phase)
    walk = np.cumsum(chance.normal(0, 0.02, (count, POINTS)), axis=1)
    return np.asarray(100 + season + walk + chance.normal(0, 0.3, (count, POINTS)))


def took(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the seconds that some work took, the median of some rounds."""
    found = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return statistics.median(found)


def fits(values: Floats) -> None:
    """Fit all rows, some at a time."""
    for first in range(0, len(values), AT_ONCE):
        fit(values[first : first + AT_ONCE], SETTINGS)


def smoothing(values: Floats) -> None:
    """Fit each row as statsmodels does."""
    for row in values:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it may not have converged is its own affair
            model = ExponentialSmoothing(
                row, trend="add", damped_trend=True, seasonal="add", seasonal_periods=DAY
            )
            model.fit().forecast(1)


def measure() -> dict[str, float]:
    """Return the figures."""
    many = series(10 * AT_ONCE)
    few = took(lambda: fits(many[:AT_ONCE]))
    all_of_them = took(lambda: fits(many), 1)
    peer = took(lambda: smoothing(many[:PEERS]), 1) / PEERS
    model = fit(many[:AT_ONCE], SETTINGS)
    rows = np.arange(500 * AT_ONCE) % AT_ONCE
    points = many[rows, -1]
    scored = took(lambda: model.scores(points, STEP, rows=rows))
    return {
        "fit_series_per_second": round(AT_ONCE / few, 1),
        "ratio_statsmodels": round(peer / (few / AT_ONCE), 1),
        "score_points_per_second": round(len(points) / scored),
        "fit_growth_exponent": round(math.log(all_of_them / few) / math.log(10), 3),
    }


def main(argv: Sequence[str]) -> int:
    """Measure both, and print one line."""
    alone = "--no-fleet" in argv
    others = [argument for argument in argv if argument != "--no-fleet"]
    parser = fleet.parser("python -m benchmarks.analyzer")
    record.add_argument(parser)
    options = parser.parse_args(others)
    found: dict[str, object] = dict(measure())
    print(f"  {json.dumps(found)}", flush=True)
    if not alone:
        found |= fleet.measure(options.series, options.days, options.sizes, options.prometheus)
    record.keep(options.record, found)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
