"""How well the analyzer forecasts at its one default configuration, and whether bands hold what they say.

    python -m benchmarks.forecasts --data DIR [--sets M4,BizITObs,NAB,MS] [--candidates LIST]

DIR holds public sets, none of which lies here:

- `M4`: `M4/Hourly-train.csv` and `M4/Hourly-test.csv` of the M4 competition: 414 series, 48 hours ahead, by
  the competition's own measures (OWA against its Naive2, MSIS and coverage of the 95 % band).
- `BizITObs`: `Application.csv` and `L2C.csv`: rolling windows of 60 or 48 steps, as ratios to a seasonal
  naive of a day: of the mean error, and of the mean interval score of the 80 % and the 95 % band.
- `NAB`, `MS`: as `benchmarks.labelled` reads them, four windows of 48 steps at the end of each, incidents and
  all; looked at for faults, not to choose by. Ratios as above, and coverage.

With `--candidates arima,ets_damped,theta`, forecasters of statsmodels, the sets tell what those are worth
beside our own: see `benchmarks.candidates`.

Minutes on one core. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from airis_mon.analyzer.replay import forecast
from airis_mon.spec import CANDIDATES
from benchmarks import candidates, record
from benchmarks.labelled import SETS as LABELLED
from benchmarks.labelled import Floats, Integers

_DAY = 86400
_NAIVE2 = (18.383, 2.395)
"""sMAPE and MASE of the competition's yardstick on the hourly series."""
_LEVELS = (0.8, 0.95)
_LEAST = 200
_TINY = 1e-12
_NEAR = 0.001
"""Part of a series' standard deviation that no error matters within."""

_BIZITOBS = (
    ("Application.csv", 10, 60, ("Robot-Shop:latency.mean", "Robot-Shop:calls.sum")),
    ("L2C.csv", 300, 48, ("Weekly", "activity_")),
)
"""File, seconds from value to value, horizon, and how the columns begin."""

Window = tuple[Integers, Floats, Floats]
"""Times, values known, values to come."""


def m4(folder: Path) -> dict[str, float]:
    """Return the competition's figures for its hourly series."""
    pasts, futures = (_lines(folder / "M4" / f"Hourly-{part}.csv") for part in ("train", "test"))
    rows = []
    for n, (past, future) in enumerate(zip(pasts, futures, strict=True)):
        _progress(f"M4 {n + 1}/{len(pasts)}")
        at = np.arange(len(past), dtype=np.int64) * 3600
        mean, lower, upper = forecast(at, past, len(future), 0.95)
        scale = np.abs(past[24:] - past[:-24]).mean()
        rows.append(
            (
                200 * np.mean(np.abs(future - mean) / (np.abs(future) + np.abs(mean))),
                np.abs(future - mean).mean() / scale,
                _interval(future, lower, upper, 0.95) / scale,
                np.mean((lower <= future) & (future <= upper)),
            )
        )
    smape, mase, msis, held = np.mean(rows, axis=0).tolist()
    owa = (smape / _NAIVE2[0] + mase / _NAIVE2[1]) / 2
    return {"m4_owa": owa, "m4_smape": smape, "m4_mase": mase, "m4_msis": msis, "coverage95": held}


def bizitobs(folder: Path) -> dict[str, float]:
    """Return ratios to the seasonal naive: the geometric mean over a file's variates, and over both files."""
    ratios = []
    for name, step, horizon, wanted in _BIZITOBS:
        variates = [*_variates(folder / "BizITObs" / name, wanted)]
        found = []
        for n, values in enumerate(variates):
            _progress(f"BizITObs {name} {n + 1}/{len(variates)}")
            at = np.arange(len(values), dtype=np.int64) * step
            count = min(max(1, -(-len(values) // (10 * horizon))), 20)
            found.append(_ratios([*_windows(at, values, horizon, count)])[:2])
        ratios.append(np.log(found).mean(axis=0))
    error, score = np.exp(np.mean(ratios, axis=0)).tolist()
    return {"bizitobs_mase_ratio": error, "bizitobs_crps_ratio": score}


def labelled(name: str) -> Callable[[Path], dict[str, float]]:
    """Return what measures the series of a set of `benchmarks.labelled`."""

    def measured(folder: Path) -> dict[str, float]:
        every = [*LABELLED[name](folder)]
        found = []
        for n, series in enumerate(every):
            _progress(f"{name} {n + 1}/{len(every)}")
            if len(series.values) > _LEAST + 4 * 48 and np.ptp(series.values[: -4 * 48]) > 0:
                found.append(_ratios([*_windows(series.timestamps, series.values, 48, 4)]))
        table = np.array(found)
        error, score = np.exp(np.log(table[:, :2]).mean(axis=0)).tolist()
        title = name.lower()
        return {
            f"{title}_mase_ratio": error,
            f"{title}_crps_ratio": score,
            f"{title}_coverage95": float(table[:, 2].mean()),
        }

    return measured


SETS: Mapping[str, Callable[[Path], dict[str, float]]] = {
    "M4": m4,
    "BizITObs": bizitobs,
    **{name: labelled(name) for name in LABELLED},
}


def recorded(name: str, folder: Path) -> list[candidates.Recorded]:
    """Return all that is known of the series of a set before its outcomes."""
    if name == "M4":
        return [(values, 3600) for values in _lines(folder / "M4" / "Hourly-train.csv")]
    if name == "BizITObs":
        files = ((folder / "BizITObs" / file, step, wanted) for file, step, _, wanted in _BIZITOBS)
        return [(values, step) for file, step, wanted in files for values in _variates(file, wanted)]
    return [(one.values, round(one.step)) for one in LABELLED[name](folder)]


def worth(folder: Path, sets: list[str], names: list[str]) -> dict[str, object]:
    """Return what candidates are worth on each set, printing it on the way."""
    found: dict[str, object] = {"candidates": names}
    for name in sets:
        found[name] = candidates.worth(recorded(name, folder), names)
        print(name, json.dumps(found[name]), flush=True)
    return found


def _ratios(windows: list[Window]) -> tuple[float, float, float]:
    """Return error and interval score as ratios to the seasonal naive, and the coverage of the 95 % band."""
    ours: list[tuple[float, float]] = []
    naive: list[tuple[float, float]] = []
    held: list[float] = []
    for at, past, future in windows:
        for rows, ask in ((ours, forecast), (naive, seasonal_naive)):
            bands = [ask(at, past, len(future), level) for level in _LEVELS]
            scores = [
                _interval(future, lower, upper, level)
                for level, (_, lower, upper) in zip(_LEVELS, bands, strict=True)
            ]
            rows.append((float(np.abs(future - bands[0][0]).mean()), float(np.mean(scores))))
            if ask is forecast:
                held.append(float(np.mean((bands[1][1] <= future) & (future <= bands[1][2]))))
    # Where both are next to right, a ratio would tell of rounding.
    least = len(windows) * (_NEAR * float(np.std(windows[0][1])) + _TINY)
    error, score = (np.sum(ours, axis=0) + least) / (np.sum(naive, axis=0) + least)
    return float(error), float(score), float(np.mean(held))


def seasonal_naive(
    timestamps: Integers, values: Floats, horizon: int, level: float
) -> tuple[Floats, Floats, Floats]:
    """Return the last day again, with the quantiles of what days differ from the day before."""
    season = min(max(1, round(_DAY / float(np.median(np.diff(timestamps))))), len(values))
    mean = np.resize(values[-season:], horizon)
    off = values[season:] - values[:-season] if len(values) > season else np.zeros(1)
    below, above = np.quantile(off, [(1 - level) / 2, (1 + level) / 2])
    return mean, mean + below, mean + above


def _interval(future: Floats, lower: Floats, upper: Floats, level: float) -> float:
    beyond = np.maximum(lower - future, 0) + np.maximum(future - upper, 0)
    return float(np.mean(upper - lower + 2 / (1 - level) * beyond))


def _windows(at: Integers, values: Floats, horizon: int, count: int) -> Iterator[Window]:
    for n in range(count, 0, -1):
        cut = len(values) - n * horizon
        yield at[:cut], values[:cut], values[cut : cut + horizon]


def _lines(path: Path) -> list[Floats]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [*csv.reader(file)][1:]
    return [np.array([float(text) for text in row[1:] if text]) for row in rows]


def _variates(path: Path, wanted: tuple[str, ...]) -> Iterator[Floats]:
    """Yield the numeric columns whose names begin as wanted, gaps bridged; constant ones are left out."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    for name, column in zip(header, zip(*rows, strict=True), strict=True):
        if not name.startswith(wanted):
            continue
        try:
            values = np.array([float(text) if text else np.nan for text in column])
        except ValueError:
            continue
        there = np.isfinite(values)
        values = np.interp(np.arange(len(values)), np.flatnonzero(there), values[there])
        if np.ptp(values) > 0:
            yield values


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:60}", end="\r", file=sys.stderr, flush=True)


def skill(folder: Path, sets: list[str]) -> dict[str, float]:
    """Return the figures of forecasts, printing them on the way."""
    found: dict[str, float] = {}
    for name in sets:
        figures = {key: round(value, 4) for key, value in SETS[name](folder).items()}
        print(name, *(f"{key}={value}" for key, value in figures.items()), flush=True)
        found |= figures
    return found


def main() -> int:
    """Print the figures; 2 where there is nothing to measure on."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.forecasts", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the public sets")
    parser.add_argument("--sets", default=",".join(SETS), help="which of them (default: %(default)s)")
    parser.add_argument(
        "--candidates", default="", metavar="LIST", help="what these are worth beside our own"
    )
    record.add_argument(parser)
    options = parser.parse_args()
    sets = options.sets.split(",")
    unknown = [name for name in sets if name not in SETS]
    if unknown or not options.data.is_dir():
        wrong = f"no set {', '.join(unknown)}" if unknown else f"no folder {options.data}"
        print(f"{wrong}; --data DIR holds folders of public sets, --sets {','.join(SETS)}", file=sys.stderr)
        return 2
    names = [name for name in options.candidates.split(",") if name]
    strange = [name for name in names if name not in CANDIDATES]
    if strange:
        print(f"{', '.join(strange)}: no candidate; --candidates {','.join(CANDIDATES)}", file=sys.stderr)
        return 2
    found = worth(options.data, sets, names) if names else skill(options.data, sets)
    record.keep(options.record, found)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
