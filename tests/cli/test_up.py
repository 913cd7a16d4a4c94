import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from airis_mon.cli.commands.up import retention
from airis_mon.cli.documents import load
from airis_mon.stack.servers import Server
from tests.cli.conftest import Run
from tests.cli.documents import monitor, small
from tests.conftest import Until

NAMES = {
    "prometheus": "Prometheus",
    "alertmanager": "Alertmanager",
    "sidecar": "sidecar",
    "analyzer": "analyzer",
}
PARTS = tuple(NAMES)
SAMPLE = {
    "timestamp": "2024-01-01T00:00:00Z",
    "source": "ai-model-v1.2",
    "metric_type": "performance",
    "metric_name": "inference_time",
    "value": 125.3,
    "unit": "milliseconds",
    "tags": {"environment": "production"},
}


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def post(url: str, content: object) -> None:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(content).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status < 300


def query(base: str, expression: str) -> Any:
    return get(f"{base}/api/v1/query?{urlencode({'query': expression})}")["data"]["result"]


def descendants(pid: int) -> set[int]:
    """Return the process ids below `pid`, from /proc."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[0] != "Z":
            parents[int(stat.parent.name)] = int(fields[1])
    found, size = {pid}, 0
    while len(found) > size:
        size = len(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found - {pid}


def alive(pids: set[int]) -> set[int]:
    return {
        pid
        for pid in pids
        if Path(f"/proc/{pid}/stat").exists()
        and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    }


@pytest.fixture
def servers(prometheus: Server, alertmanager: Server) -> Sequence[str]:
    """The flags that choose the versions under test, where they are not the ones that are found anyway."""
    words: list[str] = []
    for server in (prometheus, alertmanager):
        if server.origin == "given":
            words += [f"--{server.name}", str(server.path)]
    return words


@contextmanager
def up(*words: str | Path) -> "Iterator[subprocess.Popen[str]]":
    with subprocess.Popen(
        [sys.executable, "-m", "airis_mon.cli", "up", *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.communicate(timeout=60)
                except subprocess.TimeoutExpired:
                    process.kill()


def urls(process: "subprocess.Popen[str]") -> dict[str, str]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        pytest.fail(f"it did not start: {process.communicate()[1]}")
    found: dict[str, str] = json.loads(line)
    return found


def test_the_whole_stack_starts_wired_answers_and_leaves_nothing(
    airis_mon: Run,
    documents: list[str],
    servers: Sequence[str],
    prometheus: Server,
    tmp_path: Path,
    until: Until,
) -> None:
    with up(*documents, "--json", "--data", tmp_path / "data", *servers, "--scrape-interval=1s") as process:
        found = urls(process)
        assert list(found) == list(PARTS)
        for url in found.values():
            assert url.startswith("http://127.0.0.1:")
            with urllib.request.urlopen(f"{url}/-/ready", timeout=10) as answer:
                assert answer.status == 200
        children = descendants(process.pid)
        assert len(children) == 4

        base = found["prometheus"]
        build = get(f"{base}/api/v1/status/buildinfo")["data"]["version"]
        assert build.startswith(".".join(map(str, prometheus.version)))
        # Scraped, evaluated, wired to Alertmanager.
        jobs = {"prometheus", "alertmanager", "airis-sidecar", "airis-analyzer"}
        until(lambda: targets(base) == dict.fromkeys(jobs, "up"))
        groups = get(f"{base}/api/v1/rules")["data"]["groups"]
        assert {Path(group["file"]).name for group in groups} == {"support-chat.rules.yaml"}
        managers = get(f"{base}/api/v1/alertmanagers")["data"]["activeAlertmanagers"]
        assert [manager["url"] for manager in managers] == [f"{found['alertmanager']}/api/v2/alerts"]
        assert "oncall" in get(f"{found['alertmanager']}/api/v2/status")["config"]["original"]
        second = airis_mon("up", "--json", "--data", tmp_path / "data", *servers)
        assert (second.returncode, second.stdout) == (1, "")
        assert second.stderr == f"{tmp_path / 'data'} is in use by another `airis-mon up`\n"
        # What is sent to the sidecar arrives, with the labels that it was sent with.
        post(f"{found['sidecar']}/v1/metrics", SAMPLE)
        until(lambda: bool(query(base, 'inference_time_seconds_count{environment="production"}')))
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=60)
    assert (process.returncode, rest) == (0, ""), said
    assert alive(children) == set()
    assert (tmp_path / "data/prometheus").is_dir()  # kept, as asked


def targets(base: str) -> dict[str, str]:
    found = get(f"{base}/api/v1/targets?state=active")["data"]["activeTargets"]
    return {target["labels"]["job"]: target["health"] for target in found}


def test_where_rules_do_all_of_it_no_analyzer_is_started(
    servers: Sequence[str], tmp_path: Path, until: Until
) -> None:
    (tmp_path / "chat.yaml").write_text(small("chat") + "  engine: rules\n")
    with up(tmp_path / "chat.yaml", "--json", *servers) as process:
        found = urls(process)
        assert [name for name, url in found.items() if url] == ["prometheus", "alertmanager", "sidecar"]
        assert len(descendants(process.pid)) == 3
        jobs = {"prometheus", "alertmanager", "airis-sidecar"}
        until(lambda: targets(found["prometheus"]) == dict.fromkeys(jobs, "up"))
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 0, said
    assert "rules do all of it: nothing is left for the analyzer, and none is started" in said


def test_without_documents_there_is_a_plain_stack_that_a_person_can_read(servers: Sequence[str]) -> None:
    with up(*servers) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        assert [line.split()[0] for line in lines[:5]] == [
            "Prometheus",
            "Alertmanager",
            "sidecar",
            "analyzer",
            "data",
        ]
        data = Path(lines[4].split()[1])
        assert data.is_dir()
        children = descendants(process.pid)
        process.terminate()
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 0, said
    assert alive(children) == set()
    assert not data.exists()


def test_an_application_is_scraped_and_addresses_are_kept(
    servers: Sequence[str], free_port: Callable[[], int], until: Until
) -> None:
    application, chosen = free_port(), free_port()
    words = (f"--scrape=chat=127.0.0.1:{application}", f"--sidecar.listen-address=127.0.0.1:{chosen}")
    with up("--json", *servers, *words) as process:
        found = urls(process)
        assert found["sidecar"] == f"http://127.0.0.1:{chosen}"
        until(lambda: "chat" in targets(found["prometheus"]))


@pytest.mark.parametrize("part", PARTS)
def test_a_taken_port_is_named_and_nothing_is_left(airis_mon: Run, servers: Sequence[str], part: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        address = f"127.0.0.1:{holder.getsockname()[1]}"
        done = airis_mon("up", "--json", *servers, f"--{part}.listen-address={address}")
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"{NAMES[part]} cannot listen on {address}: another process does" in done.stderr
    assert f"--{part}.listen-address HOST:PORT" in done.stderr
    assert "Everything that was started has been ended." in done.stderr


def test_one_address_for_two_parts_is_told_as_that(
    airis_mon: Run, servers: Sequence[str], free_port: Callable[[], int]
) -> None:
    address = f"127.0.0.1:{free_port()}"
    flags = [f"--{part}.listen-address={address}" for part in ("sidecar", "analyzer")]
    done = airis_mon("up", "--json", *servers, *flags)
    assert done.returncode == 1
    assert f"sidecar and analyzer were both given {address}" in done.stderr
    assert "--sidecar.listen-address or --analyzer.listen-address HOST:PORT" in done.stderr


@pytest.mark.parametrize(("window", "days"), [("30d", 45), ("90d", 93)])
def test_what_a_document_looks_back_on_is_kept(tmp_path: Path, window: str, days: int) -> None:
    document = tmp_path / "m.yaml"
    text = monitor().replace("target: 99.9%,", f"target: 99.9%, window: {window},")
    document.write_text(text.replace(", escalation: standard", ""))
    assert retention(load([document])) == days * 86_400


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
def test_a_missing_binary_is_named(airis_mon: Run, tmp_path: Path, name: str) -> None:
    done = airis_mon("up", f"--{name}", tmp_path / "nowhere")
    assert done.returncode == 1
    assert f"{name}: {tmp_path}/nowhere does not run: No such file or directory" in done.stderr


def test_a_document_that_does_not_compile_starts_nothing(airis_mon: Run, tmp_path: Path) -> None:
    document = tmp_path / "m.yaml"
    document.write_text(monitor().replace("640ms", "600ms").replace(", escalation: standard", ""))
    done = airis_mon("up", document, "--json")
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"--> {document}:9:" in done.stderr
    assert done.stderr.endswith("nothing was started\n")
    assert "starting" not in done.stderr


@pytest.mark.parametrize("part", ["prometheus", "analyzer"])
def test_a_part_that_dies_is_named_and_takes_the_rest_with_it(servers: Sequence[str], part: str) -> None:
    with up("--json", *servers) as process:
        found = urls(process)
        children = descendants(process.pid)
        victim = next(
            pid
            for pid in children
            if found[part].removeprefix("http://") in listening(pid) and part in listening(pid)
        )
        os.kill(victim, signal.SIGKILL)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert "was ended by signal 9" in said
    assert part in said.lower()
    assert alive(children) == set()


def listening(pid: int) -> str:
    """Return the command line without URLs, so that an address names only its own server."""
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return " ".join(word for word in words if "://" not in word)


def test_a_signal_while_starting_ends_what_was_started(servers: Sequence[str], until: Until) -> None:
    with up("--json", *servers) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "starting Prometheus" in line:
                break
        until(lambda: bool(descendants(process.pid)))
        children = descendants(process.pid)
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=60)[0]
    assert (process.returncode, rest) == (130, "")  # nobody may take it for a stack that ran
    assert alive(children) == set()


def test_killing_it_ends_its_children(servers: Sequence[str], until: Until, tmp_path: Path) -> None:
    with up("--json", "--data", tmp_path, *servers) as process:
        urls(process)
        children = descendants(process.pid)
        process.kill()
        process.communicate(timeout=60)
    until(lambda: not alive(children))


def test_two_stacks_at_once_do_not_meet(servers: Sequence[str]) -> None:
    with up("--json", *servers) as first, up("--json", *servers) as second:
        assert not set(urls(first).values()) & set(urls(second).values())


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("--scrape=127.0.0.1:80", "`127.0.0.1:80` is no target; write JOB=HOST:PORT"),
        ("--sidecar.listen-address=9466", "`9466` is no address; write host:port"),
        ("--scrape-interval=15", "--scrape-interval: `15` is no duration; write a number and a unit"),
        ("--data=", "--data: the path is empty; name a folder"),
        ("--scrape-interval=0s", "`0s` is not longer than nothing"),
    ],
)
def test_a_wrong_argument_is_told_with_what_to_write(airis_mon: Run, word: str, message: str) -> None:
    done = airis_mon("up", word)
    assert done.returncode == 2
    assert message in done.stderr
