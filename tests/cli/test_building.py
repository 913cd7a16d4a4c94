import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from airis_mon.cli import folder
from airis_mon.cli.folder import MANIFEST, FolderError
from airis_mon.spec import Artefact
from airis_mon.stack.servers import Server
from tests.cli.conftest import Run
from tests.cli.documents import monitor, small
from tests.conftest import Until


def content(target: Path) -> dict[str, bytes]:
    return {
        path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()
    }


def install(target: Path, files: dict[str, str]) -> folder.Changes:
    artefacts = [Artefact(path, text) for path, text in files.items()]
    with folder.staged(target, artefacts) as stage:
        return folder.install(stage, target, artefacts)


def test_every_derived_file_passes_the_real_tools_and_repeats_to_the_byte(
    airis_mon: Run, documents: list[str], tools: Sequence[str], tmp_path: Path
) -> None:
    first = airis_mon("build", *documents, "-o", tmp_path / "a", *tools)
    assert first.returncode == 0, first.stderr
    for proof in ("check rules", "test rules", "check-config", "routes test"):
        assert f" x {proof}" in first.stderr
    assert first.stdout.startswith(f"{tmp_path / 'a'}: ")
    files = content(tmp_path / "a")
    assert {
        "rules/support-chat.rules.yaml",
        "analyzer/analyzer.yaml",
        "alertmanager/alertmanager.yaml",
        "alertmanager/airis-mon.tmpl",
        "grafana/dashboards/support-chat.json",
        MANIFEST,
    } <= set(files)
    second = airis_mon("build", *documents, "-o", tmp_path / "b", *tools)
    assert second.returncode == 0, second.stderr
    assert content(tmp_path / "b") == files
    again = airis_mon("build", *documents, "-o", tmp_path / "a", *tools)
    assert f": 0 files written, {len(files) - 1} unchanged, 0 removed" in again.stdout
    assert content(tmp_path / "a") == files
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "chat.yaml", "people.yaml"]


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("x" * 300, 1, "File name too long"),
        ("", 2, "argument -o/--output: the path is empty; name a folder"),
    ],
)
def test_an_output_that_is_no_folder_is_told_in_one_line(
    airis_mon: Run, documents: list[str], tools: Sequence[str], name: str, code: int, message: str
) -> None:
    done = airis_mon("build", *documents, "-o", name, *tools)
    assert done.returncode == code
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_tool_that_is_another_program_is_told_in_one_line(airis_mon: Run, documents: list[str]) -> None:
    done = airis_mon("build", *documents, "-o", "nowhere", "--promtool", sys.executable)
    assert done.returncode == 1
    assert done.stderr == f"promtool: {sys.executable} is no promtool\n"


def test_a_renamed_monitor_leaves_nothing_of_its_old_name(
    airis_mon: Run, tools: Sequence[str], tmp_path: Path
) -> None:
    document, target = tmp_path / "m.yaml", tmp_path / "out"
    document.write_text(small("old-name"))
    assert airis_mon("build", document, "-o", target, *tools).returncode == 0
    (target / "rules/own.rules.yaml").write_text("groups: []\n")
    document.write_text(small("new-name"))
    done = airis_mon("build", document, "-o", target, *tools)
    assert done.returncode == 0, done.stderr
    names = set(content(target))
    assert not any("old-name" in name for name in names)
    assert {"rules/new-name.rules.yaml", "rules/own.rules.yaml"} <= names


def test_a_failing_proof_is_shown_and_leaves_the_output_as_it_was(
    airis_mon: Run, tools: Sequence[str], tmp_path: Path
) -> None:
    document, target = tmp_path / "m.yaml", tmp_path / "out"
    document.write_text(small("chat"))
    assert airis_mon("build", document, "-o", target, *tools).returncode == 0
    before = content(target)
    # A promtool that refuses all tests: what stands between a wrong rule and the output.
    refusing = tmp_path / "promtool"
    refusing.write_text(
        '#!/bin/sh\ncase "$1" in --version) echo "promtool, version 2.42.0";;'
        ' test) echo "FAILED: alertname: X, time: 5m"; exit 1;; esac\n'
    )
    refusing.chmod(0o755)
    document.write_text(small("other"))
    done = airis_mon("build", document, "-o", target, "--promtool", refusing, *tools[2:])
    assert done.returncode == 1
    assert done.stdout == ""
    assert "`promtool test rules rules/proofs/standing." in done.stderr
    assert "    FAILED: alertname: X, time: 5m\n" in done.stderr
    assert f"failed; {target} is as it was" in done.stderr
    assert content(target) == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".out")]


def test_a_build_says_which_proofs_ran_and_which_were_known(
    airis_mon: Run, tools: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    one, two, target = tmp_path / "one.yaml", tmp_path / "two.yaml", tmp_path / "out"
    one.write_text(small("one"))
    two.write_text(small("two"))
    first = airis_mon("build", one, two, "-o", target, *tools)
    assert "    2 x test rules" in first.stderr
    assert re.search(r"\n +rules/proofs/standing\.[0-9a-f]{12}\.test\.yaml  [0-9.]+ s\n", first.stderr)
    # Nothing is derived of what is as it was, and another monitor of the same shape needs no proof.
    three = tmp_path / "three.yaml"
    three.write_text(small("three"))
    second = airis_mon("build", one, two, three, "-o", target, *tools)
    assert "    0 x test rules      0.0 s, 2 known already" in second.stderr
    assert "    1 x check rules" in second.stderr
    assert "rules/three.rules.yaml" in content(target)
    again = airis_mon("build", one, two, three, "-o", target, "--again", *tools)
    assert "    2 x test rules" in again.stderr
    assert "    3 x check rules" in again.stderr


def test_a_file_that_somebody_changed_or_removed_is_derived_again(
    airis_mon: Run, tools: Sequence[str], tmp_path: Path
) -> None:
    one, target = tmp_path / "one.yaml", tmp_path / "out"
    one.write_text(small("one"))
    assert airis_mon("build", one, "-o", target, *tools).returncode == 0
    before = content(target)
    proof, _ = (target / "rules/proofs").glob("*.test.yaml")
    for path in (target / "rules/one.rules.yaml", target / "grafana/dashboards/one.json", proof):
        path.write_text("edited")
        assert airis_mon("build", one, "-o", target, *tools).returncode == 0
        assert content(target) == before
        path.unlink()
        assert airis_mon("build", one, "-o", target, *tools).returncode == 0
        assert content(target) == before


def test_a_shortened_list_of_what_follows_from_a_document_removes_nothing(
    airis_mon: Run, tools: Sequence[str], tmp_path: Path
) -> None:
    one, target = tmp_path / "one.yaml", tmp_path / "out"
    one.write_text(small("one"))
    assert airis_mon("build", one, "-o", target, *tools).returncode == 0
    before = content(target)
    manifest = json.loads((target / MANIFEST).read_text())
    manifest["documents"]["one"]["files"].remove("rules/one.rules.yaml")
    (target / MANIFEST).write_text(json.dumps(manifest))
    done = airis_mon("build", one, "-o", target, *tools)
    assert done.stdout.endswith(" 0 removed\n")
    assert content(target) == before


@pytest.mark.parametrize(
    "documents",
    [
        {"a": {"key": "k", "files": ["nowhere"]}},
        {"a": {"key": 1, "files": []}},
        {"a": []},
        ["a"],
    ],
)
def test_a_manifest_that_says_nonsense_is_refused(tmp_path: Path, documents: object) -> None:
    (tmp_path / MANIFEST).write_text(json.dumps({"files": {}, "documents": documents}))
    with pytest.raises(FolderError, match="is not readable as the list of an earlier build"):
        folder.derivations(tmp_path)


def test_a_document_with_problems_builds_nothing(airis_mon: Run, tmp_path: Path) -> None:
    document = tmp_path / "m.yaml"
    document.write_text(monitor().replace("99.9%", "0.999"))
    done = airis_mon("build", document, "-o", tmp_path / "out")
    assert done.returncode == 1
    assert f"{document}:8:" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_tool_that_is_missing_is_named(airis_mon: Run, documents: list[str], tmp_path: Path) -> None:
    done = airis_mon("build", *documents, "-o", tmp_path / "out", "--promtool", tmp_path / "nowhere")
    assert done.returncode == 1
    assert done.stderr.strip() == f"promtool: {tmp_path}/nowhere does not run: No such file or directory"


def test_native_histograms_need_a_promtool_that_can_test_them(
    airis_mon: Run, tools: Sequence[str], promtool: Server, tmp_path: Path
) -> None:
    native = "{name: fast, target: 99%, latency: {of: request_duration, below: 400ms, native: true}}"
    document = tmp_path / "native.yaml"
    document.write_text(
        small("native").replace("anomalies: [{of: error_ratio}]", f"objectives: [{native}]"), encoding="utf-8"
    )
    done = airis_mon("build", document, "-o", tmp_path / "out", "--prometheus-version", "3.0", *tools)
    if promtool.version[:2] >= (3, 0):
        assert done.returncode == 0, done.stderr
        return
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2:] == [
        f"promtool {'.'.join(map(str, promtool.version))} cannot test native histograms, "
        "and nothing is emitted unproven",
        "What helps: name one of 3.0 or newer with --promtool BIN, or leave `native` out of latencies and "
        "`native_histograms` out of sources",
    ]
    assert not (tmp_path / "out").exists()


def test_what_no_build_wrote_is_never_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "rules").mkdir()
    (target / "rules/a.yaml").write_text("mine")
    with pytest.raises(FolderError, match=r"(?s)not written by a build.*rules/a\.yaml"):
        install(target, {"rules/a.yaml": "derived", "b.yaml": "b"})
    assert content(target) == {"rules/a.yaml": b"mine"}


def test_a_file_that_somebody_edited_is_derived_again(tmp_path: Path) -> None:
    install(tmp_path / "out", {"a.yaml": "a", "b.yaml": "b"})
    (tmp_path / "out/a.yaml").write_text("edited")
    changes = install(tmp_path / "out", {"a.yaml": "a", "b.yaml": "b"})
    assert changes == folder.Changes(written=("a.yaml",), unchanged=("b.yaml",), removed=())
    assert (tmp_path / "out/a.yaml").read_text() == "a"


def test_a_build_that_was_killed_half_way_is_repaired_by_the_next(tmp_path: Path) -> None:
    target = tmp_path / "out"
    install(target, {"a.yaml": "1", "gone.yaml": "1"})
    artefacts = [Artefact("a.yaml", "2"), Artefact("b.yaml", "2")]
    with folder.staged(target, artefacts) as stage:
        (stage / "b.yaml").unlink()  # the move of the second file fails
        with pytest.raises(FolderError, match="cannot write to"):
            folder.install(stage, target, artefacts)
    assert set(content(target)) == {"a.yaml", "gone.yaml", MANIFEST}
    install(target, {"a.yaml": "3", "b.yaml": "3"})
    assert set(content(target)) == {"a.yaml", "b.yaml", MANIFEST}


def test_folders_that_empty_go_and_those_with_other_files_stay(tmp_path: Path) -> None:
    target = tmp_path / "out"
    install(target, {"x/y/a.yaml": "a", "z/b.yaml": "b"})
    (target / "z/own").write_text("own")
    changes = install(target, {})
    assert set(changes.removed) == {"x/y/a.yaml", "z/b.yaml"}
    assert set(content(target)) == {"z/own", MANIFEST}
    assert not (target / "x").exists()


@pytest.mark.parametrize("path", ["../outside", "/etc/outside", "a/../../outside"])
def test_a_manifest_cannot_reach_outside(tmp_path: Path, path: str) -> None:
    (tmp_path / "outside").write_text("keep")
    target = tmp_path / "out"
    target.mkdir()
    (target / MANIFEST).write_text(json.dumps({"files": {path: "0"}}))
    with pytest.raises(FolderError, match="does not lie below the folder"):
        install(target, {"a.yaml": "a"})
    assert (tmp_path / "outside").read_text() == "keep"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    target, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.yaml").write_text("keep")
    install(target, {"x/a.yaml": "a"})
    (target / "x/a.yaml").unlink()
    (target / "x").rmdir()
    (target / "x").symlink_to(elsewhere)
    assert install(target, {}).removed == ()
    assert (elsewhere / "a.yaml").read_text() == "keep"


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(FolderError, match="out is a file; choose a folder"):
        install(tmp_path / "out", {"a": "a"})


def test_an_interrupted_proof_leaves_nothing_behind(
    documents: list[str], tools: Sequence[str], tmp_path: Path, until: Until
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "airis_mon.cli", "build", *documents, "-o", str(tmp_path / "out"), *tools],
        env={**os.environ, "TMPDIR": str(temporary), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until(lambda: any(temporary.rglob("test_storage*")))
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.wait()
    assert list(temporary.iterdir()) == []
    assert not (tmp_path / "out").exists()
