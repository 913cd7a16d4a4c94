"""What the sidecar takes in over loopback, beside merely decoding the same bytes with Python's json.

One real sidecar process, one connection, batches of 1,000 items as NDJSON with ten label sets. The ratio says
how many times longer the whole way (HTTP, validation, conversion of units, aggregation) takes than plain
`json.loads` of each line; both are measured in turns, and the ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime

import requests

BATCH = 1_000
BATCHES = 20
ROUNDS = 7


def payload() -> bytes:
    """Return one batch."""
    now = datetime.now(UTC).isoformat()
    items = (
        {
            "timestamp": now,
            "source": "ai-model-v1.2",
            "metric_type": "performance",
            "metric_name": "inference_time",
            "value": 1.5 * number,
            "unit": "milliseconds",
            "tags": {"environment": "production", "region": f"region-{number % 10}"},
            "metadata": {"input_size": 1024, "batch_size": 32},
        }
        for number in range(BATCH)
    )
    return b"\n".join(json.dumps(item).encode() for item in items)


def measure() -> dict[str, float]:
    """Return items per second and the ratio."""
    command = [sys.executable, "-m", "airis_mon.cli", "sidecar", "--web.listen-address=127.0.0.1:0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        listening = next(line for line in process.stderr if '"listening"' in line)
        url = f"http://{json.loads(listening)['address']}/v1/metrics"
        body = payload()
        with requests.Session() as session:
            session.headers["Content-Type"] = "application/x-ndjson"
            _sent(session, url, body)  # warm up
            rounds = [(_sent(session, url, body), _decoded(body)) for _ in range(ROUNDS)]
    finally:
        process.terminate()
        process.communicate(timeout=30)
    items = BATCH * BATCHES
    return {
        "items_per_second": round(items / statistics.median(sent for sent, _ in rounds)),
        "ratio_to_json_loads": round(statistics.median(sent / decoded for sent, decoded in rounds), 2),
    }


def _sent(session: requests.Session, url: str, body: bytes) -> float:
    began = time.perf_counter()
    for _ in range(BATCHES):
        answer = session.post(url, data=body, timeout=60)
        if answer.status_code >= 300:
            raise RuntimeError(f"the sidecar answers {answer.status_code}: {answer.text[:300]}")
    return time.perf_counter() - began


def _decoded(body: bytes) -> float:
    began = time.perf_counter()
    for _ in range(BATCHES):
        for line in body.splitlines():
            json.loads(line)
    return time.perf_counter() - began
