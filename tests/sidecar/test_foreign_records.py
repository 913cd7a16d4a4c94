"""A whole record that no version of ours can have written: it counts as lost, and nothing else is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from airis_mon.journal import Journal
from airis_mon.sidecar.aggregates import Aggregates
from airis_mon.sidecar.limits import Limits
from airis_mon.sidecar.recovery import restore

COUNTER = ("kept", "counter", "", (), ())
HISTOGRAM = ("spread", "histogram", "", (1.0,), ())


def record(definition: Any, *, operation: int = 0, values: Any = (1.0,)) -> bytes:
    return msgspec.msgpack.encode(([(definition, operation, values, 1.0, ())], ()))


def written(folder: Path, *payloads: bytes) -> None:
    async def append() -> None:
        journal = Journal(folder)
        list(journal.recover().records)
        await journal.start()
        for payload in payloads:
            await journal.append(payload, None, lambda sequence: None)
        await journal.close()

    asyncio.run(append())


@pytest.mark.parametrize(
    "foreign",
    [
        record(("odd", 14, 144, (), ())),
        record(("odd", "summary", "", (), ())),
        record(("odd", "counter", "", (), (("a",),))),
        record(("odd", "counter", "", (), ()), operation=3),
        record(("odd", "counter", "", (), ()), operation=1, values=()),
        record(("odd", "counter", "", (), ()), values=(((1, 2), 3.0),)),
        record(HISTOGRAM, values=(((1, 2, 3), 3.0),)),
        b"\xc1",
    ],
)
def test_it_is_lost_alone(foreign: bytes, tmp_path: Path) -> None:
    written(tmp_path, record(COUNTER), foreign, record(HISTOGRAM), record(COUNTER))
    aggregates = Aggregates(Limits())
    assert restore(Journal(tmp_path), aggregates, 1.0) == 1
    found = {sample.name: sample.value for metric in aggregates.collect() for sample in metric.samples}
    assert found == {"kept_total": 2.0, "spread_bucket": 1.0, "spread_count": 1.0, "spread_sum": 1.0}
