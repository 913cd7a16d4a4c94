import argparse
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from airis_mon.cli import targets
from airis_mon.cli.build import build
from airis_mon.cli.documents import load
from airis_mon.stack.servers import Server
from tests.cli.conftest import Run
from tests.cli.documents import monitor, small

SECRET_URL = """\
apiVersion: airis.dev/v1alpha1
kind: Receiver
metadata: {name: chat}
spec:
  webhooks: [{url_file: /etc/alertmanager/chat-url}]
"""


@pytest.fixture
def document(tmp_path: Path) -> Path:
    file = tmp_path / "receiver.yaml"
    file.write_text(SECRET_URL)
    return file


def test_what_the_oldest_alertmanager_cannot_read_is_refused_with_the_option_that_helps(
    called: Run, document: Path
) -> None:
    done = called("check", document)
    assert done.returncode == 1
    assert "build with --alertmanager-version 0.26" in done.stderr


def test_a_newer_alertmanager_reads_more(called: Run, document: Path) -> None:
    done = called("check", document, "--alertmanager-version", "0.27")
    assert (done.returncode, done.stderr) == (0, "")


def test_messages_link_to_the_grafana_that_is_named(
    called: Run, documents: list[str], tmp_path: Path
) -> None:
    done = called(
        "build", *documents, "-o", tmp_path / "out", "--grafana-url", "https://grafana.example.com/"
    )
    assert done.returncode == 0, done.stderr
    template = (tmp_path / "out" / "alertmanager" / "airis-mon.tmpl").read_text()
    assert "https://grafana.example.com/d/" in template
    config = yaml.safe_load((tmp_path / "out" / "alertmanager" / "alertmanager.yaml").read_text())
    assert config["templates"] == ["airis-mon.tmpl"]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--alertmanager-version=0.24", "0.25 is the oldest that is supported"),
        ("--alertmanager-version=new", "`new` is no version; write one such as 0.27"),
        ("--prometheus-version=2.41", "2.42 is the oldest that is supported"),
        ("--prometheus-version=latest", "`latest` is no version; write one such as 2.53"),
        ("--mimir.max-rule-groups=0", "`0` is no number of groups or rules; write one such as 100"),
        ("--operator.rule-label=release", "`release` is no label of Kubernetes; write KEY=VALUE"),
        ("--operator.rule-label=a b=c", "`a b=c` is no label of Kubernetes"),
        ("--operator.rule-label=a=-b", "`a=-b` is no label of Kubernetes"),
        ("--operator.namespace=Monitoring", "`Monitoring` is no namespace; write one such as monitoring"),
        ("--grafana-url=grafana", "`grafana` is no URL of Grafana; write https://grafana.example.com"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(
    called: Run, document: Path, option: str, message: str
) -> None:
    done = called("check", document, option)
    assert done.returncode == 2
    assert message in done.stderr


def chats(folder: Path, number: int) -> list[Path]:
    files = [folder / f"m{index}.yaml" for index in range(number)]
    for index, file in enumerate(files):
        file.write_text(monitor(f"m{index}").replace(", escalation: standard", ""))
    return files


def test_a_tenant_of_mimir_takes_so_many_groups_and_what_helps_is_told(called: Run, tmp_path: Path) -> None:
    files = [tmp_path / f"m{index}.yaml" for index in range(40)]
    for index, file in enumerate(files):
        file.write_text(small(f"m{index}"))
    assert called("check", *files).returncode == 0
    assert called("check", *files, "--mimir").returncode == 0
    done = called("check", *files, "--mimir.max-rule-groups=39")
    assert done.returncode == 1
    found = re.search(r"all monitors come to (\d+) groups of rules, and Mimir takes 39", done.stderr)
    assert found is not None, done.stderr
    assert "most have `m0` (" in done.stderr
    assert called("check", *files, f"--mimir.max-rule-groups={found[1]}").returncode == 0


def test_a_group_that_mimir_would_refuse_is_named(called: Run, tmp_path: Path) -> None:
    (file,) = chats(tmp_path, 1)
    done = called("check", file, "--mimir.max-rules-per-group=10")
    assert done.returncode == 1
    assert "the group `airis-mon:m0:availability:page` has 13 rules, and Mimir takes 10" in done.stderr
    assert f"--> {file}:1:1" in done.stderr


@pytest.mark.parametrize("version", ["2.42", "v2.53.1", "3.14"])
def test_every_version_gets_the_same_files_since_nothing_newer_is_needed(version: str) -> None:
    examples = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
    bundle = load(examples)
    parser = argparse.ArgumentParser()
    targets.add_arguments(parser)
    asked = targets.target(parser.parse_args([f"--prometheus-version={version}"]))
    assert build(bundle, asked) == build(bundle)


def test_operator_objects_lie_beside_the_plain_files_and_say_the_same(
    called: Run, documents: list[str], tmp_path: Path, tools: list[str], amtool: Server
) -> None:
    plain, out = tmp_path / "plain", tmp_path / "out"
    done = called("build", *documents, "-o", plain, *tools)
    assert done.returncode == 0, done.stderr
    options = ["--operator.rule-label=release=stack", "--operator.namespace=monitoring"]
    done = called("build", *documents, "-o", out, *options, *tools)
    assert done.returncode == 0, done.stderr
    rule = yaml.safe_load((out / "kubernetes/support-chat.prometheusrule.yaml").read_text())
    rules = (plain / "rules/support-chat.rules.yaml").read_text()
    assert rule["spec"] == yaml.safe_load(rules)
    assert rule["metadata"]["labels"]["release"] == "stack"
    assert (out / "rules/support-chat.rules.yaml").read_text() == rules
    secret = yaml.safe_load((out / "kubernetes/alertmanager.secret.yaml").read_text())
    config = yaml.safe_load((plain / "alertmanager/alertmanager.yaml").read_text())
    inside = yaml.safe_load(secret["stringData"]["alertmanager.yaml"])
    assert inside == {**config, "templates": ["/etc/alertmanager/config/airis-mon.tmpl"]}
    template = (plain / "alertmanager/airis-mon.tmpl").read_text()
    assert secret["stringData"]["airis-mon.tmpl"] == template
    # As the operator mounts it, but for the folder.
    mounted = secret["stringData"]["alertmanager.yaml"].replace("/etc/alertmanager/config", str(tmp_path))
    (tmp_path / "alertmanager.yaml").write_text(mounted)
    (tmp_path / "airis-mon.tmpl").write_text(template)
    judged = subprocess.run(
        [str(amtool.path), "check-config", str(tmp_path / "alertmanager.yaml")],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert "1 templates" in judged.stdout
    # Built without: the objects go away again.
    assert called("build", *documents, "-o", out, *tools).returncode == 0
    assert not (out / "kubernetes").exists()
