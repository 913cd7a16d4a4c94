"""The analyzer's flags for what stands between it and the receiver."""

from __future__ import annotations

import argparse
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from airis_mon.analyzer.access import Access
from airis_mon.analyzer.commands import delivery, flags
from airis_mon.analyzer.metrics import Metrics
from airis_mon.analyzer.outcome import Outcome
from airis_mon.analyzer.writing import Destination
from airis_mon.journal import JournalLockedError
from airis_mon.remote_write import Sample
from tests.remote_write.receiver import Reply, receiver


def parsed(*words: str) -> Destination:
    parser = argparse.ArgumentParser(exit_on_error=False)
    flags.add_servers(parser)
    delivery.add_arguments(parser)
    return delivery.destination(parser.parse_args(["--prometheus.url=http://there:9090", *words]))


def sample(name: str = "y", at: int = 1000) -> Sample:
    return Sample({"__name__": name}, at, 1.0)


def test_without_flags_there_is_neither_queue_nor_file() -> None:
    assert parsed() == Destination("http://there:9090/api/v1/write")


def test_flags_say_the_rest() -> None:
    found = parsed(
        "--remote-write.version=1.0",
        "--remote-write.header=X-Scope-OrgID: chat",
        "--remote-write.header=X-Other:a: b",
        "--remote-write.queue-path=/var/queue",
        "--remote-write.queue-max-bytes=4096",
        "--remote-write.queue-max-age=2h",
        "--remote-write.dead-letter-path=/var/dead.jsonl",
        "--remote-write.dead-letter-max-bytes=2048",
    )
    assert found.version == "1.0"
    assert found.access == Access(headers={"X-Scope-OrgID": "chat", "X-Other": "a: b"})
    assert (found.queue_path, found.bounds.bytes, found.bounds.seconds) == (Path("/var/queue"), 4096, 7200.0)
    assert (found.dead_letter_path, found.dead_letter_bytes) == (Path("/var/dead.jsonl"), 2048)


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--remote-write.header=nothing", "write 'NAME: VALUE'"),
        ("--remote-write.header=a b: c", "write 'NAME: VALUE'"),
        ("--remote-write.header=a: b\r\nc: d", "write 'NAME: VALUE'"),
        ("--remote-write.header=content-type: text/plain", "leave it out"),
        ("--remote-write.queue-max-bytes=7", "of 1024 at least"),
        ("--remote-write.queue-max-bytes=many", "of 1024 at least"),
        ("--remote-write.queue-max-age=0s", "such as 1d"),
        ("--remote-write.queue-max-age=soon", "soon"),
        ("--remote-write.version=3.0", "invalid choice"),
    ],
)
def test_wrong_flags_are_refused_with_what_to_write(flag: str, said: str) -> None:
    with pytest.raises(argparse.ArgumentError, match=said):
        parsed(flag)


def test_queue_and_file_are_told_on_metrics(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    statuses = iter([400, 400, 503])

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    with receiver(lambda request: Reply(next(statuses, 503))) as there, ExitStack() as ends:
        destination = Destination(
            there.url, queue_path=tmp_path / "queue", dead_letter_path=tmp_path / "dead.jsonl"
        )
        writer = destination.opened(threading.Event(), metrics, ends)
        refused = writer.write([sample()])
        metrics.ended(Outcome(1.0, 1, written=refused))
        waiting = writer.write([sample(at=2000)])
        assert (refused.dropped, waiting.queued) == (1, 1)
        assert value("airis_analyzer_queue_samples") == 1
        assert (value("airis_analyzer_queue_bytes") or 0) > 0
        assert value("airis_analyzer_queue_damaged_places") == 0
        assert value("airis_analyzer_dead_letters_total", result="kept") == 1
        assert value("airis_analyzer_dead_letters_total", result="lost") == 0
        with pytest.raises(JournalLockedError):
            destination.opened(threading.Event(), Metrics(CollectorRegistry()), ends)


def test_what_is_written_are_gauges_of_known_and_of_other_names() -> None:
    with receiver(lambda request: Reply()) as there, ExitStack() as ends:
        writer = Destination(there.url).opened(threading.Event(), Metrics(CollectorRegistry()), ends)
        assert writer.write([sample("anomaly_score"), sample("verdict")]).sent == 2
        told = {dict(one.labels)["__name__"]: one.metadata for one in there.requests[0].series}
    assert told["anomaly_score"][0] == told["verdict"][0] == 2
    assert "anomalous" in told["anomaly_score"][1]
