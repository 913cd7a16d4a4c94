from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from airis_mon.stack import ports
from airis_mon.stack.processes import Command, Process
from airis_mon.traces import Traffic, operations, survey, write_csv
from airis_mon.traces.command import main
from airis_mon.traces.metrics import LONGEST_MODEL, Labels

AZURE = Path(__file__).parents[3] / "shared/data/AzureLLM2023/AzureLLMInferenceTrace_conv.csv"


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[str]:
    address = f"127.0.0.1:{ports.free_port()}"
    argv = (sys.executable, "-m", "airis_mon.cli", "sidecar", f"--web.listen-address={address}")
    process = Process(Command("sidecar", argv, f"http://{address}"), tmp_path / "sidecar.log")
    try:
        process.wait_ready()
        yield f"http://{address}"
    finally:
        process.stop()


@pytest.fixture
def prometheus_url(sidecar: str, prometheus_server: Callable[..., Any]) -> str:
    config = {
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [
            {
                "job_name": "airis-sidecar",
                "honor_labels": True,
                "static_configs": [{"targets": [sidecar.removeprefix("http://")]}],
            }
        ],
    }
    url: str = prometheus_server(config).url
    return url


def read_back(url: str, model: str, expected: dict[str, int]) -> dict[str, int]:
    """Ask until the last scrape is in; what is asked is what the command prints."""
    end = time.monotonic() + 20
    while True:
        found = {}
        for name, query in Labels(model).queries().items():
            answer = requests.get(f"{url}/api/v1/query", params={"query": query}, timeout=10).json()
            found[name] = sum(int(float(sample["value"][1])) for sample in answer["data"]["result"])
        if found == expected or time.monotonic() > end:
            return found
        time.sleep(0.2)


def test_own_trace_is_counted_exactly_at_high_speed(
    sidecar: str, prometheus_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "own.csv"
    trace = itertools.takewhile(lambda o: o.at < 1000, operations(Traffic(rate=2.0), 0.0, seed=5))
    with path.open("w") as file:
        write_csv(trace, file)
    whole = survey(path)
    began = time.monotonic()
    assert main([str(path), "--speed", "500", "--to", sidecar, "--model", 'we"ird', "--json"]) == 0
    # 1000 seconds at speed 500.
    assert 1.8 < time.monotonic() - began < 10
    out, err = capsys.readouterr()
    said = json.loads(out.splitlines()[-1])
    expected = {
        "requests": whole.totals.requests,
        "input_tokens": whole.totals.input_tokens,
        "output_tokens": whole.totals.output_tokens,
    }
    assert {name: said[name] for name in expected} == expected
    assert all(query in err for query in Labels('we"ird').queries().values())
    assert read_back(prometheus_url, 'we"ird', expected) == expected


def test_the_longest_model_is_one_that_a_sidecar_takes(sidecar: str, tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6,10,2\n")
    assert main([str(path), "--speed", "max", "--to", sidecar, "--model", "x" * LONGEST_MODEL]) == 0


@pytest.mark.skipif(not AZURE.exists(), reason="the recorded traces are not on this machine")
def test_published_trace_is_counted_exactly(sidecar: str, prometheus_url: str) -> None:
    assert main([str(AZURE), "--speed", "max", "--to", sidecar]) == 0
    expected = {"requests": 19_366, "input_tokens": 22_361_870, "output_tokens": 4_088_665}
    assert read_back(prometheus_url, "AzureLLMInferenceTrace_conv", expected) == expected
