"""`airis-mon check --secrets`: what a real file of this machine lacks, and never what is in it."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def receiver(tmp_path: Path) -> Path:
    file = tmp_path / "receiver.yaml"
    file.write_text(f"""\
apiVersion: airis.dev/v1alpha1
kind: Receiver
metadata: {{name: chat}}
spec:
  slack: [{{api_url_file: {tmp_path}/slack}}]
  emails:
    - {{to: a@example.com, from: b@example.com, sendgrid: {{api_key_file: {tmp_path}/sendgrid}}}}
""")
    return file


def write(file: Path, content: str, mode: int = 0o600) -> None:
    file.write_text(content)
    file.chmod(mode)


def test_files_are_looked_at_only_when_asked(airis_mon: Run, receiver: Path) -> None:
    done = airis_mon("check", receiver)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_missing_file_is_a_warning_at_its_place(airis_mon: Run, receiver: Path) -> None:
    write(receiver.parent / "sendgrid", "SG.s3cret")
    done = airis_mon("check", "--secrets", receiver)
    assert done.returncode == 0
    assert f"warning: {receiver.parent}/slack cannot be read on this machine: No such file" in done.stderr
    assert f"--> {receiver}:5:26  (spec.slack[0].api_url_file)" in done.stderr
    assert done.stdout.endswith(": 1 warning\n")


def test_what_is_fit_is_not_spoken_of(airis_mon: Run, receiver: Path) -> None:
    write(receiver.parent / "slack", "https://hooks.slack.example.com/s3cret\n")
    write(receiver.parent / "sendgrid", "SG.s3cret")
    done = airis_mon("check", "--secrets", receiver)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_line_break_matters_to_those_that_send_it(airis_mon: Run, receiver: Path) -> None:
    write(receiver.parent / "slack", "https://hooks.slack.example.com/s3cret\n")
    write(receiver.parent / "sendgrid", "SG.s3cret\n")
    old = airis_mon("check", "--secrets", receiver)
    assert f"warning: {receiver.parent}/sendgrid ends in white space" in old.stderr
    assert "(spec.emails[0].sendgrid.api_key_file)" in old.stderr
    assert "s3cret" not in old.stderr + old.stdout
    new = airis_mon("check", "--secrets", receiver, "--alertmanager-version", "0.27")
    assert new.stderr == ""


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        ("\n", 0o600, "/slack is empty"),
        ("x" * 70_000, 0o600, "/slack is larger than any secret"),
        ("https://hooks.example.com/s3cret", 0o644, "/slack may be read by everybody on this machine"),
    ],
)
def test_what_a_file_lacks_is_told(
    airis_mon: Run, receiver: Path, content: str, mode: int, message: str
) -> None:
    write(receiver.parent / "slack", content, mode)
    write(receiver.parent / "sendgrid", "SG.s3cret")
    done = airis_mon("check", "--secrets", receiver)
    assert message in done.stderr
    assert done.stderr.count("warning: ") == 1
    assert "s3cret" not in done.stderr


def test_a_folder_is_no_secret(airis_mon: Run, receiver: Path) -> None:
    (receiver.parent / "slack").mkdir()
    write(receiver.parent / "sendgrid", "SG.s3cret")
    assert "/slack is no file" in airis_mon("check", "--secrets", receiver).stderr
