from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Run

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
    airis_mon: Run, document: Path
) -> None:
    done = airis_mon("check", document)
    assert done.returncode == 1
    assert "build with --alertmanager-version 0.26" in done.stderr


def test_a_newer_alertmanager_reads_more(airis_mon: Run, document: Path) -> None:
    done = airis_mon("check", document, "--alertmanager-version", "0.27")
    assert (done.returncode, done.stderr) == (0, "")


def test_messages_link_to_the_grafana_that_is_named(
    airis_mon: Run, documents: list[str], tmp_path: Path
) -> None:
    done = airis_mon(
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
        ("--grafana-url=grafana", "`grafana` is no URL of Grafana; write https://grafana.example.com"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(
    airis_mon: Run, document: Path, option: str, message: str
) -> None:
    done = airis_mon("check", document, option)
    assert done.returncode == 2
    assert message in done.stderr
