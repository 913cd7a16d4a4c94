"""The past as Prometheus would have scraped it, and its way there: OpenMetrics text and promtool."""

from __future__ import annotations

import math
import subprocess
import tempfile
import time
from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from airis_mon.demo.past import Past

PROMTOOL_DEADLINE = 120.0
"""Seconds; it takes a tenth of that."""


class BackfillError(Exception):
    """promtool did not take the history; the text is what it said."""


@dataclass
class _Series:
    """One series: its name and labels as exposed, and a value per scrape."""

    name: str
    labels: tuple[tuple[str, str], ...]
    values: array[float]
    """NaN before the series first appears."""


@dataclass
class _Family:
    """One metric family of OpenMetrics."""

    kind: str
    series: dict[tuple[str, ...], _Series] = field(default_factory=dict)
    """By target, name of the sample, and label values."""


class History:
    """What a number of scrapes would have read, family by family."""

    def __init__(self) -> None:
        self._moments: list[float] = []
        self._families: dict[str, _Family] = {}

    @property
    def samples(self) -> int:
        """How many samples there are."""
        return sum(
            sum(not math.isnan(value) for value in series.values)
            for family in self._families.values()
            for series in family.series.values()
        )

    def scrape(self, moment: float, targets: Mapping[Past, Mapping[str, str]]) -> None:
        """Read all targets at `moment`, seconds since the epoch; the mapping gives each target's labels.

        Moments have to ascend, and targets have to be the same each time.
        """
        for number, (past, extra) in enumerate(targets.items()):
            for metric in past.registry.collect():
                family = self._families.setdefault(metric.name, _Family(metric.type))
                for sample in metric.samples:
                    if sample.name.endswith("_created"):
                        continue
                    key = (str(number), sample.name, *sample.labels.values())
                    series = family.series.get(key)
                    if series is None:
                        # A series that appears late was not there at the scrapes before.
                        absent = array("d", [math.nan]) * len(self._moments)
                        labels = (*sample.labels.items(), *extra.items())
                        series = family.series[key] = _Series(sample.name, labels, absent)
                    series.values.append(sample.value)
        self._moments.append(moment)

    def write(self, file: TextIO) -> None:
        """Write OpenMetrics text with timestamps, one family after the other."""
        stamps = [f" {moment:.3f}\n" for moment in self._moments]
        for name, family in self._families.items():
            file.write(f"# TYPE {name} {family.kind}\n")
            for series in family.series.values():
                file.writelines(_lines(series, stamps))
        file.write("# EOF\n")


def _lines(series: _Series, stamps: list[str]) -> Iterable[str]:
    labels = ",".join(f'{label}="{_escaped(value)}"' for label, value in series.labels)
    prefix = f"{series.name}{{{labels}}} "
    last, text = math.nan, ""
    for value, stamp in zip(series.values, stamps, strict=False):
        if value != last:
            last, text = value, repr(value)
        if text != "nan":
            yield f"{prefix}{text}{stamp}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def simulate(
    targets: Mapping[Past, Mapping[str, str]],
    start: float,
    interval: float,
    now: Callable[[], float],
    progress: Callable[[float], None] = lambda _: None,
) -> tuple[History, float]:
    """Live through the time from `start` until it has caught up with `now`, scraping at every `interval`.

    Returns the history and its last moment. `progress` is told the share that is done, 0 to 1. The clock runs
    on meanwhile, so the end is the very present: live load takes over where the past stops.
    """
    history = History()
    moment = start
    while (present := now()) > moment:
        for past in targets:
            past.run_until(moment)
        history.scrape(moment, targets)
        progress((moment - start) / (present - start))
        moment += interval
    for past in targets:
        past.run_until(present)
    history.scrape(present, targets)
    return history, present


def backfill(
    history: History,
    promtool: Path,
    database: Path,
    file: Path,
    tick: Callable[[], None] = lambda: None,
) -> None:
    """Write `history` to `file`, and turn it into blocks of the Prometheus database folder `database`.

    Prometheus must not run on that folder yet. `tick` is called several times a second while promtool works;
    what it raises ends promtool. Raises BackfillError.
    """
    with file.open("w", encoding="utf-8") as text:
        history.write(text)
    database.mkdir(parents=True, exist_ok=True)
    command = [str(promtool), "tsdb", "create-blocks-from", "openmetrics", "--quiet"]
    # One pass over the file per block: few large blocks cost a fraction of many small ones.
    command += ["--max-block-duration=24h", str(file), str(database)]
    with tempfile.TemporaryFile() as said:
        try:
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said) as process:
                _wait(process, tick)
        except OSError as error:
            raise BackfillError(f"{promtool}: {error}") from error
        said.seek(0)
        if process.returncode != 0:
            words = said.read().decode(errors="replace").strip()[-2000:]
            raise BackfillError(f"promtool refused the history: {words}")


def _wait(process: subprocess.Popen[bytes], tick: Callable[[], None]) -> None:
    end = time.monotonic() + PROMTOOL_DEADLINE
    try:
        while process.poll() is None:
            tick()
            if time.monotonic() > end:
                raise BackfillError(f"promtool did not take the history within {PROMTOOL_DEADLINE:g} s")
            time.sleep(0.05)
    finally:
        if process.returncode is None:
            process.kill()
