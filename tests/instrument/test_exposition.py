"""What the SDK exposes, read by those who judge: promtool, and the strict parser of prometheus-client."""

from __future__ import annotations

import subprocess
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from airis_mon.instrument import Instruments, Sender
from airis_mon.stack.servers import Server


def used(shared: Path | None) -> CollectorRegistry:
    """Return a registry in which every family has a value, an exemplar among them."""
    registry = CollectorRegistry()
    sender = Sender("http://127.0.0.1:9", source="tests", registry=registry)
    sender.close(0)
    instruments = Instruments(registry=registry, shared=shared, label_budget=1)
    for model in ("a", 'hostile "quote" \\ \n line'):
        for instrument in (instruments.llm, instruments.llm_server):
            llm = instrument(model=model, provider="openai")
            llm.record(0.5, 100, 10, 64, 8, 5, 0.1, 0.01, None, "a-1", "f" * 32)
            llm.record(0.5, error="Timeout")
        instruments.predictor(model=model, version="1").record(0.1, confidence=[0.5])
    return registry


def test_promtool_has_nothing_to_say(promtool: Server, tmp_path: Path) -> None:
    for shared in (None, tmp_path):
        run = subprocess.run(
            [promtool.path, "check", "metrics"],
            input=generate_latest(used(shared)),
            cwd=promtool.cwd,
            capture_output=True,
            check=False,
        )
        assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")


def test_the_strict_parser_reads_all_of_it(tmp_path: Path) -> None:
    for shared in (None, tmp_path):
        text = generate_openmetrics(used(shared)).decode()  # type: ignore[no-untyped-call]
        families = {family.name for family in text_string_to_metric_families(text)}  # type: ignore[no-untyped-call]
        assert len(families) >= 17
        assert 'trace_id="ffffffff' in text
