from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from airis_mon.cli.main import COMMANDS
from airis_mon.spec import decode

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(
    path for path in ROOT.glob("**/*.md") if not any(part.startswith(".") for part in path.parts[:-1])
)


def published() -> Iterator[str]:
    """Every series and alert of every `series.py`: constants under no heading of labels or annotations."""
    for path in sorted(ROOT.glob("*/airis_mon/*/series.py")):
        source = path.read_text(encoding="utf-8")
        lines = source.splitlines()
        heading = ""
        for statement in ast.parse(source).body:
            above = lines[statement.lineno - 2]
            heading = above if above.startswith("# ") else heading
            if (
                isinstance(statement, ast.Assign)
                and isinstance(statement.value, ast.Constant)
                and not heading.startswith(("# Labels", "# Annotations"))
            ):
                yield str(statement.value.value)


def test_every_series_and_alert_is_named() -> None:
    named = set(re.findall(r"`([^`\s]+)`", README))
    assert len(list(published())) > 30
    assert [name for name in published() if name not in named] == []


def test_every_command_is_named() -> None:
    assert [command for command in COMMANDS if f"airis-mon {command}" not in README] == []


def test_documents_it_shows_are_good() -> None:
    shown = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert any("kind: ModelMonitor" in text for text in shown)
    for text in shown:
        assert decode({"README.md": text}).problems == ()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
