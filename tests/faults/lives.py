"""Lives of a sidecar on one folder, with senders and a scraper around it."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp

from tests.faults.ledger import Ledger, Outcome, Totals, judge, note
from tests.sidecar.conftest import metric

PRODUCERS = 4
IN_FLIGHT = 5
COPIES = 3
START_SECONDS = 30.0
SCRAPE_SECONDS = 0.1
NOW = "2024-01-01T00:00:00Z"
COMMAND = (sys.executable, "-m", "airis_mon.cli", "sidecar", "--web.listen-address=127.0.0.1:0")
VICTIM = (sys.executable, "-m", "tests.faults.victim")
_LATER = (429, 503)
"""Answers that ask to send again."""
GONE = (aiohttp.ClientError, ConnectionError, TimeoutError)
"""What a sender sees of a process that is gone."""


class StartError(Exception):
    """A process that ended before it was ready; the text is what it said."""


class Life:
    """One process that is ready, and its clients."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, session: aiohttp.ClientSession) -> None:
        self.process = process
        self.url = url
        self.session = session

    async def totals(self) -> Totals:
        """Return what is counted."""
        async with self.session.get(f"{self.url}/metrics") as answer:
            text = await answer.text()
            assert answer.status == 200, text
        return {
            (name, line.partition('p="')[2].partition('"')[0]): round(float(line.rpartition(" ")[2]))
            for name in ("batches", "numbers")
            for line in text.splitlines()
            if line.startswith(f"{name}_total{{")
        }

    async def kill(self) -> None:
        """Kill it, dead or alive."""
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


class Folder:
    """What outlives a process: its folder, the ledgers of its senders, and what a scraper has seen."""

    def __init__(
        self, path: Path, chance: random.Random, *, numbered: bool = True, command: Sequence[str] = VICTIM
    ) -> None:
        self.path = path
        self.chance = chance
        self.outcome = Outcome()
        self.seen: Totals = {}
        self.ledgers = [Ledger(f"producer-{number}") for number in range(PRODUCERS)]
        self._numbered = numbered
        self._command = command

    @asynccontextmanager
    async def life(
        self,
        around: Sequence[str] = (),
        more: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Life]:
        """Start a process, inside of `around`; killed in the end. StartError where it ends before that."""
        place = [str(self.path)] if self._command is VICTIM else [f"--storage.path={self.path}"]
        process = await asyncio.create_subprocess_exec(
            *(*around, *self._command, *place, *more), stderr=asyncio.subprocess.PIPE, env=environment
        )
        drain: asyncio.Task[bytes] | None = None
        try:
            url = await _ready(process)
            assert process.stderr is not None
            drain = asyncio.create_task(process.stderr.read())
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(60)) as session:
                yield Life(process, url, session)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            if drain is not None:
                await drain

    async def send(self, life: Life, ledger: Ledger, sequence: int, copies: int = COPIES) -> None:
        """Send one batch so many times; one of GONE where the process is gone."""
        body = [
            metric(
                timestamp=NOW,
                metric_type="counter",
                metric_name=name,
                value=value,
                tags={"p": ledger.producer},
            )
            for name, value in (("batches", 1), ("numbers", sequence))
        ]
        headers = {"X-Airis-Producer": ledger.producer, "X-Airis-Sequence": str(sequence)}
        for _ in range(copies):
            async with life.session.post(
                f"{life.url}/v1/metrics", json=body, headers=headers if self._numbered else {}
            ) as answer:
                if answer.status == 200:
                    ledger.doubtful.discard(sequence)
                elif answer.status not in _LATER:
                    self.outcome.violations += 1

    async def load(self, life: Life, seconds: float) -> bool:
        """Send from all producers, out of order, and scrape; kill it in the end. True if it ended before."""

        async def produce(ledger: Ledger) -> None:
            while True:
                numbers = list(range(ledger.sent + 1, ledger.sent + 1 + IN_FLIGHT))
                ledger.sent += IN_FLIGHT
                ledger.doubtful.update(numbers)
                self.chance.shuffle(numbers)
                await asyncio.gather(*(self.send(life, ledger, number) for number in numbers))

        async def watch() -> None:
            while True:
                note(await life.totals(), self.seen, self.outcome)
                await asyncio.sleep(SCRAPE_SECONDS)

        tasks = [asyncio.create_task(produce(ledger)) for ledger in self.ledgers]
        tasks.append(asyncio.create_task(watch()))
        ended = asyncio.create_task(life.process.wait())
        gone, _ = await asyncio.wait([ended], timeout=seconds)
        ended.cancel()
        await life.kill()
        for found in await asyncio.gather(*tasks, return_exceptions=True):
            if not isinstance(found, GONE):
                assert isinstance(found, BaseException)
                raise found
        return bool(gone)

    async def settle(self, life: Life) -> None:
        """Send again what was not acknowledged, and judge."""
        note(await life.totals(), self.seen, self.outcome)
        for ledger in self.ledgers:
            for sequence in sorted(ledger.doubtful):
                await self.send(life, ledger, sequence, copies=1)
        judge(self.ledgers, await life.totals(), self.outcome)
        self.outcome.batches = sum(ledger.sent for ledger in self.ledgers)

    async def recover(self) -> bool:
        """Start without any fault, and judge; False, and a manual step, where it does not come back."""
        try:
            async with self.life() as life:
                await self.settle(life)
        except StartError as error:
            print(f"does not come back: {error}", file=sys.stderr)
            self.outcome.manual_steps += 1
            return False
        return True


async def _ready(process: asyncio.subprocess.Process) -> str:
    """Return the URL once it listens and everything is back."""
    assert process.stderr is not None
    url, messages = "", set[str]()
    said = b""
    try:
        async with asyncio.timeout(START_SECONDS):
            while not {"listening", "ready"} <= messages:
                said = await process.stderr.readline()
                if not said.startswith(b"{"):
                    if said:
                        continue
                    raise StartError(f"ended with {await process.wait()}")
                line = json.loads(said)
                messages.add(line["msg"])
                url = f"http://{line['address']}" if line["msg"] == "listening" else url
                if line["msg"] == "the journal cannot be used":
                    raise StartError(line["reason"])
    except TimeoutError:
        raise StartError(f"not ready after {START_SECONDS:g} s") from None
    return url
