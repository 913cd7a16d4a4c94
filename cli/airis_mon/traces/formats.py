"""Reading recorded traces: the Azure LLM inference CSV and the Mooncake JSONL format, told apart by content.

Files are read line by line, so a trace of any length takes the memory of one line. A line that cannot be used
ends the reading: a replay that skipped some would no longer add up.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from airis_mon.traces.operations import Operation, Totals

AZURE_HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens"
LONGEST_LINE = 1 << 20
"""Characters. A Mooncake line carries a block id per 512 input tokens: this is a prompt of 60M tokens."""
MOST_TOKENS = 1_000_000_000
"""Tokens of one request; more is a broken file, and would not survive a float counter for long."""
LATEST = 253_402_300_799_000
"""Milliseconds: the end of the year 9999."""

_AZURE_EXPECTED = "a line such as `2023-11-16 18:15:46.6805900,374,44`"
_MOONCAKE_EXPECTED = 'a line such as `{"timestamp": 27482, "input_length": 6955, "output_length": 52}`'


class TraceError(Exception):
    """A trace that cannot be read; the text says file, line, what is wrong and what is expected."""


@dataclass(frozen=True)
class Survey:
    """What a whole trace holds."""

    totals: Totals
    seconds: float
    """From the first request to the last."""


@dataclass(frozen=True)
class _Line:
    """One line and where it stands."""

    file: str
    number: int
    text: str

    def wrong(self, what: str, expected: str) -> TraceError:
        return TraceError(f"{self.file}:{self.number}: {what}; expected {expected}")


def read(path: Path) -> Iterator[Operation]:
    """Yield the requests of a trace in the order of their arrival.

    Raises TraceError at the first line that is no request, that goes back in time, or where the file holds no
    request at all; OSError where it cannot be opened.
    """
    with path.open(encoding="utf-8-sig", errors="replace", newline=None) as file:
        lines = _lines(file, str(path))
        first = next(lines, None)
        if first is None:
            raise TraceError(
                f"{path}:1: the file is empty; expected the header `{AZURE_HEADER}` or JSON lines"
            )
        parse, rest = _format(first, lines)
        last: float | None = None
        for line in rest:
            operation = parse(line)
            if last is not None and operation.at < last:
                raise line.wrong("the request arrived before the one above it", "lines sorted by time")
            last = operation.at
            yield operation
        if last is None:
            raise TraceError(f"{path}:{first.number}: there is no request below the header; expected one")


def survey(path: Path) -> Survey:
    """Read a whole trace and return what it holds; raises as `read` does."""
    requests = read(path)
    first = next(requests)  # an empty trace has raised by now
    totals, last = Totals().plus([first]), first.at
    while batch := list(itertools.islice(requests, 4096)):
        totals, last = totals.plus(batch), batch[-1].at
    return Survey(totals, last - first.at)


def _lines(file: TextIO, name: str) -> Iterator[_Line]:
    """Yield the lines that are not blank."""
    for number in itertools.count(1):
        text = file.readline(LONGEST_LINE + 1)
        if not text:
            return
        line = _Line(name, number, text.strip())
        if len(text) > LONGEST_LINE:
            raise line.wrong(f"the line is longer than {LONGEST_LINE} characters", "one request per line")
        if line.text:
            yield line


def _format(first: _Line, rest: Iterator[_Line]) -> tuple[Callable[[_Line], Operation], Iterator[_Line]]:
    """Return the parser that the first line asks for, and the lines it is to parse."""
    if first.text.startswith("{"):
        return _mooncake, itertools.chain([first], rest)
    if first.text.replace(" ", "").lower() == AZURE_HEADER.lower():
        return _azure, rest
    raise first.wrong(
        f"`{first.text[:60]}` begins no trace that is known",
        f"the header `{AZURE_HEADER}` (Azure LLM inference CSV) or {_MOONCAKE_EXPECTED} (Mooncake JSONL)",
    )


def _azure(line: _Line) -> Operation:
    cells = line.text.split(",")
    if len(cells) != 3:
        found = "there is 1 cell" if len(cells) == 1 else f"there are {len(cells)} cells"
        raise line.wrong(found, _AZURE_EXPECTED)
    try:
        # The seventh digit of the fraction is 100 ns; what lies below a microsecond is dropped.
        moment = datetime.fromisoformat(cells[0].strip())
    except ValueError:
        raise line.wrong(f"TIMESTAMP is `{cells[0][:60]}`", _AZURE_EXPECTED) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return Operation(
        moment.timestamp(),
        _whole(line, "ContextTokens", cells[1].strip()),
        _whole(line, "GeneratedTokens", cells[2].strip()),
    )


def _whole(line: _Line, name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) > MOST_TOKENS:
        raise line.wrong(f"{name} is `{text[:60]}`", f"a whole number from 0 to {MOST_TOKENS}")
    return int(text)


def _mooncake(line: _Line) -> Operation:
    try:
        fields = json.loads(line.text)
    except (ValueError, RecursionError):
        raise line.wrong(f"`{line.text[:60]}` is no JSON", _MOONCAKE_EXPECTED) from None
    if not isinstance(fields, dict):
        raise line.wrong("the line is no JSON object", _MOONCAKE_EXPECTED)
    for name in ("timestamp", "input_length", "output_length"):
        if name not in fields:
            raise line.wrong(f"`{name}` is missing", _MOONCAKE_EXPECTED)
    timestamp = fields["timestamp"]
    # bool is an int in Python, and no time.
    if isinstance(timestamp, bool) or not isinstance(timestamp, int | float) or not 0 <= timestamp <= LATEST:
        raise line.wrong(f"`timestamp` is {str(timestamp)[:60]}", "milliseconds from the trace's start")
    return Operation(
        timestamp / 1e3, _length(line, fields, "input_length"), _length(line, fields, "output_length")
    )


def _length(line: _Line, fields: dict[str, object], name: str) -> int:
    value = fields[name]
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_TOKENS:
        raise line.wrong(f"`{name}` is {str(value)[:60]}", f"a whole number from 0 to {MOST_TOKENS}")
    return value
