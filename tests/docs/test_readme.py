from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from airis_mon.cli.build import build
from airis_mon.cli.folder import MANIFEST
from airis_mon.cli.main import COMMANDS, main
from airis_mon.spec import decode

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(
    path for path in ROOT.glob("**/*.md") if not any(part.startswith(".") for part in path.parts[:-1])
)


def published() -> Iterator[str]:
    """Every series and alert of every `series.py`: not what stands under labels, values or annotations."""
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
                and not heading.startswith(("# Labels", "# Values", "# Annotations"))
            ):
                yield str(statement.value.value)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_every_series_and_alert_is_named() -> None:
    named = set(re.findall(r"`([^`\s]+)`", README))
    assert len(list(published())) > 30
    assert [name for name in published() if name not in named] == []


def test_every_command_is_named() -> None:
    assert [command for command in COMMANDS if f"airis-mon {command}" not in README] == []


def test_mistake_is_told_as_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (document,) = (text for text in blocks("yaml") if "kind: ModelMonitor" in text)
    (shown,) = (text for text in blocks("text") if text.startswith("error: "))
    (tmp_path / "chat.yaml").write_text(document.replace("below: 500ms", "below: 400ms"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["check", "chat.yaml"]) == 1
    said = capsys.readouterr()
    told, _, verdict = (said.out + said.err).partition("\n\n")
    assert told == shown.rstrip("\n")
    assert verdict.startswith("1 problem in 1 file")


def test_files_of_a_build_are_listed() -> None:
    (document,) = (text for text in blocks("yaml") if "kind: ModelMonitor" in text)
    artefacts = build(decode({"chat.yaml": document}).bundle)
    table = " ".join(line for line in README.splitlines() if line.startswith("| `out/"))
    listed = re.findall(r"`([^`\s]+)`", table)
    patterns = [name for name in listed if name.startswith("out/")] + ["out/alertmanager/airis-mon.tmpl"]
    assert "airis-mon.tmpl" in listed
    assert f"out/{MANIFEST}" in listed
    paths = [f"out/{artefact.path}" for artefact in artefacts]
    assert len(paths) > 5
    assert [path for path in paths if not any(fnmatch(path, pattern) for pattern in patterns)] == []


def test_what_is_sent_to_the_sidecar_becomes_the_series_shown(sidecar: str) -> None:
    (script,) = (text for text in blocks("sh") if "/v1/events" in text)
    # Read rather than run by a shell: curl need not be here.
    calls = re.findall(r"curl (?:-s )?(http://\S+)(?: -H '([^:]+): ([^']+)' -d '([^']+)')?\n", script)
    assert len(calls) == script.count("curl ") == 3
    said = ""
    for url, header, value, body in calls:
        assert url.startswith("http://127.0.0.1:9466/")
        request = Request(url.replace("http://127.0.0.1:9466", sidecar), data=body.encode() or None)
        if header:
            request.add_header(header, value)
        with urlopen(request, timeout=10) as answer:
            said = answer.read().decode()
        if header:
            assert f"`{said}`" in README
    (shown,) = (text for text in blocks("text") if "_bucket{" in text)
    assert [line for line in shown.splitlines() if line not in said.splitlines()] == []


def test_a_short_job_sends_as_shown_by_the_sdk_and_by_hand(sidecar: str) -> None:
    (job,) = (text for text in blocks("python") if "Sender(" in text)
    program = job.replace("http://127.0.0.1:9466", sidecar)
    assert program != job
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    (script,) = (text for text in blocks("sh") if "/v1/operations" in text)
    found = re.fullmatch(r"curl http://127.0.0.1:9466(/\S+) -H '([^:]+): ([^']+)' -d '([^']+)'\n", script)
    assert found is not None
    path, header, value, body = found.groups()
    with urlopen(Request(sidecar + path, body.encode(), {header: value}), timeout=10) as answer:
        assert json.load(answer) == {"accepted": 1, "rejected": 0}
    with urlopen(f"{sidecar}/metrics", timeout=10) as answer:
        exposed = answer.read().decode().splitlines()
    tokens = [
        line for line in exposed if line.startswith("gen_ai_client_inference_usage_input_tokens_total{")
    ]
    assert len(tokens) == 1
    assert 'source="nightly-report"' in tokens[0]
    assert tokens[0].endswith(" 2400.0")


def test_documents_it_shows_are_good() -> None:
    shown = blocks("yaml")
    assert any("kind: ModelMonitor" in text for text in shown)
    assert decode({"README.md": "---\n".join(shown)}).problems == ()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
