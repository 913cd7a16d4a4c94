from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SAMPLE = """
import pytest

@pytest.fixture
def promtool():
    return "promtool"

def test_without_a_server(): pass

def test_with_a_server(promtool): pass

@pytest.mark.skipif(True, reason="REASON")
def test_skipped(): pass

@pytest.mark.xfail
def test_expected_to_fail(): assert False
"""


def run(folder: Path, *options: str, reason: str = "felt like it") -> tuple[int, str]:
    (folder / "test_sample.py").write_text(SAMPLE.replace("REASON", reason), encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.ci_plugin",
            "-p",
            "xdist",
            "-p",
            "no:cacheprovider",
            *options,
            str(folder),
        ],
        cwd=folder,
        # Other plugins have nothing to do here, and take half a second to load, each time.
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTEST_ADDOPTS": "",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout


WORKERS = pytest.mark.parametrize("workers", ["0", "2"], ids=["alone", "with-workers"])


def test_skip_passes_unless_it_is_forbidden(tmp_path: Path) -> None:
    assert run(tmp_path)[0] == 0


@WORKERS
def test_forbidden_skip_fails_and_is_told_with_its_reason(tmp_path: Path, workers: str) -> None:
    code, said = run(tmp_path, "--no-skips", "-n", workers)
    assert code == pytest.ExitCode.TESTS_FAILED
    assert said.count("test_skipped: Skipped: felt like it") == 1
    assert "test_expected_to_fail:" not in said


@WORKERS
def test_a_module_that_is_skipped_as_a_whole_fails_and_is_told_once(tmp_path: Path, workers: str) -> None:
    module = 'import pytest\n\npytest.skip("not today", allow_module_level=True)\n'
    (tmp_path / "test_whole.py").write_text(module, encoding="utf-8")
    code, said = run(tmp_path, "--no-skips", "-n", workers, reason="no Docker daemon here")
    assert code == pytest.ExitCode.TESTS_FAILED
    assert said.count("test_whole.py: Skipped: not today") == 1


def test_honest_reason_may_skip(tmp_path: Path) -> None:
    assert run(tmp_path, "--no-skips", reason="no Docker daemon here")[0] == 0


def test_servers_only_keeps_what_talks_to_a_server(tmp_path: Path) -> None:
    code, said = run(tmp_path, "--servers-only")
    assert code == 0
    assert "1 passed, 3 deselected" in said


@WORKERS
def test_what_a_test_logs_may_be_half_a_character(tmp_path: Path, workers: str) -> None:
    said = 'import logging\ndef test_it():\n    logging.error("half \\ud800")\n    assert "\\ud801" == "a"\n'
    (tmp_path / "test_half.py").write_text(said, encoding="utf-8")
    code, told = run(tmp_path, "-n", workers)
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "half \\ud800" in told
    assert "1 failed, 2 passed" in told
