"""The cases of who is told when, played through a replay of the configuration.

Hours of the day are left out: every case is played as if all steps were active. `hours` is about them.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from airis_mon.alertmanager.claims import Names, read
from airis_mon.alertmanager.replay import (
    Configuration,
    ConfigurationError,
    Delays,
    Firing,
    TooManyEventsError,
    posts,
    replay,
)
from airis_mon.cli import source
from airis_mon.cli.proofs.memory import Memory
from airis_mon.cli.proofs.routes import CONFIG, Reachable, anonymous, asked_of, loaded
from airis_mon.cli.proofs.runs import Failure, Proof
from airis_mon.spec import format_duration, parse_duration

CASES = "alertmanager/timelines.test.yaml"
WHAT = "timelines"
EVALUATION = 15.0
"""Seconds between two evaluations of the rules."""


def results(folder: Path, memory: Memory) -> Iterator[Proof | Failure]:
    """Yield what comes of each case and monitor; what differs in names alone is played once."""
    if not (folder / CASES).exists() or not (folder / CONFIG).exists():
        return
    if memory.holds(key(folder, memory)):
        yield Proof(CASES, WHAT, 0.0, known=True)
        return
    reachable = Reachable(_timeless(loaded((folder / CONFIG).read_text(encoding="utf-8"))))
    verdicts: dict[str, str] = {}
    for claim in read(loaded((folder / CASES).read_text(encoding="utf-8"))):
        alike: dict[str, bool] = {}
        for names in claim.of:
            question = asked_of(reachable, claim, names)
            if alike.get(question):
                yield from (Proof(CASES, WHAT, 0.0, known=True) for _ in claim.cases)
                continue
            found = [_played(case, reachable, names, verdicts) for case in claim.filled(names)]
            alike[question] = all(isinstance(result, Proof) for result in found)
            yield from found


def key(folder: Path, memory: Memory) -> str:
    """Return by what is remembered that all cases of a folder hold: they are played by this very program."""
    texts = [
        (folder / path).read_text(encoding="utf-8") for path in (CONFIG, CASES) if (folder / path).exists()
    ]
    return memory.own_key(WHAT, source.digest(), *texts)


def _played(
    case: Mapping[str, Any], reachable: Reachable, names: Names, verdicts: dict[str, str]
) -> Proof | Failure:
    config = reachable.whole([alert["labels"] for alert in case["alerts"]])
    question = anonymous(json.dumps([config, {**case, "name": ""}]), names)
    begin, known = time.monotonic(), question in verdicts
    if not known:
        verdicts[question] = _difference(config, case)
    if verdicts[question]:
        return Failure(CASES, case["name"], verdicts[question])
    return Proof(CASES, WHAT, time.monotonic() - begin, known)


def _timeless(config: Any) -> Any:
    if isinstance(config, Mapping):
        return {key: _timeless(value) for key, value in config.items() if not key.endswith("time_intervals")}
    return list(map(_timeless, config)) if isinstance(config, list) else config


def _difference(config: Mapping[str, Any], case: Mapping[str, Any]) -> str:
    """Return what is told otherwise than it has to be; nothing where all is as it has to be."""
    firings = [
        Firing(
            tuple(sorted(alert["labels"].items())),
            parse_duration(alert["begins"]),
            parse_duration(alert["ends"]) if "ends" in alert else None,
        )
        for alert in case["alerts"]
    ]
    try:
        outcome = replay(
            Configuration.read(config),
            posts(firings, EVALUATION),
            parse_duration(case["until"]),
            delays=Delays(),
        )
    except (ConfigurationError, TooManyEventsError) as error:
        return str(error)
    # A receiver with several ways to be told is told once; by two rungs at one time, twice.
    messages = {(one.at, one.receiver, one.firing, one.resolved, one.level) for one in outcome.notifications}
    told = Counter((at, receiver, len(firing)) for at, receiver, firing, *_ in messages)
    wanted = Counter((parse_duration(one["at"]), one["receiver"], one["firing"]) for one in case["told"])
    return "\n".join(
        [
            *(f"is told, and should not be: {_said(*one)}" for one in sorted((told - wanted).elements())),
            *(f"is not told, and should be: {_said(*one)}" for one in sorted((wanted - told).elements())),
        ]
    )


def _said(at: float, receiver: str, firing: int) -> str:
    return f"{receiver} after {format_duration(at)}, {firing} firing"
