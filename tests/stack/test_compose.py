import json
import shutil
import subprocess
from pathlib import Path

import pytest

from airis_mon.stack import alertmanager, compose, ports, prometheus
from airis_mon.stack.processes import Command, Process
from airis_mon.stack.servers import Server

INSIDE = Server(Path("/bin/server"), None, ())


def commands(folder: Path, prometheus_port: int = 1001, alertmanager_port: int = 1002) -> dict[str, Command]:
    return {
        "prometheus": prometheus.command(
            INSIDE, config=folder / "p.yml", data=folder / "p", address=f"127.0.0.1:{prometheus_port}"
        ),
        "alertmanager": alertmanager.command(
            INSIDE, config=folder / "a.yml", data=folder / "a", address=f"127.0.0.1:{alertmanager_port}"
        ),
    }


def test_containers_get_the_flags_folders_and_user_that_processes_would() -> None:
    folder = Path("/data/$1")
    project = compose.project(commands(folder), {folder: "rw", Path("/built"): "ro"}, "1000:1000")
    assert set(project) == {"services"}
    assert set(project["services"]) == {"prometheus", "alertmanager"}
    for name, service in project["services"].items():
        image, _, tag = service["image"].rpartition(":")
        assert image == f"docker.io/prom/{name}"
        assert tag.removeprefix("v").replace(".", "").isdecimal()  # pinned
        assert service["network_mode"] == "host"
        assert service["user"] == "1000:1000"
        assert service["volumes"] == [
            {"type": "bind", "source": "/data/$$1", "target": "/data/$$1", "read_only": False},
            {"type": "bind", "source": "/built", "target": "/built", "read_only": True},
        ]
    flags = project["services"]["prometheus"]["command"]
    assert flags[0] == "--config.file=/data/$$1/p.yml"  # compose would substitute a single dollar
    assert "--web.enable-remote-write-receiver" in flags
    assert "--web.listen-address=127.0.0.1:1001" in flags
    assert "--cluster.listen-address=" in project["services"]["alertmanager"]["command"]


def test_one_command_runs_both_and_tidies_up() -> None:
    made = compose.command(Path("/d/compose.yaml"), "airis-mon-1", commands(Path("/d")))
    base = ("compose", "--project-name", "airis-mon-1", "--file", "/d/compose.yaml")
    assert made.name == "Prometheus and Alertmanager in Docker Compose"
    assert made.argv[1:] == (*base, "up", "--abort-on-container-exit", "--no-color")
    assert made.after[1:] == (*base, "down", "--timeout", "5")
    assert (made.url, *made.more_urls) == ("http://127.0.0.1:1001", "http://127.0.0.1:1002")


def test_compose_is_no_choice_without_docker(tmp_path: Path) -> None:
    assert not compose.available(str(tmp_path / "docker"))


@pytest.mark.parametrize("broken", ["compose", "info"])
def test_compose_is_no_choice_where_the_plugin_or_the_daemon_is_missing(tmp_path: Path, broken: str) -> None:
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\n[ "$1" != {broken} ]\n')
    docker.chmod(0o755)
    assert not compose.available(str(docker))
    docker.write_text("#!/bin/sh\nexit 0\n")
    assert compose.available(str(docker))


def test_containers_start_answer_and_go(tmp_path: Path) -> None:
    if not compose.available():
        pytest.skip("no Docker daemon with Compose here")
    (tmp_path / "p.yml").write_text("{}")
    (tmp_path / "a.yml").write_text("{route: {receiver: nobody}, receivers: [{name: nobody}]}")
    for name in ("p", "a"):
        (tmp_path / name).mkdir()
    made = commands(tmp_path, ports.free_port(), ports.free_port())
    stat = tmp_path.stat()
    project = compose.project(made, {tmp_path: "rw"}, f"{stat.st_uid}:{stat.st_gid}")
    file = tmp_path / "compose.yaml"
    file.write_text(json.dumps(project))  # YAML takes JSON
    process = Process(compose.command(file, "airis-mon-test", made), tmp_path / "log")
    try:
        process.wait_ready()
    finally:
        process.stop(60)
    docker = shutil.which("docker") or ""
    left = subprocess.run(
        [docker, "ps", "-aq", "--filter", "name=airis-mon-test"], capture_output=True, check=True
    )
    assert left.stdout == b""
