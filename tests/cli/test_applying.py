"""`diff` and `apply`: what would change, and that it changes on real servers as a whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from airis_mon.cli.build import build
from airis_mon.cli.releases import Releases
from airis_mon.cli.reloading import ReloadError
from airis_mon.cli.reloading import Server as Told
from airis_mon.cli.targets import Target
from airis_mon.spec import Artefact, decode
from airis_mon.stack import alertmanager as alertmanager_command
from airis_mon.stack import ports
from airis_mon.stack import prometheus as prometheus_command
from airis_mon.stack.processes import Process
from airis_mon.stack.servers import Server
from tests.cli.conftest import Run
from tests.cli.documents import PEOPLE, small


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_diff_tells_alerts_and_lines_and_writes_nothing(
    airis_mon: Run, tools: Sequence[str], tmp_path: Path
) -> None:
    document, target = tmp_path / "m.yaml", tmp_path / "out"
    document.write_text(small("chat"))
    first = airis_mon("diff", document, "-o", target)
    assert first.returncode == 1
    assert "--- /dev/null\n+++ rules/chat.rules.yaml\n" in first.stdout
    assert not target.exists()
    assert airis_mon("build", document, "-o", target, *tools).returncode == 0
    before = files(target)
    same = airis_mon("diff", document, "-o", target)
    assert (same.returncode, same.stdout) == (0, "")
    document.write_text(small("chat").replace("{of: error_ratio}", "{of: error_ratio, for: 20m}"))
    changed = airis_mon("diff", document, "-o", target)
    assert changed.returncode == 1
    assert f"--- {target}/rules/chat.rules.yaml\n+++ rules/chat.rules.yaml\n" in changed.stdout
    assert "\n+    for: 20m\n" in changed.stdout
    assert "~ alert airis-mon:chat:anomalies ModelAnomaly ticket error_ratio: for\n" in changed.stderr
    assert "proofs/" not in changed.stdout
    assert "proofs/" in airis_mon("diff", document, "-o", target, "--proofs").stdout
    document.write_text(small("other"))
    renamed = airis_mon("diff", document, "-o", target)
    assert "- alert airis-mon:chat:anomalies ModelAnomaly ticket error_ratio\n" in renamed.stderr
    assert "+ alert airis-mon:other:anomalies ModelAnomaly ticket error_ratio\n" in renamed.stderr
    assert files(target) == before


def test_diff_does_not_guess(airis_mon: Run, tmp_path: Path) -> None:
    document, target = tmp_path / "m.yaml", tmp_path / "out"
    document.write_text(small("chat").replace("error_ratio", "error_rati"))
    wrong = airis_mon("diff", document, "-o", target)
    assert wrong.returncode == 2
    assert "did you mean" in wrong.stderr
    document.write_text(small("chat"))
    target.mkdir()
    (target / "mine").write_text("")
    foreign = airis_mon("diff", document, "-o", target)
    assert foreign.returncode == 2
    assert "no build of ours wrote it" in foreign.stderr


@dataclass
class Servers:
    """A Prometheus and an Alertmanager that read what is applied."""

    prometheus: str
    alertmanager: str
    config: Path
    """The configuration of Prometheus, which is nobody's but the test's."""

    @property
    def options(self) -> list[str]:
        return ["--prometheus", self.prometheus, "--alertmanager", self.alertmanager]

    def groups(self) -> set[str]:
        answer = requests.get(f"{self.prometheus}/api/v1/rules", timeout=10).json()
        return {group["name"] for group in answer["data"]["groups"]}

    def routes(self) -> str:
        status = requests.get(f"{self.alertmanager}/api/v2/status", timeout=10).json()
        return str(status["config"]["original"])


@pytest.fixture
def running(
    airis_mon: Run, tools: Sequence[str], prometheus: Server, alertmanager: Server, tmp_path: Path
) -> Iterator[Servers]:
    """Apply a first document, before there is any server, and start both below it."""
    (tmp_path / "m.yaml").write_text(small("first"))
    target = tmp_path / "out"
    done = airis_mon("apply", tmp_path / "m.yaml", "-o", target, *tools)
    assert done.returncode == 0, done.stderr
    assert "files in place" in done.stdout
    config = tmp_path / "prometheus.yml"
    config.write_text(yaml.safe_dump({"rule_files": [f"{target}/rules/*.rules.yaml"]}))
    commands = [
        prometheus_command.command(
            prometheus, config=config, data=tmp_path / "tsdb", address=f"127.0.0.1:{ports.free_port()}"
        ),
        alertmanager_command.command(
            alertmanager,
            config=target / "alertmanager/alertmanager.yaml",
            data=tmp_path / "alertmanager",
            address=f"127.0.0.1:{ports.free_port()}",
        ),
    ]
    processes = [Process(command, tmp_path / f"{command.name}.log") for command in commands]
    try:
        for process in processes:
            process.wait_ready()
        yield Servers(commands[0].url, commands[1].url, config)
    finally:
        for process in processes:
            process.stop()


def test_servers_take_what_is_applied_or_keep_what_they_have(
    airis_mon: Run, tools: Sequence[str], running: Servers, tmp_path: Path
) -> None:
    document, people, target = tmp_path / "m.yaml", tmp_path / "people.yaml", tmp_path / "out"
    document.write_text(small("second") + "  alerting: {escalation: standard}\n")
    people.write_text(PEOPLE)
    done = airis_mon("apply", document, people, "-o", target, *running.options, *tools)
    assert done.returncode == 0, done.stderr
    assert f"read by Prometheus at {running.prometheus}" in done.stdout
    assert all(name.startswith("airis-mon:second:") for name in running.groups())
    assert "oncall" in running.routes()
    again = airis_mon("apply", document, people, "-o", target, *running.options, *tools)
    assert f"{target}: as it was" in again.stdout
    same = airis_mon("diff", document, people, "-o", target)
    assert (same.returncode, same.stdout) == (0, "")

    # A server that refuses: its own configuration has been broken meanwhile.
    held, sound = os.readlink(target), running.config.read_text()
    before = files(target)
    running.config.write_text("rule_files: 5")
    document.write_text(small("third"))
    refused = airis_mon("apply", document, "-o", target, *running.options, *tools)
    assert refused.returncode == 1
    assert f"Prometheus at {running.prometheus} does not take it (HTTP 500)" in refused.stderr
    assert f"{target} is as it was" in refused.stderr
    assert (os.readlink(target), files(target)) == (held, before)
    assert all(name.startswith("airis-mon:second:") for name in running.groups())
    running.config.write_text(sound)

    # A proof that fails, a document that is wrong: nobody is told anything.
    wrong = airis_mon("apply", tmp_path / "nowhere.yaml", "-o", target, *running.options, *tools)
    assert wrong.returncode == 1
    assert (os.readlink(target), files(target)) == (held, before)


def test_a_server_that_reads_other_files_is_told_of_and_nothing_changes(
    airis_mon: Run, tools: Sequence[str], running: Servers, tmp_path: Path
) -> None:
    document, other = tmp_path / "m.yaml", tmp_path / "elsewhere"

    def applied(*options: str) -> str:
        done = airis_mon("apply", document, tmp_path / "people.yaml", "-o", other, *options, *tools)
        assert done.returncode == 1
        assert not other.is_symlink()
        return done.stderr

    (tmp_path / "people.yaml").write_text(PEOPLE)
    # The same groups by name; what they say is another thing.
    document.write_text(small("first").replace("{of: error_ratio}", "{of: error_ratio, for: 20m}"))
    told = applied("--prometheus", running.prometheus)
    assert f"`rule_files` has to name {other}/rules/*.rules.yaml" in told
    assert f"{other} is as it was" in told
    # Another ladder, of receivers that it does not have.
    document.write_text(small("first") + "  alerting: {escalation: standard}\n")
    told = applied("--alertmanager", running.alertmanager)
    assert f"start it with --config.file={other}/alertmanager/alertmanager.yaml" in told
    # The same routes, to elsewhere: its templates lie where they were applied.
    document.write_text(small("first"))
    assert "works by another configuration" in applied("--alertmanager", running.alertmanager)
    # One taken for the other.
    assert "is it a Prometheus?" in applied("--prometheus", running.alertmanager)
    assert "is it an Alertmanager?" in applied("--alertmanager", running.prometheus)


def test_the_same_routes_to_elsewhere_are_another_configuration_wherever_its_files_are(
    alertmanager_server: Callable[..., Any], tmp_path: Path
) -> None:
    # Alertmanager hides URLs and does not tell templates, and these files are not on this machine any more.
    def written(folder: str, url: str, grafana: str | None = None) -> Path:
        bundle = decode({"m": small("chat"), "p": PEOPLE.replace("http://127.0.0.1:9/page", url)}).bundle
        for artefact in build(bundle, Target(grafana_url=grafana)):
            path = tmp_path / folder / artefact.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(artefact.text)
        return tmp_path / folder / "alertmanager" / "alertmanager.yaml"

    one = "http://127.0.0.1:9/one"
    first, same = written("first", one), written("same", one)
    server = Told("Alertmanager", alertmanager_server(config=first).url)
    shutil.rmtree(tmp_path / "first")
    with requests.Session() as session:
        server.check_routes(session, yaml.safe_load(same.read_text()), tmp_path / "same")
        for other in (
            written("other", "http://127.0.0.1:9/two"),
            written("linked", one, "http://grafana.example.com"),
        ):
            with pytest.raises(
                ReloadError, match="works by another configuration, or by one in another place"
            ):
                server.check_routes(session, yaml.safe_load(other.read_text()), other.parents[1])


def test_what_is_applied_of_every_kind_is_known_again(
    airis_mon: Run, tools: Sequence[str], running: Servers, tmp_path: Path
) -> None:
    examples = sorted((Path(__file__).parents[2] / "examples").glob("0*.yaml"))
    done = airis_mon("apply", *examples, "-o", tmp_path / "out", *running.options, *tools)
    assert done.returncode == 0, done.stderr
    assert "read by Prometheus" in done.stdout


def test_a_path_that_can_be_no_link_is_told(airis_mon: Run, tools: Sequence[str], tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(small("chat"))
    done = airis_mon("apply", tmp_path / "m.yaml", "-o", "/", *tools)
    assert done.returncode == 1
    assert done.stderr.startswith("/ cannot be a link")


def test_a_server_that_is_not_there_leaves_everything_as_it_was(
    airis_mon: Run, tools: Sequence[str], tmp_path: Path
) -> None:
    document, target = tmp_path / "m.yaml", tmp_path / "out"
    document.write_text(small("chat"))
    nobody = f"http://127.0.0.1:{ports.free_port()}"
    done = airis_mon("apply", document, "-o", target, "--prometheus", nobody, *tools)
    assert done.returncode == 1
    assert done.stderr.count(f"cannot reach Prometheus at {nobody}") == 1
    assert not target.is_symlink()
    assert [path.name for path in tmp_path.iterdir()] == ["m.yaml"]
    for words in (["check"], ["build", "-o", target], ["apply", "-o", target]):
        live = airis_mon(*words, document, "--live", nobody)
        assert live.returncode == 1
        assert live.stderr.count(f"cannot reach {nobody}") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["m.yaml"]
    target.mkdir()
    done = airis_mon("apply", document, "-o", target, *tools)
    assert done.returncode == 1
    assert "is no link" in done.stderr
    assert list(target.iterdir()) == []


def test_what_apply_keeps_is_not_built_into(airis_mon: Run, tools: Sequence[str], tmp_path: Path) -> None:
    document, target = tmp_path / "m.yaml", tmp_path / "out"
    document.write_text(small("chat"))
    assert airis_mon("apply", document, "-o", target, *tools).returncode == 0
    before = files(target)
    for text in (small("chat"), small("chat").replace("{of: error_ratio}", "{of: error_ratio, for: 20m}")):
        document.write_text(text)
        done = airis_mon("build", document, "-o", target, *tools)
        assert done.returncode == 1
        assert done.stderr.startswith(f"{target} is what `airis-mon apply` keeps, a link into out.releases")
        assert f"`airis-mon apply ... -o {target}`" in done.stderr
    assert files(target) == before


def test_two_do_not_apply_to_the_same_place_at_once(
    airis_mon: Run, tools: Sequence[str], tmp_path: Path
) -> None:
    document, target = tmp_path / "m.yaml", tmp_path / "out"
    document.write_text(small("chat"))
    with Releases(target).held():
        second = airis_mon("apply", document, "-o", target, *tools)
        assert second.returncode == 1
        assert second.stderr.endswith(f"{target}.releases is in use by another `airis-mon apply`\n")
        assert not target.exists()
    assert airis_mon("apply", document, "-o", target, *tools).returncode == 0


def test_whoever_reads_while_releases_change_sees_one_of_them(tmp_path: Path) -> None:
    releases = Releases(tmp_path / "out")
    seen = set()
    for text in ("1", "2", "3"):
        before = releases.current()
        with releases.staged([Artefact("a", text), Artefact("b/c", text)]) as stage:
            release = releases.keep(stage)
        # Opened by the folder that the link leads to now, as servers do.
        opened = (tmp_path / "out").resolve()
        releases.switch(release)
        if before is not None:
            assert (opened / "a").read_text() == (opened / "b/c").read_text()
        releases.forget(before, release)
        seen.add(((tmp_path / "out/a").read_text(), (tmp_path / "out/b/c").read_text()))
    assert seen == {("1", "1"), ("2", "2"), ("3", "3")}
    assert sorted(path.name for path in (tmp_path / "out.releases").iterdir()) == ["000002", "000003"]
    releases.switch(None)
    assert releases.current() is None
