from __future__ import annotations

import asyncio
import threading

import pytest

from airis_mon.sidecar.journal import Batch, JournalError
from tests.sidecar.conftest import StartSidecar, event, metric


class Recorder:
    """A journal that the test holds, refuses and reads."""

    durable = True

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.error: str | None = None
        self.open = threading.Event()
        self.open.set()
        self.reached = threading.Event()

    async def append(self, batch: Batch) -> None:
        self.reached.set()
        await asyncio.to_thread(self.open.wait, 10)
        if self.error is not None:
            raise JournalError(self.error)
        self.batches.append(batch)


@pytest.fixture
def journal() -> Recorder:
    return Recorder()


def test_the_journal_gets_what_is_admitted_and_nothing_else(start: StartSidecar, journal: Recorder) -> None:
    sidecar = start(journal=journal)
    sidecar.post([metric(), metric(value="x"), metric(unit="x"), metric(value=2)])
    sidecar.post(event(), "/v1/events")
    sidecar.post([metric(value="x")])
    assert [[item.value for item in batch.metrics] for batch in journal.batches] == [[1, 2], []]
    assert [len(batch.events) for batch in journal.batches] == [0, 1]


def test_what_a_durable_journal_has_taken_is_200_and_what_memory_has_202(
    start: StartSidecar, journal: Recorder
) -> None:
    durable, memory = start(journal=journal), start()
    assert durable.post(metric()).status_code == 200
    assert memory.post(metric()).status_code == 202
    assert durable.value("airis_sidecar_journal_durable") == 1
    assert memory.value("airis_sidecar_journal_durable") == 0


def test_nothing_is_exposed_before_the_journal_has_it(start: StartSidecar, journal: Recorder) -> None:
    sidecar = start(journal=journal)
    journal.open.clear()
    answers: list[int] = []
    sender = threading.Thread(target=lambda: answers.append(sidecar.post(metric()).status_code))
    sender.start()
    assert journal.reached.wait(5)
    assert sidecar.value("thing", source="tests") is None
    assert answers == []
    journal.open.set()
    sender.join(10)
    assert (answers, sidecar.value("thing", source="tests")) == ([200], 1)


def test_what_the_journal_cannot_keep_is_503_and_does_not_count(
    start: StartSidecar, journal: Recorder
) -> None:
    sidecar = start(journal=journal)
    journal.error = "no space left"
    answer = sidecar.post(metric(metric_type="counter"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "not kept, send it again: no space left" in answer.json()["errors"][0]["message"]
    assert sidecar.value("thing_total", source="tests") is None
    assert sidecar.value("airis_sidecar_items_total", kind="metric", result="accepted") == 0

    journal.error = None
    assert sidecar.post(metric(metric_type="counter")).status_code == 200
    assert sidecar.value("thing_total", source="tests") == 1
