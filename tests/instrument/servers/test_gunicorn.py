from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from airis_mon.exporters import series
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def gunicorn(kind: str, folder: Path) -> Iterator[str]:
    """Run the application of that kind in one worker of a real gunicorn; yields its URL."""
    options = ["--workers", "1", "--bind", "127.0.0.1:0", "--control-socket", str(folder / "control")]
    worker = ["--worker-class", "asgi"] if kind == "asgi" else []
    log = folder / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gunicorn",
                *options,
                *worker,
                f"tests.instrument.servers.applications:observed_{kind}",
            ],
            cwd=ROOT,
            stdout=out,
            stderr=out,
        )
    try:

        def listening() -> str:
            assert process.poll() is None, log.read_text()
            return log.read_text().partition("Listening at: ")[2].partition(" ")[0]

        yield until(listening, what="gunicorn")
    finally:
        process.terminate()
        process.wait(30)


def ask(url: str, method: str = "POST") -> tuple[int, bytes]:
    request = urllib.request.Request(url, data=b"{}" if method == "POST" else None, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_a_model_server_under_gunicorn_tells_of_its_requests(kind: str, tmp_path: Path) -> None:
    chat = "/v1/chat/completions"
    with gunicorn(kind, tmp_path) as url:
        assert ask(f"{url}{chat}?how=stream") == (200, b"onetwothree")
        assert ask(f"{url}{chat}?how=503") == (503, b"onetwothree")
        assert ask(f"{url}{chat}?how=raise")[0] == 500
        assert ask(f"{url}/predict?how=whole") == (200, b"ok")
        assert ask(f"{url}{chat}?how=stream", "GET") == (200, b"onetwothree")
        assert ask(f"{url}/elsewhere?how=stream") == (200, b"onetwothree")
        text = ask(f"{url}/metrics", "GET")[1].decode()

    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def value(name: str, **labels: str) -> float:
        return sum(
            sample.value
            for sample in samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    duration = f"{series.GEN_AI_SERVER_REQUEST_DURATION}_count"
    assert value(duration) == 3
    assert value(duration, error_type="", gen_ai_request_model="llama", gen_ai_provider_name="vllm") == 1
    assert value(duration, error_type="503") == 1
    assert value(duration, error_type="KeyError") == 1
    assert value(f"{series.GEN_AI_SERVER_TIME_TO_FIRST_TOKEN}_count") >= 1
    assert value(series.PREDICTIONS, outcome="ok", model="digits") == 1
    assert value(f"{series.PREDICTION_CONFIDENCE}_sum") == 0.75
