"""Two analyzers of one configuration, as a pair: whichever is alive, the same bits are written."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.analyzer.test_prometheus import backfill as blocks
from tests.analyzer.test_prometheus import value
from tests.remote_write.receiver import Receiver, Reply, Request, receiver
from tests.waiting import until

# What was measured a day ago moves on with the clock, and is the same whenever it is asked for.
CONFIG = """
queries:
  - {monitor: chat, model: llama, for: ttft, expr: latency offset 1d, history: 1d, horizons: [1h], by: [pod]}
  - {monitor: chat, model: llama, for: count, expr: 'count(y{for="ttft"})', history: 1d}
"""
START = "import sys; from airis_mon.analyzer.service import main; sys.exit(main(sys.argv[1:]))"
Values = dict[tuple[object, ...], set[bytes]]


def written(there: Receiver) -> Values:
    """Return what was sent: the bits by series and time."""
    found: Values = defaultdict(set)
    for request in list(there.requests):
        for series in request.series:
            for at, number in series.samples:
                found[at, *sorted(series.labels)].add(number)
    return found


@contextmanager
def analyzer(config: Path, read: str, write: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", START, "run", f"--config.file={config}", f"--prometheus.url={read}",
             f"--remote-write.url={write}", "--web.listen-address=127.0.0.1:0", "--interval=1s",
             "--step=5m", "--fit.interval=2s"],
            stderr=errors,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def test_a_pair_writes_the_same_bits_through_a_kill_and_prometheus_takes_both(
    promtool: Any, prometheus_server: Callable[..., Any], tmp_path: Path
) -> None:
    server = prometheus_server(data=blocks(promtool, tmp_path, int(time.time()) // 300 * 300))
    config = tmp_path / "analyzer.yaml"
    config.write_text(CONFIG)
    answers: list[tuple[int, str]] = []

    def passed_on(request: Request) -> Reply:
        answer = requests.post(
            f"{server.url}/api/v1/write", data=request.body, headers=dict(request.headers), timeout=10
        )
        answers.append((answer.status_code, answer.text))
        told = "X-Prometheus-Remote-Write-Samples-Written" in answer.headers
        return Reply(answer.status_code, text=answer.text, mute=not told)

    def times(there: Receiver) -> set[object]:
        return {key[0] for key in written(there)}

    with ExitStack() as stack:
        one, two = (stack.enter_context(receiver(passed_on)) for _ in range(2))
        begun = [
            analyzer(config, server.url, there.url, tmp_path / f"{number}.log")
            for number, there in enumerate((one, two, two))
        ]
        stack.enter_context(begun[0])
        until(lambda: len(times(one)) >= 2)
        second = stack.enter_context(begun[1])
        until(lambda: len(times(one) & times(two)) >= 3)
        second.send_signal(signal.SIGKILL)
        second.wait(10)
        before = times(two)
        stack.enter_context(begun[2])
        until(lambda: len(times(one) & (times(two) - before)) >= 3)
    first, other = written(one), written(two)
    common = first.keys() & other.keys()
    assert len(common) >= 6 * 8
    assert {key: first[key] for key in common} == {key: other[key] for key in common}
    assert all(len(values) == 1 for values in (*first.values(), *other.values()))
    # Of a time that both judged, both wrote all; but for those in the middle of which one was killed.
    ends = {max(when, key=lambda at: int(str(at))) for when in (times(one), times(two), before)}
    whole = (times(one) & times(two)) - ends
    assert {key for key in first if key[0] in whole} == {key for key in other if key[0] in whole}
    # On a busy machine one may be later than the second between two cycles: then its peer was first. A second
    # value for a time would be refused as a duplicate.
    refused = {text.strip() for status, text in answers if status >= 300}
    assert refused <= {"out of order sample"}
    at = max(int(str(key[0])) for key in common) / 1000
    assert value(server.url, 'y{for="count"}', at) == 1
