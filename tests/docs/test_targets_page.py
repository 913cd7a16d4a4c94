"""What docs/targets.md says to write is written, and does what it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import yaml
from prometheus_client import CollectorRegistry, Histogram, start_http_server

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "targets.md").read_text(encoding="utf-8")


def test_names_of_vllm_are_what_the_contract_calls_them(
    prometheus_server: Callable[..., Any], until: Callable[..., Any]
) -> None:
    (advice,) = (
        yaml.safe_load(block)
        for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
        if "metric_relabel_configs" in block
    )
    registry = CollectorRegistry()
    name = "vllm:time_to_first_token_seconds"
    Histogram(name, "How long the first token takes.", registry=registry).observe(0.3)
    served, thread = start_http_server(0, "127.0.0.1", registry)
    try:
        target = {"static_configs": [{"targets": [f"127.0.0.1:{served.server_port}"]}]}
        config = {
            "global": {"scrape_interval": "1s"},
            "scrape_configs": [{"job_name": "vllm", **target, **advice}],
        }
        server = prometheus_server(config=config)

        def found() -> bool:
            with urlopen(f"{server.url}/api/v1/query?query={name}_count", timeout=5) as answer:
                return b'"value"' in answer.read()

        until(found, what="the series under its own name")
    finally:
        served.shutdown()
        served.server_close()
        thread.join()
