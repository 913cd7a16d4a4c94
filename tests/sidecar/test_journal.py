from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import msgspec
import pytest

from airis_mon.journal import JournalBusyError, JournalError, JournalFullError, MemoryJournal, Origin, Receipt
from tests.sidecar.conftest import StartSidecar, event, metric


class Recorder(MemoryJournal):
    """A journal that the test holds, refuses and reads."""

    durable = True

    def __init__(self) -> None:
        super().__init__()
        self.payloads: list[bytes] = []
        self.error: JournalError | None = None
        self.open = threading.Event()
        self.open.set()
        self.reached = threading.Event()

    async def append(
        self,
        payload: bytes,
        origin: Origin | None = None,
        applied: Callable[[int], None] | None = None,
    ) -> Receipt:
        self.reached.set()
        await asyncio.to_thread(self.open.wait, 10)
        if self.error is not None:
            raise self.error
        self.payloads.append(payload)
        return await super().append(payload, origin, applied)


@pytest.fixture
def journal() -> Recorder:
    return Recorder()


def test_the_journal_gets_what_is_admitted_and_nothing_else(start: StartSidecar, journal: Recorder) -> None:
    sidecar = start(journal=journal)
    sidecar.post([metric(), metric(value="x"), metric(unit="x"), metric(value=2)])
    sidecar.post(event(), "/v1/events")
    sidecar.post([metric(value="x")])
    said = [msgspec.msgpack.decode(payload) for payload in journal.payloads]
    assert [[(entry[0][0], entry[2]) for entry in entries] for entries, _ in said] == [
        [("thing", [2.0])],
        [("airis_events", [1.0])],
    ]
    assert [len(events) for _, events in said] == [0, 1]


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
    journal.error = JournalError("no space left")
    answer = sidecar.post(metric(metric_type="counter"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "not kept, send it again: no space left" in answer.json()["errors"][0]["message"]
    assert sidecar.value("thing_total", source="tests") is None
    assert sidecar.value("airis_sidecar_items_total", kind="metric", result="accepted") == 0

    journal.error = None
    assert sidecar.post(metric(metric_type="counter")).status_code == 200
    assert sidecar.value("thing_total", source="tests") == 1


@pytest.mark.parametrize(
    ("error", "status", "after"),
    [(JournalBusyError("64 MiB wait"), 429, "1"), (JournalFullError("disk full"), 503, "10")],
)
def test_a_sender_is_told_when_to_come_again(
    start: StartSidecar, journal: Recorder, error: JournalError, status: int, after: str
) -> None:
    sidecar = start(journal=journal)
    journal.error = error
    answer = sidecar.post(metric())
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, after)
