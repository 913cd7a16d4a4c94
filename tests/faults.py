"""A real sidecar killed under load, again and again, and a ledger on the sending side.

    python -m tests.faults [--trials N] [--seed S] [--sabotage deduplication]

Senders number their batches, send each three times, up to five in flight and in any order. At a random
moment the process is killed with SIGKILL and started anew on the same folder. What was not acknowledged is
sent again, with its number. Then every batch must have counted exactly once: `lost` and `counted_twice` are
told by the number of batches and by the sum of their numbers, so that the one cannot hide the other. All the
time a scraper watches that no counter goes back. `manual_steps` counts starts that failed.

`--sabotage deduplication` leaves the numbers out, to show that the ledger would notice.

The last line is one JSON object; the exit code is 1 where anything was lost, counted twice, or went back.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.sidecar.conftest import metric

PRODUCERS = 4
IN_FLIGHT = 5
COPIES = 3
START_SECONDS = 30.0
NOW = "2024-01-01T00:00:00Z"


@dataclass
class Ledger:
    """What one producer has sent."""

    producer: str
    sent: int = 0
    """Batches, numbered from 1."""
    doubtful: set[int] = field(default_factory=set)
    """Sent, and no answer had."""


@dataclass
class Result:
    """What the trials have shown."""

    trials: int = 0
    batches: int = 0
    lost: int = 0
    counted_twice: int = 0
    went_back: int = 0
    manual_steps: int = 0


class Trial:
    """One life of a process: load, kill."""

    def __init__(
        self, url: str, session: aiohttp.ClientSession, chance: random.Random, numbered: bool
    ) -> None:
        self._url = url
        self._session = session
        self._chance = chance
        self._numbered = numbered

    async def send(self, ledger: Ledger, sequence: int) -> None:
        """Send one batch in three copies; aiohttp.ClientError where the process is gone before any answer."""
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
        for _ in range(COPIES):
            async with self._session.post(
                f"{self._url}/v1/metrics", json=body, headers=headers if self._numbered else {}
            ) as answer:
                if answer.status == 200:
                    ledger.doubtful.discard(sequence)

    async def load(self, ledger: Ledger) -> None:
        """Send batches until the process is gone."""
        while True:
            numbers = list(range(ledger.sent + 1, ledger.sent + 1 + IN_FLIGHT))
            ledger.sent += IN_FLIGHT
            ledger.doubtful.update(numbers)
            self._chance.shuffle(numbers)
            await asyncio.gather(*(self.send(ledger, number) for number in numbers))

    async def totals(self) -> dict[tuple[str, str], int]:
        """Return (name, producer) to the counter's value."""
        async with self._session.get(f"{self._url}/metrics") as answer:
            text = await answer.text()
            assert answer.status == 200, text
        return {
            (name, line.partition('p="')[2].partition('"')[0]): round(float(line.rpartition(" ")[2]))
            for name in ("batches", "numbers")
            for line in text.splitlines()
            if line.startswith(f"{name}_total{{")
        }

    async def watch(self, seen: dict[tuple[str, str], int], result: Result) -> None:
        """Scrape every 100 ms, and note what goes back."""
        while True:
            note(await self.totals(), seen, result)
            await asyncio.sleep(0.1)


def note(now: dict[tuple[str, str], int], seen: dict[tuple[str, str], int], result: Result) -> None:
    """Compare with what was seen before."""
    for key, before in seen.items():
        result.went_back += now.get(key, 0) < before
    seen.update(now)


async def started(folder: Path) -> tuple[asyncio.subprocess.Process, str]:
    """Return a process that is ready, and its URL; TimeoutError where it does not come up."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "airis_mon.cli", "sidecar", "--web.listen-address=127.0.0.1:0"),
        f"--storage.path={folder}",
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    url = None
    async with asyncio.timeout(START_SECONDS):
        messages: set[str] = set()
        while not {"listening", "ready"} <= messages:
            line = json.loads(await process.stderr.readline())
            messages.add(line["msg"])
            url = f"http://{line['address']}" if line["msg"] == "listening" else url
    assert url is not None
    return process, url


async def run(trials: int, seed: int, numbered: bool) -> Result:
    """Run all trials on one folder."""
    chance = random.Random(seed)
    result = Result()
    ledgers = [Ledger(f"producer-{number}") for number in range(PRODUCERS)]
    seen: dict[tuple[str, str], int] = {}
    with tempfile.TemporaryDirectory() as name:
        for number in range(trials + 1):
            try:
                process, url = await started(Path(name))
            except (TimeoutError, ValueError):
                result.manual_steps += 1
                return result
            async with aiohttp.ClientSession() as session:
                trial = Trial(url, session, chance, numbered)
                note(await trial.totals(), seen, result)
                for ledger in ledgers:
                    for sequence in sorted(ledger.doubtful):
                        await trial.send(ledger, sequence)
                await check(trial, ledgers, result)
                if number < trials:
                    tasks = [asyncio.create_task(trial.load(ledger)) for ledger in ledgers]
                    tasks.append(asyncio.create_task(trial.watch(seen, result)))
                    await asyncio.sleep(chance.uniform(0.02, 0.5))
                    process.kill()
                    await asyncio.gather(*tasks, return_exceptions=True)
                    result.trials += 1
            if process.returncode is None:
                process.kill()
            await process.communicate()
        result.batches = sum(ledger.sent for ledger in ledgers)
    return result


async def check(trial: Trial, ledgers: list[Ledger], result: Result) -> None:
    """Hold what is counted against the ledgers; nothing is in doubt any more."""
    counted = await trial.totals()
    result.lost = result.counted_twice = 0
    for ledger in ledgers:
        assert not ledger.doubtful
        batches = counted.get(("batches", ledger.producer), 0)
        numbers = counted.get(("numbers", ledger.producer), 0)
        expected = ledger.sent * (ledger.sent + 1) // 2
        result.lost += max(0, ledger.sent - batches)
        result.counted_twice += max(0, batches - ledger.sent)
        if batches == ledger.sent and numbers != expected:
            # As many were lost as counted twice.
            result.lost += 1
            result.counted_twice += 1


def main() -> int:
    """Run, print, and judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sabotage", choices=("deduplication",))
    arguments = parser.parse_args()
    result = asyncio.run(run(arguments.trials, arguments.seed, arguments.sabotage is None))
    print(json.dumps(vars(result)))
    return 1 if result.lost or result.counted_twice or result.went_back or result.manual_steps else 0


if __name__ == "__main__":
    sys.exit(main())
