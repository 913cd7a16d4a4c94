"""Judge every query at the newest aligned time, write what was found, and say what that was.

It ends with 1 where a query failed, a sample was not taken, or nothing at all came.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

from airis_mon.analyzer.canaries import Canaries, Look
from airis_mon.analyzer.commands import delivery, flags, limits
from airis_mon.analyzer.config import load
from airis_mon.analyzer.cycle import Cycle
from airis_mon.analyzer.outcome import Outcome
from airis_mon.analyzer.patience import Patience
from airis_mon.analyzer.query import QueryError
from airis_mon.analyzer.schedule import moment
from airis_mon.remote_write import HttpWriter, WriteResult
from airis_mon.spec import SpecError

_LISTED = 10
_HINT = "`airis-mon check --live` says what is missing"
HELP = "judge and write the newest aligned time, and say what was written"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where to read and write, and how history is read."""
    flags.add_config(parser)
    flags.add_servers(parser)
    delivery.add_protocol(parser)
    flags.add_schedule(parser)
    flags.add_concurrency(parser)
    limits.add_arguments(parser)
    flags.add_shard(parser)


def run(arguments: argparse.Namespace) -> int:
    """Return 0 where every query was judged, of some came a series, and every sample was taken; else 1."""
    try:
        shard = flags.shard(arguments)
        configuration = load(arguments.config_file)
        querier, writer = limits.querier(arguments), HttpWriter(delivery.protocol(arguments))
        cycle = Cycle(
            querier,
            writer,
            flags.schedule(arguments),
            patience=Patience(preparing=0),
            concurrency=arguments.query_concurrency,
        )
        outcome = cycle.run(shard.of(configuration.queries))
        look = Canaries(querier, writer).look(shard.rollouts(configuration.rollouts), outcome.at)
    except (SpecError, QueryError, OSError, ValueError) as error:
        print(f"airis-mon analyzer once: {error}", file=sys.stderr)
        return 1
    written = outcome.written + look.written
    for line in (*_compared(look), *_told(outcome, written)):
        print(line)
    for failure in outcome.failures:
        print(f"{failure.query.title}: {failure.text}", file=sys.stderr)
    for rollout, text in look.failures:
        print(f"{rollout.title}: {text}", file=sys.stderr)
    for reason in written.errors:
        print(f"given up: {reason}", file=sys.stderr)
    empty = [tally.query.title for tally in outcome.tallies if not tally.series]
    if empty:
        print(f"nothing came for {_listed(empty)}; {_HINT}", file=sys.stderr)
    no_number = [tally.query.title for tally in outcome.tallies if tally.series and not tally.samples]
    if no_number:
        print(f"all values are NaN or infinite: {_listed(no_number)}", file=sys.stderr)
    nothing = not any(tally.samples for tally in outcome.tallies) and bool(outcome.tallies)
    complete = outcome.complete and not look.failures and not look.written.dropped
    return 0 if complete and not nothing else 1


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _compared(look: Look) -> Iterator[str]:
    reasons = dict(look.waiting)
    for rollout, seen in look.found:
        told = f" ({reasons[rollout]})" if rollout in reasons else ""
        yield f"{rollout.title}: {seen.verdict}{told}"


def _told(outcome: Outcome, written: WriteResult) -> Iterator[str]:
    for tally in outcome.tallies:
        yield (
            f"{tally.query.title}: {tally.series} series, {tally.scored} scored, "
            f"{tally.warming_up} warming up; {tally.samples} samples"
        )
        yield from (f"  {trial}" for trial in tally.trials)
    yield f"{moment(outcome.at)}: {written.sent} samples written, {written.dropped} given up"
