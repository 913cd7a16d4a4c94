"""What a real process has acknowledged, killed and started anew."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.sidecar.conftest import event, metric
from tests.sidecar.test_process import COMMAND
from tests.waiting import until

NOW = "2024-01-01T00:00:00Z"


class Running:
    """A process, and what can be asked of it."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process = process
        self.url = f"http://{address}"
        self.session = requests.Session()

    def post(self, body: object, path: str = "/v1/metrics", **headers: str) -> requests.Response:
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        return self.session.post(self.url + path, json=body, headers=given, timeout=20)

    def ready(self) -> bool:
        return self.session.get(f"{self.url}/-/ready", timeout=5).status_code == 200

    def samples(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Every sample of what was sent; the process' own are left out."""
        text = self.session.get(f"{self.url}/metrics", timeout=20).text
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if not sample.name.startswith(("airis_sidecar_", "python_", "process_"))
        }


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[Running]:
    process = subprocess.Popen(
        [*COMMAND, "--web.listen-address=127.0.0.1:0", f"--storage.path={folder}", *arguments],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    lines = map(json.loads, process.stderr)
    line = next(line for line in lines if line["msg"] == "listening")
    # Its log is read on, so that it never waits for a reader.
    reader = threading.Thread(target=list, args=(lines,))
    reader.start()
    try:
        sidecar = Running(process, line["address"])
        until(sidecar.ready)
        yield sidecar
    finally:
        process.kill()
        process.wait(10)
        reader.join(10)
        process.stderr.close()
        sidecar.session.close()


def everything() -> list[dict[str, object]]:
    return [
        metric(timestamp=NOW, metric_type=kind, metric_name=f"a_{kind}", value=value, tags={"n": str(number)})
        for kind in ("counter", "gauge", "histogram")
        for number in range(5)
        for value in (0.1, 0.7, 3)
    ]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_all_that_was_acknowledged_counts_once_after_a_restart(
    tmp_path: Path, number: signal.Signals
) -> None:
    with running(tmp_path) as sidecar:
        for _ in range(3):
            assert sidecar.post(everything()).status_code == 200
        assert sidecar.post(event(timestamp=NOW), "/v1/events").status_code == 200
        before = sidecar.samples()
        os.kill(sidecar.process.pid, number)
        sidecar.process.wait(20)
    assert before["a_counter_total", (("n", "0"), ("source", "tests"))] == pytest.approx(3 * 3.8)
    assert len(list(tmp_path.glob("*.snapshot"))) == (number == signal.SIGTERM)
    with running(tmp_path) as sidecar:
        assert sidecar.samples() == before
        assert sidecar.post(everything()).json() == {"accepted": 45, "rejected": 0}
        more = sidecar.samples()
    assert more["a_histogram_count", (("n", "4"), ("source", "tests"))] == 12


def test_a_batch_that_is_sent_again_counts_once_even_after_a_kill(tmp_path: Path) -> None:
    numbered = {"X_Airis_Producer": "worker-1", "X_Airis_Epoch": "7"}
    body = [metric(timestamp=NOW, metric_type="counter", value=2)]
    counter = ("thing_total", (("source", "tests"),))
    with running(tmp_path) as sidecar:
        for sequence in ("1", "3", "2", "3", "1"):
            answer = sidecar.post(body, **numbered, X_Airis_Sequence=sequence)
            assert answer.status_code == 200
        assert answer.json() == {"accepted": 0, "rejected": 0, "duplicate": True}
        for _ in range(2):
            assert sidecar.post(body, Idempotency_Key="one of a kind").status_code == 200
        assert sidecar.samples()[counter] == 8
        sidecar.process.kill()
    with running(tmp_path) as sidecar:
        for sequence in ("1", "2", "3"):
            assert sidecar.post(body, **numbered, X_Airis_Sequence=sequence).json()["duplicate"]
        assert sidecar.post(body, Idempotency_Key="one of a kind").json()["duplicate"]
        assert sidecar.samples()[counter] == 8


def test_killed_under_load_it_loses_nothing_acknowledged_and_counts_nothing_twice(tmp_path: Path) -> None:
    sent: dict[str, int] = {}
    acknowledged: dict[str, int] = {}

    def send(sidecar: Running, producer: str, epoch: int) -> None:
        session = requests.Session()
        for sequence in range(10_000):
            items = 1 + sequence % 7
            body = [metric(timestamp=NOW, metric_type="counter", tags={"p": producer})] * items
            sent[producer] = sent.get(producer, 0) + items
            headers = {
                "X-Airis-Producer": producer,
                "X-Airis-Epoch": str(epoch),
                "X-Airis-Sequence": str(sequence),
            }
            try:
                for _ in range(2):  # each is sent twice
                    answer = session.post(f"{sidecar.url}/v1/metrics", json=body, headers=headers, timeout=20)
                    assert answer.status_code == 200
            except requests.RequestException:
                return
            acknowledged[producer] = acknowledged.get(producer, 0) + items

    for life in range(4):
        with running(tmp_path) as sidecar:
            counted = {
                dict(labels)["p"]: value
                for (name, labels), value in sidecar.samples().items()
                if name == "thing_total"
            }
            for producer, value in counted.items():
                assert acknowledged.get(producer, 0) <= value <= sent[producer]
            assert set(acknowledged) <= set(counted)
            if life == 3:
                return
            # What was sent and not acknowledged may have counted: the ledger begins anew from there.
            sent.update({producer: int(value) for producer, value in counted.items()})
            acknowledged.update(sent)
            threads = [
                threading.Thread(target=send, args=(sidecar, f"p{number}", life)) for number in range(4)
            ]
            for thread in threads:
                thread.start()
            already = dict(acknowledged)
            until(
                lambda already=already: all(  # type: ignore[misc]
                    acknowledged.get(f"p{n}", 0) > already.get(f"p{n}", 0) + 50 for n in range(4)
                )
            )
            sidecar.process.kill()
            for thread in threads:
                thread.join(30)


def test_a_folder_has_one_writer(tmp_path: Path) -> None:
    with running(tmp_path):
        second = subprocess.run(
            [*COMMAND, "--web.listen-address=127.0.0.1:0", f"--storage.path={tmp_path}"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert second.returncode == 1
    assert "is written to by another process" in second.stderr


def test_a_series_that_rests_is_removed_for_good(tmp_path: Path) -> None:
    with running(tmp_path, "--series.ttl=1") as sidecar:
        sidecar.post([metric(timestamp=NOW)])
        assert ("thing", (("source", "tests"),)) in sidecar.samples()
        until(lambda: not sidecar.samples())
        sidecar.process.kill()
    with running(tmp_path) as sidecar:
        assert sidecar.samples() == {}


@pytest.mark.parametrize("below", ["", "below"])
def test_a_file_in_place_of_the_folder_ends_the_start_by_its_flag(tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.touch()
    run = subprocess.run(
        [*COMMAND, "--web.listen-address=127.0.0.1:0", f"--storage.path={file / below}"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert run.returncode == 1
    assert f"--storage.path: `{file / below}` cannot be used: it is no folder, or lies in none" in run.stderr
    assert "name a folder" in run.stderr
