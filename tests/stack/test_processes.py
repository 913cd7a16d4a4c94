import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from airis_mon.stack import ports, prometheus
from airis_mon.stack.processes import Command, Process, ProcessError
from airis_mon.stack.servers import Server
from tests.conftest import Until

HOLD = """
import sys, time
from pathlib import Path
from airis_mon.stack.processes import Command, Process
Process(Command("held", tuple(sys.argv[2:]), "http://127.0.0.1:1"), Path(sys.argv[1]))
time.sleep(600)
"""


def command(server: Server, folder: Path, config: str = "", *flags: str, deadline: float = 30.0) -> Command:
    file = folder / "prometheus.yml"
    file.write_text(config)
    address = f"127.0.0.1:{ports.free_port()}"
    made = prometheus.command(server, config=file, data=folder / "data", address=address, flags=flags)
    return Command(made.name, made.argv, made.url, made.cwd, deadline)


def test_a_server_is_ready_once_it_says_so_and_gone_once_stopped(prometheus: Server, tmp_path: Path) -> None:
    process = Process(command(prometheus, tmp_path), tmp_path / "log")
    process.wait_ready()
    assert process.exit_code is None
    process.stop()
    assert process.exit_code == 0  # SIGTERM, and time to write its head
    process.stop()  # and again is no harm


def test_a_server_that_dies_is_told_with_its_last_lines(prometheus: Server, tmp_path: Path) -> None:
    process = Process(command(prometheus, tmp_path, "nonsense: [1"), tmp_path / "log")
    with pytest.raises(ProcessError) as raised:
        process.wait_ready()
    assert str(raised.value).startswith("Prometheus ended with exit code ")
    assert "prometheus.yml" in str(raised.value)


def test_a_server_that_never_gets_ready_is_told_after_its_deadline(tmp_path: Path) -> None:
    silent = Command("Silent", ("/bin/sleep", "600"), f"http://127.0.0.1:{ports.free_port()}", deadline=0.3)
    process = Process(silent, tmp_path / "log")
    try:
        with pytest.raises(ProcessError, match=r"Silent .* was not ready within 0 s. It said nothing."):
            process.wait_ready()
    finally:
        process.stop()
    assert process.exit_code == -signal.SIGTERM


def test_a_server_that_ignores_sigterm_is_killed(tmp_path: Path, until: Until) -> None:
    script = "trap '' TERM; echo deaf; while :; do sleep 0.1; done"
    deaf = Process(Command("Deaf", ("/bin/sh", "-c", script), "http://127.0.0.1:1"), tmp_path / "log")
    until(lambda: "deaf" in deaf.tail())
    deaf.stop(deadline=0.2)
    assert deaf.exit_code == -signal.SIGKILL


def test_what_tidies_up_runs_once_it_has_ended(tmp_path: Path) -> None:
    after = ("/bin/sh", "-c", f"echo tidy > {tmp_path}/tidied")
    process = Process(
        Command("X", ("/bin/sleep", "600"), "http://127.0.0.1:1", after=after), tmp_path / "log"
    )
    assert not (tmp_path / "tidied").exists()
    process.stop()
    assert (tmp_path / "tidied").read_text() == "tidy\n"


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    process = Process(Command("Nobody", ("/nowhere/nobody",), "http://127.0.0.1:1"), tmp_path / "log")
    with pytest.raises(
        ProcessError, match=r"Nobody ended with exit code 127. Its last lines:\n/nowhere/nobody: No"
    ):
        process.wait_ready()


def test_a_child_is_out_of_reach_of_the_terminals_ctrl_c(prometheus: Server, tmp_path: Path) -> None:
    process = Process(command(prometheus, tmp_path), tmp_path / "log")
    try:
        assert os.getsid(process.pid) == process.pid != os.getsid(0)
    finally:
        process.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path, until: Until) -> None:
    pid_file = tmp_path / "pid"
    child = ("/bin/sh", "-c", f"echo $$ > {pid_file}; exec sleep 600")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "log"), *child], stdout=subprocess.PIPE
    ) as parent:
        until(lambda: pid_file.exists() and pid_file.read_text().strip() != "")
        pid = int(pid_file.read_text())
        assert is_running(pid)
        parent.kill()
    until(lambda: not is_running(pid))


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # ended, and waiting for somebody to ask how


def test_a_configuration_with_awkward_folder_names_loads_its_rules(
    prometheus_server: Any, tmp_path: Path
) -> None:
    rules = tmp_path / "a[b]c? \\d"
    rules.mkdir()
    (rules / "x.rules.yaml").write_text("groups: [{name: g, rules: [{record: one, expr: '1'}]}]")
    config = prometheus_config(rules)
    server = prometheus_server(config)
    with urllib.request.urlopen(f"{server.url}/api/v1/rules", timeout=10) as answer:
        groups = json.load(answer)["data"]["groups"]
    assert [group["name"] for group in groups] == ["g"]


def prometheus_config(rules: Path) -> dict[str, Any]:
    return prometheus.configuration(
        rules=rules,
        alertmanager="127.0.0.1:1",
        jobs={"nobody": [{"targets": ["127.0.0.1:1"]}]},
        scrape_interval=0.5,
        evaluation_interval=15,
    )
