from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

COMMAND = [
    sys.executable,
    "-c",
    "import sys; from airis_mon.sidecar.service import main; sys.exit(main(sys.argv[1:]))",
]


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen([*COMMAND, *arguments], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        lines = map(json.loads, process.stderr)
        line = next(line for line in lines if line["msg"] == "listening")
        yield process, line["address"]
    finally:
        process.kill()
        process.communicate(timeout=10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_0(number: signal.Signals) -> None:
    with running("--web.listen-address=127.0.0.1:0", "--limit.items=5") as (process, address):
        assert requests.get(f"http://{address}/-/ready", timeout=5).status_code == 200
        text = requests.get(f"http://{address}/metrics", timeout=5).text
        assert "process_resident_memory_bytes" in text
        assert "airis_sidecar_build_info" in text
        os.kill(process.pid, number)
        assert process.wait(timeout=10) == 0


def test_a_taken_port_is_said_and_ends_it_with_1() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        run = subprocess.run(
            [*COMMAND, f"--web.listen-address={address}"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert run.returncode == 1
    lines = [json.loads(text) for text in run.stderr.splitlines()]
    (line,) = [line for line in lines if line["level"] == "error"]
    assert (line["level"], line["msg"].split(":")[0]) == ("error", "cannot listen on 127.0.0.1")
    assert address in line["msg"]
    assert "--web.listen-address" in line["msg"]


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("--web.listen-address=nowhere", "`nowhere` is no address to listen on"),
        ("--limit.items=0", "`0` is no whole number from 1"),
        ("--limit.series=many", "`many` is no whole number from 1"),
        ("--log.level=loud", "invalid choice: 'loud'"),
    ],
)
def test_a_bad_argument_says_what_is_wanted(argument: str, said: str) -> None:
    run = subprocess.run([*COMMAND, argument], capture_output=True, text=True, timeout=20, check=False)
    assert run.returncode == 2
    assert said in run.stderr
