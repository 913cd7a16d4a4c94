"""Figures kept as JSON, for the documents to show: what was measured, when, and with how many cores.

    python -m benchmarks.accuracy --data DIR --record benchmarks/measured/accuracy.json

What a run did not measure stays as it was, with the day on which it was measured.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

MEASURED = "measured"
"""Key of the days: figure -> ISO date."""
CORES = "cores"
"""Key of how many cores the machine had."""


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Add where figures are kept: `record`."""
    parser.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="keep the figures in this JSON file too; `make generate` shows those of benchmarks/measured",
    )


def keep(path: Path | None, figures: Mapping[str, object]) -> None:
    """Write figures over those of the same name in a file, made if need be; nothing without a path."""
    if path is None:
        return
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    day = datetime.now(UTC).date().isoformat()
    days = before.get(MEASURED, {}) | dict.fromkeys(figures, day)
    kept = {**before, **figures, MEASURED: days, CORES: os.cpu_count()}
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in kept.items())
    path.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
