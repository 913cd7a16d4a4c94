"""A past that a real Prometheus has: samples -> blocks."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from airis_mon.stack.servers import Server

Points = Iterable[tuple[int, float]]


def series(name: str, labels: Mapping[str, str], points: Points) -> list[str]:
    """Return lines of OpenMetrics; labels may hold no quotes."""
    pairs = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return [f"{name}{{{pairs}}} {value:.12g} {at}" for at, value in points]


def blocks(promtool: Server, folder: Path, families: Mapping[str, list[str]]) -> Path:
    """Return a data folder with all lines, by the name of their family; all of them gauges to OpenMetrics."""
    text = folder / "past.om"
    lines = [line for name, mine in families.items() for line in (f"# TYPE {name} gauge", *mine)]
    text.write_text("\n".join([*lines, "# EOF", ""]))
    data = folder / "data"
    command = [str(promtool.path), "tsdb", "create-blocks-from", "--max-block-duration=1440h", "openmetrics"]
    done = subprocess.run(
        [*command, str(text), str(data)], check=False, capture_output=True, cwd=promtool.cwd, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()
    return data
