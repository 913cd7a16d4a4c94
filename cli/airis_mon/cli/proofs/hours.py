"""The cases of who is told at which hour, held against the routes and the times that they name.

By the same reading of times as `page-replay`'s, which is held against the real Alertmanager.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from airis_mon.alertmanager.replay import Configuration, ConfigurationError
from airis_mon.cli.proofs.routes import CONFIG, Reachable, loaded
from airis_mon.cli.proofs.runs import Failure, Proof

CASES = "alertmanager/hours.test.yaml"
WHAT = "hours"


def results(folder: Path) -> Iterator[Proof | Failure]:
    """Yield what comes of each case."""
    if not (folder / CASES).exists() or not (folder / CONFIG).exists():
        return
    reachable = Reachable(loaded((folder / CONFIG).read_text(encoding="utf-8")))
    read: dict[str, Configuration] = {}
    for case in loaded((folder / CASES).read_text(encoding="utf-8")).get("cases") or ():
        labels, begin = case["labels"], time.monotonic()
        name = f"{labels['monitor']}, {labels['severity']}, at {case['at']}"
        try:
            key = str(sorted(labels.items()))
            if key not in read:
                read[key] = Configuration.read(reachable.whole([labels]))
            told = _told(read[key], labels, datetime.fromisoformat(case["at"]).timestamp())
        except ConfigurationError as error:
            yield Failure(CASES, name, str(error))
            continue
        if told == case["receivers"]:
            yield Proof(CASES, WHAT, time.monotonic() - begin)
        else:
            said, wanted = (", ".join(some) or "nobody" for some in (told, case["receivers"]))
            yield Failure(CASES, name, f"{said} is told, and it should be {wanted}")


def _told(config: Configuration, labels: dict[str, str], at: float) -> list[str]:
    return sorted(
        route.receiver
        for route in config.root.reached(labels)
        if config.receivers[route.receiver]
        and (not route.active or config.within(route.active, at))
        and not config.within(route.mute, at)
    )
