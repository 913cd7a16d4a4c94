"""A day of the demo's models, judged by the analyzer on a real server and read back from there.

    python -m benchmarks.day [--prometheus BIN ...] [--victoria-metrics BIN ...] [--record FILE]

Four days of the demo's two services, by their own instruments, are put into each server. The last day is
judged minute by minute, as `airis-mon analyzer backfill` does, and what was computed is kept. Then everything
is read by `query_range`, and each value has to be the one that was computed, at its time, with nothing beside
it, and nothing after a series has ended.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import requests

from airis_mon.analyzer import series
from airis_mon.analyzer.backfill.passes import Backfill
from airis_mon.analyzer.config import Query
from airis_mon.analyzer.query import HttpQuerier, Labels
from airis_mon.analyzer.schedule import Schedule
from airis_mon.demo import documents
from airis_mon.remote_write import HttpWriter, Sample, Writer, WriteResult
from airis_mon.spec import parse_duration
from airis_mon.stack import ports, servers
from airis_mon.stack import prometheus as prometheus_command
from airis_mon.stack.processes import Process
from airis_mon.stack.servers import Server
from benchmarks import record
from benchmarks import victoria_metrics as vm
from benchmarks.demo_past import DAY, SLOW, SLOW_FOR, DemoPast, make, queries
from benchmarks.readback import Course, Readback, compared

SCHEDULE = Schedule()
_RETENTION = 15 * DAY
_WINDOW = "2d"
"""`out_of_order_time_window`: the day lies before the newest blocks, which Prometheus has to allow."""
_SETTLED = 60.0
"""Seconds in which a server has to show what it has taken."""
_FRESH = {"nocache": "1"}
"""VictoriaMetrics gives its last answer about a past again, though it was filled in since. Others do not."""


class _Recorder:
    """Hands samples on, and keeps them."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.samples: list[Sample] = []

    def write(self, samples: Iterable[Sample]) -> WriteResult:
        found = tuple(samples)
        self.samples += found
        return self._writer.write(found)

    def close(self) -> None:
        self._writer.close()


@dataclass(frozen=True)
class Account:
    """What became of a day on one server."""

    server: str
    readback: Readback
    times: Mapping[str, float]
    """Share of the day's minutes with a value, by name and horizon; that of the signal that has the least."""
    held: Mapping[str, float]
    """Share of the values that came which lay within the band told `horizon` before."""
    incident: float
    """Share of the incident's minutes with a score of 1 or more of the time to the first token."""
    elsewhere: int
    """Minutes of the day with such a score of the same signal, but the incident's and two after it."""
    seconds: float
    """What judging, writing and reading back took."""


def day(name: str, url: str, past: DemoPast, asked: Sequence[Query]) -> Account:
    """Judge the day on the server at `url`, which has the past, and read it back."""
    began = time.monotonic()
    with (
        closing(HttpQuerier(url)) as querier,
        closing(_Recorder(HttpWriter(f"{url}/api/v1/write"))) as writer,
    ):
        judge = Backfill(querier, writer, SCHEDULE, stored=querier)
        for _ in judge.run(asked, past.begin, past.end):
            pass
    written: defaultdict[Labels, Course] = defaultdict(dict)
    for sample in writer.samples:
        labels = tuple(sorted(sample.labels.items()))
        written[labels][sample.timestamp_ms // 1000] = sample.value
    shown_by = time.monotonic() + _SETTLED
    while True:  # VictoriaMetrics shows what it has taken a few seconds later
        found = _read(url, past)
        readback = compared(written, found, SCHEDULE.interval)
        if not readback.missing or time.monotonic() > shown_by:
            break
        time.sleep(1)
    return Account(
        server=name,
        readback=readback,
        times=_times(past, found),
        held=_held(found),
        **_incident(past, found),
        seconds=time.monotonic() - began,
    )


def _read(url: str, past: DemoPast) -> dict[Labels, Course]:
    """Ask for all that the analyzer writes, as a dashboard does."""
    found = {}
    for name in series.RESULTS:
        form = {
            "query": f'{name}{{{series.MONITOR}!=""}}',
            "start": str(past.begin),
            "end": str(past.end),
            "step": str(SCHEDULE.interval),
            **_FRESH,
        }
        answer = requests.post(f"{url}/api/v1/query_range", data=form, timeout=60).json()
        assert answer["status"] == "success", answer
        for one in answer["data"]["result"]:
            found[tuple(sorted(one["metric"].items()))] = {int(at): float(v) for at, v in one["values"]}
    return found


def _times(past: DemoPast, found: Mapping[Labels, Course]) -> dict[str, float]:
    """Return the share of the day in which each kind of value was there, of the signal that had the least."""
    minutes = range(past.begin, past.end + 1, SCHEDULE.interval)
    signals: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
    for labels, course in found.items():
        pairs = dict(labels)
        name = pairs["__name__"]
        # An instance that is new has no expectation until it has a past.
        if name in (series.EXPECTED, series.SCORE) and "instance" not in pairs:
            kind = " ".join([name, *([pairs[series.HORIZON]] if series.HORIZON in pairs else [])])
            signals[kind, pairs[series.MONITOR], pairs[series.FOR]] |= course.keys()
    shares: defaultdict[str, float] = defaultdict(lambda: 1.0)
    for (kind, *_), there in sorted(signals.items()):
        shares[kind] = min(shares[kind], len(there & set(minutes)) / len(minutes))
    return dict(shares)


def _held(found: Mapping[Labels, Course]) -> dict[str, float]:
    """Return how much of what came lay in the bands of the forecasts that were due by the end of the day."""
    inside: defaultdict[str, list[bool]] = defaultdict(list)
    for labels, lower in found.items():
        pairs = dict(labels)
        horizon = pairs.pop(series.HORIZON, series.NOW)
        ahead = int(parse_duration(horizon))
        # Of longer ones too few are due within the day.
        if pairs.pop("__name__") != series.LOWER or not 0 < ahead <= DAY // 2:
            continue
        upper = found[_named(pairs, series.UPPER, horizon)]
        actual = found[_named(pairs, series.ACTUAL)]
        inside[horizon] += [
            low <= actual[at + ahead] <= upper[at] for at, low in lower.items() if at + ahead in actual
        ]
    return {horizon: sum(known) / len(known) for horizon, known in inside.items() if known}


def _named(pairs: Mapping[str, str], name: str, horizon: str = "") -> Labels:
    more = {series.HORIZON: horizon} if horizon else {}
    return tuple(sorted({**pairs, **more, "__name__": name}.items()))


def _incident(past: DemoPast, found: Mapping[Labels, Course]) -> dict[str, Any]:
    (course,) = (
        course
        for labels, course in found.items()
        if ("__name__", series.SCORE) in labels and (series.FOR, documents.FIRST_TOKEN) in labels
    )
    begin = past.begin + SLOW
    # A window of a minute has to fill first, and to pass afterwards.
    within = range(begin + 60, begin + SLOW_FOR + 1, SCHEDULE.interval)
    around = range(begin, begin + SLOW_FOR + 121)
    return {
        "incident": sum(course.get(at, 0.0) >= 1 for at in within) / len(within),
        "elsewhere": sum(score >= 1 and at not in around for at, score in course.items()),
    }


@contextmanager
def prometheus(server: Server, promtool: Server, past: DemoPast, folder: Path) -> Iterator[str]:
    """Yield the URL of a Prometheus that has the past, as blocks that promtool made of it."""
    data = folder / "data"
    for file in past.files:
        command = [str(promtool.path), "tsdb", "create-blocks-from", "openmetrics", "--quiet"]
        subprocess.run([*command, "--max-block-duration=24h", str(file), str(data)], check=True, timeout=120)
    config = folder / "prometheus.yml"
    config.write_text(f"storage: {{tsdb: {{out_of_order_time_window: {_WINDOW}}}}}\n", encoding="ascii")
    address = f"127.0.0.1:{ports.free_port()}"
    command_line = prometheus_command.command(
        server, config=config, data=data, address=address, retention=_RETENTION
    )
    process = Process(command_line, folder / "log")
    try:
        process.wait_ready()
        yield command_line.url
    finally:
        process.stop(deadline=0.0)


@contextmanager
def victoria_metrics(binary: Path, past: DemoPast, folder: Path) -> Iterator[str]:
    """Yield the URL of a VictoriaMetrics that has the past, by its own import of the same text."""
    with vm.running(binary, folder, days=_RETENTION // DAY) as url:
        for file in past.files:
            with file.open("rb") as text:
                requests.post(f"{url}/api/v1/import/prometheus", data=text, timeout=120).raise_for_status()
        _await(url, past)
        yield url


def _await(url: str, past: DemoPast) -> None:
    """Return once the server shows what it was given of every target."""
    counted = f'count(count by (instance) (last_over_time({{instance!=""}}[{_RETENTION}s])))'
    end = time.monotonic() + _SETTLED
    while time.monotonic() < end:
        form = {"query": counted, "time": str(past.end), **_FRESH}
        found = requests.post(f"{url}/api/v1/query", data=form, timeout=60).json()["data"]["result"]
        if found and float(found[0]["value"][1]) == len(past.files):
            return
        time.sleep(0.5)
    raise RuntimeError(f"{url} does not show what it has taken after {_SETTLED:g} s")


def main() -> int:
    """Go through the day on each server; 1 where one does not say what was computed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for option in ("--prometheus", "--victoria-metrics"):
        parser.add_argument(
            option,
            type=Path,
            action="append",
            default=[],
            metavar="BIN",
            help="beside Debian's; may be repeated",
        )
    parser.add_argument("--promtool", type=Path, metavar="BIN", help="makes the blocks (default: Debian's)")
    record.add_argument(parser)
    arguments = parser.parse_args()
    cache = servers.default_cache(os.environ)
    promtool = servers.find("promtool", given=arguments.promtool, cache=cache)
    accounts = []
    with tempfile.TemporaryDirectory(prefix="airis-day-") as name:
        folder = Path(name)
        began = time.monotonic()
        past = make(folder, int(time.time()) // DAY * DAY)
        print(f"{past.samples:,} samples of four days made in {time.monotonic() - began:.0f} s", flush=True)
        asked = queries(folder)
        starts: list[tuple[str, Callable[[Path], AbstractContextManager[str]]]] = []
        for given in [None, *arguments.prometheus]:
            server = servers.find("prometheus", given=given, cache=cache)
            title = f"Prometheus {'.'.join(map(str, server.version))}"
            starts.append((title, partial(prometheus, server, promtool, past)))
        for given in [None, *arguments.victoria_metrics]:
            binary = vm.find(given)
            starts.append((f"VictoriaMetrics {vm.version(binary)}", partial(victoria_metrics, binary, past)))
        for number, (title, start) in enumerate(starts):
            print(f"{title} ...", flush=True)
            place = folder / f"server-{number}"
            place.mkdir()
            with start(place) as url:
                accounts.append(day(title, url, past, asked))
            last = accounts[-1]
            told = "as it was computed" if last.readback.faithful else "NOT as it was computed"
            print(f"  {last.readback.values:,} values, {told}, in {last.seconds:.0f} s", flush=True)
    figures = {"servers": [asdict(account) for account in accounts]}
    record.keep(arguments.record, figures)
    print(json.dumps(figures))
    return 0 if all(account.readback.faithful for account in accounts) else 1


if __name__ == "__main__":
    sys.exit(main())
