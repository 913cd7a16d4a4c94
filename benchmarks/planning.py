"""How well `capacity` plans and `causes` ranks, on busy hours of public series and on what is constructed.

    python -m benchmarks.planning [--data DIR]

- `M4` (`DIR/M4/Hourly-train.csv` and `Hourly-test.csv`): the busiest hour of each day, 7 to 14 days ahead,
  learnt from 14, 21 and 28 days: how often it stays below the upper edge, for which 0.95 is meant, and how
  often the largest of them all does, with and without growth. Every second series; by the others a width was
  chosen.
- Services with weekends, noise and growth: the same, up to 30 days ahead.
- Incidents of five kinds, as `tests.analyzer.incidents` makes them: how often the true cause is first, and
  among three.

Two minutes on one core. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.capacity.days import busy_hours
from airis_mon.analyzer.capacity.demand import demand
from airis_mon.analyzer.causes import rank
from airis_mon.analyzer.forecasting.outlook import outlook
from tests.analyzer.incidents import incident

Floats = NDArray[np.float64]
_LEVEL = 0.95
_DAY = 86400
_SEEDS = range(30_000, 30_300)
_AHEAD = (7, 14)


def m4(folder: Path) -> dict[str, list[float]]:
    """Return, by days of past and ahead: series, held, largest held; both without growth; median error."""
    pasts, futures = (_lines(folder / "M4" / f"Hourly-{part}.csv") for part in ("train", "test"))
    found: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for past, future in list(zip(pasts, futures, strict=True))[1::2]:
        whole = np.concatenate([past, future])
        busy = busy_hours(whole[len(whole) % 24 :])
        for known in (14, 21, 28):
            ahead = min(len(busy) - known, _AHEAD[1])
            if ahead < _AHEAD[0] or busy[:known].min() <= 0:
                continue
            truth = busy[known : known + ahead]
            grown = demand(busy[:known], ahead, _LEVEL)
            flat = outlook(busy[None, :known], _DAY, ahead, 2 * _LEVEL - 1)
            row = [float(np.mean(truth <= edge)) for edge in (grown.upper, flat.upper[0])]
            row += [float(truth.max() <= edge.max()) for edge in (grown.upper, flat.upper[0])]
            error = float(np.abs(grown.expected / truth - 1).mean())
            found[f"{known}d, {ahead}d ahead"].append((row[0], row[2], row[1], row[3], error))
    return {
        name: [
            len(rows),
            *np.mean(rows, axis=0)[:4].round(3).tolist(),
            round(float(np.median(rows, axis=0)[4]), 3),
        ]
        for name, rows in found.items()
    }


def services() -> dict[str, float]:
    """Return how many days stayed below the edge, by days of past, growth a week and what wanders."""
    found = {}
    for past in (14, 28, 56):
        for growth in (0.0, 0.05, -0.05):
            for wander in (0.0, 0.02):
                rng = np.random.default_rng(3)
                ahead = min(30, 2 * past)
                held = []
                for _ in range(200):
                    busy = _service(rng, past + ahead, growth, wander)
                    held.append(np.mean(busy[past:] <= demand(busy[:past], ahead, _LEVEL).upper))
                found[f"{past}d, {growth:+.0%}, wanders {wander:.0%}"] = round(float(np.mean(held)), 3)
    return found


def _service(rng: np.random.Generator, days: int, growth: float, wander: float) -> Floats:
    at = np.arange(days)
    off = rng.normal(0, 0.05, days)
    for n in range(1, days):
        off[n] += 0.3 * off[n - 1]
    level = np.cumsum(rng.normal(0, wander, days)) if wander else 0.0
    return np.asarray(100 * np.where(at % 7 >= 5, 0.7, 1.0) * np.exp(growth * at / 7 + off + level))


def incidents() -> dict[str, list[int]]:
    """Return, by kind: incidents, those whose cause is first, and among three."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for seed in _SEEDS:
        one = incident(seed)
        ranking = rank([one.symptom], one.signals, one.events, one.window)
        names = [candidate.name for candidate in ranking.candidates]
        place = next((n for n, name in enumerate(names, 1) if name.startswith(one.cause)), len(names) + 1)
        for kind in (one.kind, "all"):
            for n, counted in enumerate((True, place == 1, place <= 3)):
                found[kind][n] += counted
    return dict(found)


def _lines(file: Path) -> list[Floats]:
    with file.open(newline="") as text:
        rows = csv.reader(text)
        next(rows)
        return [np.array([float(cell) for cell in row[1:] if cell]) for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder that holds M4 (default: left out)")
    options = parser.parse_args()
    result: dict[str, object] = {"services": services(), "incidents": incidents()}
    if options.data is not None:
        result["m4_busy_hours"] = m4(options.data)
    for part in result.values():
        assert isinstance(part, dict)
        for name, figures in part.items():
            print(f"{name:28} {figures}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
