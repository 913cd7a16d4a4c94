"""`airis-mon replay TRACE`: play a recorded trace into a sidecar, at any speed, and account for all of it."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from airis_mon.traces.delivery import DeliveryError, Receiver, Sidecar
from airis_mon.traces.formats import Survey, TraceError, read, survey
from airis_mon.traces.metrics import Labels, items
from airis_mon.traces.operations import Totals
from airis_mon.traces.playback import play

SIDECAR = "http://127.0.0.1:9466"
REPORT_EVERY = 5.0
"""Seconds between two lines of progress where there is no terminal."""


@dataclass(frozen=True)
class Report:
    """What a replay delivered."""

    totals: Totals
    seconds: float
    """How long it took by the clock on the wall."""
    failure: DeliveryError | None = None
    """Why it ended early; None where all of the trace was delivered."""


def replay(
    path: Path,
    labels: Labels,
    receiver: Receiver,
    speed: float,
    progress: Callable[[Totals], None],
) -> Report:
    """Play the trace at `path` into `receiver` and return what was delivered for certain."""
    began, totals = time.monotonic(), Totals()
    for batch in play(read(path), speed):
        try:
            receiver.post(items(batch, labels, time.time()))
        except DeliveryError as error:
            return Report(totals, time.monotonic() - began, error)
        totals = totals.plus(batch)
        progress(totals)
    return Report(totals, time.monotonic() - began)


def main(argv: Sequence[str]) -> int:
    """Run the command; 0 where everything was delivered, 1 where not, 2 for arguments that cannot be used."""
    parser = _parser()
    options = parser.parse_args(argv)
    trace: Path = options.trace
    try:
        labels = Labels(trace.stem if options.model is None else options.model)
    except ValueError as error:
        parser.error(f"argument --model: {error}")
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        # All of it is read once before any is sent: a broken line stops the replay while that is harmless.
        whole = survey(trace)
    except (TraceError, OSError) as error:
        said = _unreadable(trace, error) if isinstance(error, OSError) else error
        console.print(f"airis-mon replay: {said}", markup=False)
        return 1
    console.print(_announcement(trace, whole, options.speed, options.to), markup=False)
    sidecar = Sidecar(options.to, notify=lambda said: console.print(said, markup=False))
    try:
        report = _watched(trace, labels, sidecar, options.speed, whole, console)
    except KeyboardInterrupt:
        console.print("interrupted; what was sent stays counted", markup=False)
        return 130
    finally:
        sidecar.close()
    out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    _account(report, whole, labels, console if options.json else out)
    if options.json:
        sys.stdout.write(json.dumps(_summary(report)) + "\n")
    return 0 if report.failure is None else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="airis-mon replay",
        description="Play a recorded trace of LLM requests into a sidecar: the Azure LLM inference CSV or "
        "the Mooncake JSONL format, told apart by content.",
    )
    parser.add_argument("trace", type=Path, metavar="TRACE", help="the file to play")
    parser.add_argument(
        "--speed",
        type=_speed,
        default=1.0,
        metavar="N",
        help="trace seconds per second; `max` or 0 for as fast as the sidecar takes it (default: 1)",
    )
    parser.add_argument(
        "--to", default=SIDECAR, type=_url, metavar="URL", help=f"sidecar (default: {SIDECAR})"
    )
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="model name on the series (default: the file's name without its suffix)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    return parser


def _speed(text: str) -> float:
    if text == "max":
        return math.inf
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if math.isnan(speed) or speed < 0:
        raise argparse.ArgumentTypeError(f"`{text}` is no speed; write a number above 0, or `max`")
    return speed or math.inf


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"`{text}` is no URL; write one such as {SIDECAR}")
    return text


def _unreadable(trace: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{trace}: no such file"
    return f"{trace}: {(error.strerror or str(error)).lower()}"


def _announcement(trace: Path, whole: Survey, speed: float, url: str) -> str:
    takes = "as fast as possible" if math.isinf(speed) else f"in {whole.seconds / speed:.0f} s"
    return f"{trace}: {whole.totals.requests} requests over {whole.seconds:.0f} s, played {takes} to {url}"


def _watched(
    trace: Path, labels: Labels, receiver: Receiver, speed: float, whole: Survey, console: Console
) -> Report:
    """Replay with a bar on a terminal, and with a line every few seconds elsewhere."""
    if not console.is_terminal:
        last = time.monotonic()

        def line(totals: Totals) -> None:
            nonlocal last
            if time.monotonic() - last >= REPORT_EVERY:
                last = time.monotonic()
                console.print(f"{totals.requests} of {whole.totals.requests} requests")

        return replay(trace, labels, receiver, speed, line)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("requests", total=whole.totals.requests)
        return replay(
            trace, labels, receiver, speed, lambda totals: bar.update(task, completed=totals.requests)
        )


def _account(report: Report, whole: Survey, labels: Labels, console: Console) -> None:
    """Print what was delivered, and how to read it back."""
    totals = report.totals
    if report.failure is not None:
        console.print(f"airis-mon replay: {report.failure}", markup=False)
        console.print(
            f"stopped after {totals.requests} of {whole.totals.requests} requests were counted for certain; "
            + (
                "the next batch may have been counted too, and is not sent again: it could count twice"
                if report.failure.in_doubt
                else "the next batch was not counted"
            )
        )
        if not totals.requests and not report.failure.in_doubt:
            return
    console.print(
        f"sent {totals.requests} requests, {totals.input_tokens} input tokens, {totals.output_tokens} output "
        f"tokens in {report.seconds:.1f} s"
    )
    console.print("read them back with (totals since the sidecar's start):")
    for query in labels.queries().values():
        console.print(f"  {query}", markup=False)


def _summary(report: Report) -> dict[str, float]:
    totals = report.totals
    return {
        "requests": totals.requests,
        "input_tokens": totals.input_tokens,
        "output_tokens": totals.output_tokens,
        "seconds": round(report.seconds, 3),
    }
