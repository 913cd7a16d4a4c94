from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def generate(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "docs.generate", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("derived")
    done = generate("--root", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_is_committed_is_what_the_sources_give(written: Path) -> None:
    derived = contents(written)
    assert len(derived) > 10
    for path, text in derived.items():
        assert (ROOT / path).exists(), f"{path} is missing; `make generate` writes it"
        assert (ROOT / path).read_text(encoding="utf-8") == text, f"{path} is stale; `make generate`"


def test_nothing_is_left_over_in_the_tree() -> None:
    done = generate("--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_second_run_finds_nothing_to_do(written: Path) -> None:
    done = generate("--root", str(written), "--check")
    assert done.returncode == 0, done.stdout
    assert "0 out of date" in done.stdout


def test_check_notices_what_was_edited_is_missing_or_left_over(tmp_path: Path, written: Path) -> None:
    for path, text in contents(written).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    edited, missing = tmp_path / "docs" / "series.md", tmp_path / "docs" / "cli.md"
    edited.write_text(edited.read_text(encoding="utf-8") + "by hand\n", encoding="utf-8")
    missing.unlink()
    left_over = tmp_path / "rules" / "generated" / "old.rules.yaml"
    left_over.write_text("groups: []\n", encoding="utf-8")
    before = contents(tmp_path)
    done = generate("--root", str(tmp_path), "--check")
    assert done.returncode == 1
    for damaged in (edited, missing, left_over):
        assert f"--- {damaged.relative_to(tmp_path)}" in done.stdout
    assert "3 stale" in done.stdout
    assert contents(tmp_path) == before
    assert generate("--root", str(tmp_path)).returncode == 0
    assert contents(tmp_path) == contents(written)
