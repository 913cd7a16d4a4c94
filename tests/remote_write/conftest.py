"""VictoriaMetrics, a receiver that is neither Prometheus' code nor speaks 2.0."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.victoria_metrics import running


@pytest.fixture
def victoria_metrics_server(victoria_metrics: Path, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Factory of a running one: its URL."""
    with ExitStack() as started:
        yield lambda: started.enter_context(
            running(victoria_metrics, tmp_path, flags=["-memory.allowedBytes=64MB"])
        )
