import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from airis_mon.cli.commands.doctor import EXTRAS
from airis_mon.cli.main import COMMANDS
from airis_mon.exporters.contracts import CONTRACTS
from airis_mon.spec import json_schema
from tests.cli import documents
from tests.cli.conftest import Run


def test_help_lists_every_command(airis_mon: Run) -> None:
    done = airis_mon("--help")
    assert done.returncode == 0
    for name, entry in COMMANDS.items():
        assert f"  {name:{max(map(len, COMMANDS))}}  {entry.summary}\n" in done.stdout


def test_no_command_is_wrong_usage(airis_mon: Run) -> None:
    done = airis_mon()
    assert done.returncode == 2
    assert done.stdout == ""
    assert "airis-mon COMMAND" in done.stderr


def test_a_misspelt_command_is_corrected(airis_mon: Run) -> None:
    done = airis_mon("bulid", "x.yaml")
    assert done.returncode == 2
    assert done.stderr == "airis-mon: there is no command `bulid`; did you mean `build`?\n"


def test_version_is_the_distributions(airis_mon: Run) -> None:
    assert airis_mon("--version").stdout == f"airis-mon {importlib.metadata.version('airis-mon')}\n"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_explains_itself(airis_mon: Run, name: str) -> None:
    done = airis_mon(name, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: airis-mon {name}")


def test_schema_is_the_documents_schema(airis_mon: Run) -> None:
    assert json.loads(airis_mon("schema").stdout) == json_schema()


def test_contracts_lists_every_signal_with_its_unit(airis_mon: Run) -> None:
    lines = [line.split(maxsplit=1) for line in airis_mon("contracts", "vllm").stdout.splitlines()]
    expected = [[signal, CONTRACTS["vllm"].unit(signal)] for signal in CONTRACTS["vllm"].signals()]
    assert [line for line in lines if line in expected] == expected
    assert ["otel-genai:", CONTRACTS["otel-genai"].title] not in lines


def test_a_closed_pipe_is_no_traceback() -> None:
    command = f"{sys.executable} -m airis_mon.cli contracts | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.startswith("otel-genai: ")
    assert done.stderr == ""


@pytest.mark.parametrize("name", ["schema", "contracts"])
def test_a_full_disk_is_one_line_and_a_failure(name: str) -> None:
    command = f"{sys.executable} -m airis_mon.cli {name} > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == f"airis-mon {name}: No space left on device\n"
    assert done.returncode == 1


def test_a_wrong_duration_for_the_analyzer_is_told_as_a_sentence(airis_mon: Run) -> None:
    done = airis_mon("analyzer", "run", "--config.file=x", "--prometheus.url=http://x", "--interval=5")
    assert done.returncode == 2
    assert "--interval: `5` is no duration; write a number and a unit, such as" in done.stderr


BARE = """
import importlib.abc, sys
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
from airis_mon.cli import main
sys.exit(main({words!r}))
"""


def bare(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command on an installation without any extra."""
    absent = {module.partition(".")[0] for extra in EXTRAS.values() for module in extra}
    script = BARE.format(absent=absent, words=list(words))
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(
    ("command", "extra"),
    [("check", "cli"), ("build", "cli"), ("up", "stack"), ("sidecar", "sidecar"), ("analyzer", "analyzer")],
)
def test_a_missing_extra_is_told_with_what_to_type(command: str, extra: str) -> None:
    done = bare(command, "x.yaml")
    assert done.returncode == 1
    assert re.fullmatch(
        rf'airis-mon {command} needs \w+: pip install "airis-mon\[{extra}\]"\n', done.stderr
    ), done.stderr


def test_candidates_without_statsmodels_are_warned_of_with_what_to_type(tmp_path: Path) -> None:
    (tmp_path / "chat.yaml").write_text(
        documents.monitor().replace("horizon: 24h", "horizon: 24h, candidates: [theta]")
        + "---\n"
        + documents.PEOPLE
    )
    script = (
        "import sys; sys.modules['statsmodels'] = None\n"
        "from airis_mon.cli import main; sys.exit(main(['check', 'chat.yaml']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "(spec.forecasts[0].candidates)" in done.stderr
    assert '= pip install "airis-mon[statsmodels]" where the analyzer runs' in done.stderr


@pytest.mark.parametrize("others", [1, 2])
def test_time_budgets_are_warned_of_together(airis_mon: Run, tmp_path: Path, others: int) -> None:
    text = documents.monitor().replace("horizon: 24h", "horizon: 24h, candidates: [theta], time_budget: 30s")
    monitors = [text, *(text.replace("name: support-chat", f"name: chat{n}") for n in range(others))]
    file = tmp_path / "chat.yaml"
    file.write_text("---\n".join([*monitors, documents.PEOPLE]))
    done = airis_mon("check", str(file))
    assert done.returncode == 0, done.stderr
    warned = "3 forecasts with candidates may take 1m30s of a processor together" in done.stderr
    assert warned == (others == 2), done.stderr


def test_doctor_runs_without_any_extra_and_names_them() -> None:
    done = bare("doctor")
    assert done.returncode == 1
    for extra in ("cli", "sidecar", "analyzer"):
        assert f'-> pip install "airis-mon[{extra}]"' in done.stdout
    assert "\n3 missing" in done.stdout


def test_doctor_knows_every_extra() -> None:
    declared: dict[str, set[str]] = {}
    for line in importlib.metadata.requires("airis-mon") or ():
        match = re.match(r"([\w.-]+).*extra == ['\"](\w+)['\"]", line)
        if match and match[1] != "airis-mon":
            declared.setdefault(match[2], set()).add(match[1].lower())
    told = {extra: {name.lower() for name in modules.values()} for extra, modules in EXTRAS.items()}
    assert set(told) == set(declared) - {"stack"}
    # A distribution that two extras share is told once.
    assert set().union(*told.values()) == set().union(*declared.values())
    for extra, names in told.items():
        assert names <= declared[extra]


def test_doctor_names_the_server_that_is_missing(airis_mon: Run, tmp_path: Path) -> None:
    done = airis_mon("doctor", "--prometheus", tmp_path / "nowhere")
    assert done.returncode == 1
    assert "MISSING  prometheus     prometheus: " in done.stdout
    assert "or name the file with --prometheus BIN" in done.stdout or "-> name the file" in done.stdout


def test_doctor_tells_a_machine_without_apt_what_fits(airis_mon: Run, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "airis_mon.cli", "doctor"],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    for name in ("prometheus", "promtool"):
        line = next(number for number, line in enumerate(lines) if line.split()[:2] == ["MISSING", name])
        assert f"PATH has no {name}; Debian's package prometheus: " in lines[line]
        assert f"-> name the file with --{name} BIN" in lines[line + 1]
        assert ("install Docker" in lines[line + 1]) == (name == "prometheus")
    assert "apt-get install" not in done.stdout
