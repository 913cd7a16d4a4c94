"""A ledger of lines against what was counted: each line once, whatever happens to its file."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from prometheus_client import CollectorRegistry

from airis_mon.journal import Journal, MemoryJournal
from airis_mon.sidecar.admission import Admission
from airis_mon.sidecar.aggregates import Aggregates
from airis_mon.sidecar.intake import Intake
from airis_mon.sidecar.limits import Limits
from airis_mon.sidecar.logs.capture import Capture
from airis_mon.sidecar.logs.configuration import TailedFiles
from airis_mon.sidecar.logs.expressions import expression
from airis_mon.sidecar.logs.files import LONGEST_LINE
from airis_mon.sidecar.logs.patterns import Pattern
from airis_mon.sidecar.logs.tailing import QUIET_LOOKS, Tailing
from airis_mon.sidecar.observation import Observation
from airis_mon.sidecar.recovery import restore
from airis_mon.sidecar.translation import Translation
from tests.sidecar.test_process import running
from tests.waiting import until

NOW = 1_704_067_200.0
LINES = Pattern(
    "lines", regex={"n": expression("^[0-9]+$")}, counter="lines", labels={"n": "n"}, budget=9_999
)


class Reader:
    """One life of a sidecar that tails, driven look by look."""

    def __init__(self, path: Path, journal: Journal | MemoryJournal) -> None:
        self.journal = journal
        self.aggregates = Aggregates(Limits())
        registry = CollectorRegistry()
        observation = Observation(registry, self.aggregates, Limits(), journal)
        translation = Translation(lambda: NOW, 600.0)
        capture = Capture(translation.moment, translation, [LINES])
        intake = Intake(
            self.aggregates, journal, observation, lambda: NOW, lambda *_: None, Admission(1_000, 1)
        )
        self.registry = registry
        self.tailing = Tailing(capture, intake, self.aggregates, registry, lambda: NOW)
        self.tailing.configure([TailedFiles(str(path), "app")])

    async def looks(self, count: int = 1) -> None:
        for _ in range(count):
            await self.tailing.look()

    @property
    def counted(self) -> Counter[int]:
        found: Counter[int] = Counter()
        for one in self.aggregates.of("lines"):
            found[int(dict(one.labels)["n"])] = int(one.value)  # type: ignore[attr-defined]
        return found

    def refused(self) -> float | None:
        labels = {"kind": "log_record", "result": "rejected"}
        return self.registry.get_sample_value("airis_sidecar_items_total", labels)


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    reader = Reader(path, MemoryJournal())
    try:
        yield reader
    finally:
        reader.tailing.close()


def line(number: int, pad: int = 0) -> bytes:
    return json.dumps({"n": number, "pad": "x" * pad}).encode() + b"\n"


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def once(*numbers: int) -> Counter[int]:
    return Counter(numbers)


def test_a_partial_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    append(path, line(1) + line(2)[:5])
    with reading(path) as reader:
        asyncio.run(reader.looks(10))
        assert reader.counted == once(1)
        append(path, line(2)[5:])
        asyncio.run(reader.looks())
        assert reader.counted == once(1, 2)


def test_a_renamed_file_is_read_to_its_end_even_without_a_last_newline(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    append(path, line(1))
    with reading(path) as reader:
        asyncio.run(reader.looks())
        path.rename(tmp_path / "app.log.1")
        append(tmp_path / "app.log.1", line(2) + line(3)[:-1])
        append(path, line(4))
        asyncio.run(reader.looks(QUIET_LOOKS + 2))
        assert reader.counted == once(1, 2, 3, 4)


def test_a_truncated_file_is_read_anew_also_where_it_is_longer_than_before(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    append(path, line(1))
    with reading(path) as reader:
        asyncio.run(reader.looks())
        path.write_bytes(b"")
        asyncio.run(reader.looks())
        append(path, line(2))
        asyncio.run(reader.looks())
        path.write_bytes(line(3, pad=200) + line(4))
        asyncio.run(reader.looks())
        assert reader.counted == once(1, 2, 3, 4)


def test_a_line_that_is_too_long_is_passed_over_and_counted_as_refused(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    append(
        path, line(1) + b'{"n": 2, "pad": "' + b"x" * (3 * LONGEST_LINE) + b'"}\n' + line(3) + b"nonsense\n"
    )
    with reading(path) as reader:
        asyncio.run(reader.looks(3))
        assert reader.counted == once(1, 3)
        assert reader.refused() == 2


def test_links_pipes_and_compressed_files_are_not_read(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    append(elsewhere, line(1))
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.log").symlink_to(elsewhere)
    os.mkfifo(logs / "b.log")
    append(logs / "c.log.gz", line(2))
    append(logs / "d.log", line(3))
    with reading(logs / "*.log*") as reader:
        asyncio.run(reader.looks(2))
        assert reader.counted == once(3)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_to_the_file_each_line_counts_once(tmp_path: Path, seed: int) -> None:
    asyncio.run(_interleaving(tmp_path, random.Random(seed)))


async def _interleaving(folder: Path, chance: random.Random) -> None:
    """Append, cut lines in two, rotate, look, and start anew in any order; clean ends and kills."""
    path = folder / "logs" / "app.log"
    path.parent.mkdir()
    journal_folder = folder / "journal"
    reader = await _started(path, journal_folder)
    number = 0
    rotated = 0
    waiting = b""

    def write() -> None:
        nonlocal number, waiting
        data = waiting
        for _ in range(chance.randint(1, 30)):
            data += line(number, chance.choice((0, 0, 0, 50, 2_000)))
            number += 1
        cut = len(data) - chance.choice((0, 0, 7))
        append(path, data[:cut])
        waiting = data[cut:]

    def rotate() -> None:
        nonlocal rotated, waiting
        if path.exists():
            append(path, waiting)
            waiting = b""
            path.rename(path.with_name(f"app.log.{rotated}"))
            rotated += 1
            if chance.random() < 0.5:
                path.touch()

    steps: list[Callable[[], None]] = [write, write, write, rotate]
    for _ in range(60):
        step = chance.randrange(8)
        if step < 4:
            steps[step]()
        elif step < 7:
            await reader.looks()
        else:
            reader.tailing.close()
            if chance.random() < 0.5:
                # Killed: what is on the disk at this moment is all that the next life has.
                killed = folder / f"journal-{number}-{rotated}-{chance.random()}"
                shutil.copytree(journal_folder, killed)
                await reader.journal.close()
                journal_folder = killed
            else:
                await reader.journal.close()
            reader = await _started(path, journal_folder)
    append(path, waiting)
    await reader.looks(QUIET_LOOKS + 3)
    counted = reader.counted
    reader.tailing.close()
    await reader.journal.close()
    assert counted == once(*range(number))


async def _started(path: Path, folder: Path) -> Reader:
    journal = Journal(folder)
    # Names of rotated files too: one may come and go between two looks.
    reader = Reader(path.with_name("app.log*"), journal)
    assert restore(journal, reader.aggregates, NOW) == 0
    await journal.start()
    return reader


def test_a_killed_sidecar_goes_on_where_its_counters_stand(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    path = logs / "app.log"
    config = tmp_path / "sidecar.yaml"
    config.write_text(
        "patterns: [{name: lines, regex: {n: '^[0-9]+$'}, counter: lines}]\n"
        f"tail: [{{path: {path}, source: app}}]\n"
    )
    arguments = (
        "--web.listen-address=127.0.0.1:0",
        f"--storage.path={tmp_path / 'journal'}",
        f"--config.file={config}",
    )
    chance = random.Random(4)
    written = 0

    def reached(address: str, wanted: int) -> None:
        until(lambda: counted(address) >= wanted, what=f"{wanted} lines counted")

    def counted(address: str) -> float:
        answer = requests.get(f"http://{address}/metrics", timeout=10)
        if answer.status_code != 200:
            return -1.0
        sample = 'lines_total{source="app"} '
        return next(
            (float(row[len(sample) :]) for row in answer.text.splitlines() if row.startswith(sample)), 0.0
        )

    for life in range(4):
        before = written
        append(path, b"".join(line(number) for number in range(written, written + 10_000)))
        written += 10_000
        if life % 2:
            path.rename(logs / f"app.log.{life}")
        with running(*arguments) as (process, address):
            if life < 3:
                # Killed in the middle of what it reads: its pace decides where.
                wanted = before + chance.randint(0, 7_000)
                reached(address, wanted)
                os.kill(process.pid, signal.SIGKILL)
                process.wait(timeout=10)
            else:
                reached(address, written)
                append(path, line(0))
                reached(address, written + 1)
                assert counted(address) == written + 1


def test_a_bad_file_changes_nothing_on_reload_and_says_where(tmp_path: Path) -> None:
    config = tmp_path / "sidecar.yaml"
    config.write_text("patterns: [{name: a, where: {k: v}, counter: first}]\n")
    with running("--web.listen-address=127.0.0.1:0", f"--config.file={config}") as (_, address):
        url = f"http://{address}"
        config.write_text("paterns: []\n")
        answer = requests.post(f"{url}/-/reload", timeout=10)
        assert answer.status_code == 500
        assert "did you mean `patterns`?" in answer.text
        assert f"{config}:1:1" in answer.text
        requests.post(f"{url}/v1/logs", json={"k": "v", "source": "app"}, timeout=10).raise_for_status()
        text = requests.get(f"{url}/metrics", timeout=10).text
        assert 'first_total{source="app"} 1.0' in text
        assert "airis_sidecar_config_last_reload_successful 0.0" in text
        config.write_text("patterns: [{name: a, where: {k: v}, counter: second}]\n")
        assert requests.post(f"{url}/-/reload", timeout=10).status_code == 200
        requests.post(f"{url}/v1/logs", json={"k": "v", "source": "app"}, timeout=10).raise_for_status()
        assert 'second_total{source="app"} 1.0' in requests.get(f"{url}/metrics", timeout=10).text
