from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from airis_mon.exporters import series
from tests.instrument.clients.service import serving

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "instrument.md").read_text(encoding="utf-8")
CALLS = """
import asyncio
from wsgiref.util import setup_testing_defaults

from prometheus_client import REGISTRY, generate_latest


async def ask_app():
    async def receive():
        return {"type": "http.request"}

    async def send(message):
        pass

    await app({"type": "http", "method": "POST", "path": "/v1/chat/completions"}, receive, send)


asyncio.run(ask_app())
environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/predict"}
setup_testing_defaults(environ)
assert list(wsgi_app(environ, lambda *_: None)) == [b'{"digit": 3}']
print("---")
print(generate_latest(REGISTRY).decode())
"""


def test_the_page_is_one_program_and_every_section_leaves_its_series() -> None:
    program = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)) + CALLS
    with serving() as service:
        run = subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=os.environ
            | {
                "OPENAI_BASE_URL": f"{service.url}/v1",
                "OPENAI_API_KEY": "k",
                "ANTHROPIC_BASE_URL": service.url,
                "ANTHROPIC_API_KEY": "k",
            },
        )
    assert run.returncode == 0, run.stderr
    said, _, exposed = run.stdout.partition("---\n")
    assert said.splitlines()[-2:] == ["response.completed", "one two three"]
    samples = [sample for family in text_string_to_metric_families(exposed) for sample in family.samples]

    def value(name: str, **labels: str) -> float:
        return sum(
            sample.value
            for sample in samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    duration = f"{series.GEN_AI_OPERATION_DURATION}_count"
    assert value(duration, gen_ai_provider_name="openai") == 2
    assert value(duration, gen_ai_provider_name="anthropic") == 1
    assert value(series.GEN_AI_INPUT_TOKENS, gen_ai_provider_name="vllm") == 3
    assert value(f"{series.GEN_AI_SERVER_TIME_TO_FIRST_TOKEN}_count") == 1
    assert value(series.PREDICTIONS, model="digits", outcome="ok") == 1
    assert value(f"{series.PREDICTION_CONFIDENCE}_count", model="iris") == 150
